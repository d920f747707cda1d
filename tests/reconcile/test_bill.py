"""A bill adds up from every side, says what is missing and what to export next."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.bill import Bill, Topic, build
from tallyspan.reconcile.bill_notes import notes
from tallyspan.reconcile.money import total
from tallyspan.reconcile.price import Rates, Unpriced
from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import DAY, tally

START = 1_745_366_400  # 2025-04-23T00:00:00Z
LONG = 272_000


def prices(row: StatementRow) -> tuple[Rates, ...] | Unpriced:
    """A list for tests: a dollar a token of output, ten cents a token of input, a cent if it was cached."""
    if row.model != "gpt-4o":
        return Unpriced(f"no list price of {row.model}")
    per_unit = {"input_uncached": Decimal("0.10"), "input_cached": Decimal("0.01"), "output": Decimal(1)}
    return (Rates(per_unit, "list of tests", long_over=LONG),)


def usage(*rows: StatementRow, days: int = 3) -> Statement:
    return Statement(
        kind=StatementKind.USAGE,
        subject="completions",
        variant="completions usage, 26 columns",
        name="usage.csv",
        sha256="u",
        start=START,
        end=START + days * DAY,
        width=DAY,
        groupings=frozenset({"model", "api_key_id"}),
        rows=rows,
    )


def costs(*rows: StatementRow, days: int = 3) -> Statement:
    return replace(
        usage(*rows, days=days),
        kind=StatementKind.COST,
        subject="costs",
        variant="costs, 17 columns",
        name="cost.csv",
        sha256="c",
    )


def used(day: int = 0, model: str = "gpt-4o", key: str = "key_1", **counts: int) -> StatementRow:
    start = START + day * DAY
    return StatementRow(start=start, end=start + DAY, model=model, api_key_id=key, counts=counts)


def paid(amount: str, day: int = 0, item: str | None = "gpt-4o, input", quantity: int | None = None) -> StatementRow:
    start = START + day * DAY
    number = None if quantity is None else Decimal(quantity)
    return StatementRow(
        start=start,
        end=start + DAY,
        line_item=item,
        amount=Decimal(amount),
        currency="usd",
        quantity=number,
        quantity_unit=None if quantity is None else "tokens",
        api_key_id="key_1",
    )


def said(bill: Bill, topic: Topic) -> list[str]:
    return [note.text for note in notes(bill) if note.topic is topic]


used_rows = st.builds(
    used,
    day=st.integers(0, 2),
    model=st.sampled_from(["gpt-4o", "tts-1"]),
    key=st.sampled_from(["key_1", "key_2"]),
    requests=st.integers(0, 5),
    input=st.integers(0, 500),
    output=st.integers(0, 500),
)
paid_rows = st.builds(
    paid,
    amount=st.decimals(-5, 99, places=12).map(str),
    day=st.integers(0, 2),
    item=st.sampled_from(["gpt-4o, input", "gpt-4o, output", None]),
)


@given(st.lists(used_rows, max_size=9), st.lists(paid_rows, max_size=9), st.integers(0, 3), st.integers(0, 3))
def test_days_lines_models_and_keys_each_sum_to_the_total(
    found: list[StatementRow], money: list[StatementRow], skip: int, drop: int
) -> None:
    since, until = START + skip * DAY, START + max(skip, 3 - drop) * DAY
    bill = build([usage(*found), costs(*money)], prices, since=since, until=until)
    for subject, whole in bill.totals.items():
        for parts in (
            [line.tally for line in bill.lines if line.subject == subject],
            [day.tallies[subject] for day in bill.days if subject in day.tallies],
        ):
            for name, count in whole.counts.items():
                assert sum(part.counts.get(name, 0) for part in parts) == count
            for currency, amount in whole.amounts.items():
                assert total(part.amounts[currency] for part in parts if currency in part.amounts) == amount
    for shares in (bill.models, bill.keys):
        ours = [share.tally.counts.get("requests", 0) for share in shares if share.subject == "completions"]
        assert not ours or sum(ours) == bill.totals["completions"].counts["requests"]


@given(st.lists(used_rows, max_size=9), st.lists(paid_rows, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(found: list[StatementRow], money: list[StatementRow], random: Random) -> None:
    mixed = [list(found), list(money)]
    for rows in mixed:
        random.shuffle(rows)
    whole = build([usage(*found), costs(*money)], prices, Decimal("3.00"))
    other = build([usage(*mixed[0]), costs(*mixed[1])], prices, Decimal("3.00"))
    for left, right in zip(whole.lines, other.lines, strict=True):
        assert (left.label, left.tally) == (right.label, right.tally)
    assert (whole.totals, whole.days, whole.keys, whole.models) == (other.totals, other.days, other.keys, other.models)
    assert whole.charge is not None
    assert other.charge is not None
    assert len(whole.charge.search.matches) == len(other.charge.search.matches)


def test_cached_input_has_its_own_price_and_output_is_not_input() -> None:
    (line,) = build([usage(used(requests=1, input=100, input_cached=40, output=3))], prices).lines
    assert isinstance(line.offers, tuple)
    assert line.offers[0].amount == Decimal("9.40")
    assert {(part.measure, part.count) for part in line.offers[0].parts} == {
        ("input_uncached", 60),
        ("input_cached", 40),
        ("output", 3),
    }


def test_a_sum_of_many_requests_is_priced_as_short_ones_and_says_so() -> None:
    (line,) = build([usage(used(requests=9, input=LONG + 1))], prices).lines
    assert isinstance(line.offers, tuple)
    assert line.offers[0].conditions == ("no request had more than 272,000 tokens of input",)


def test_what_has_no_price_is_unpriced_not_zero() -> None:
    bill = build([usage(used(model="tts-1", requests=1, characters=5))], prices, Decimal("1.00"))
    assert bill.lines[0].offers == Unpriced("no list price of tts-1")
    assert bill.charge is not None
    assert [line.label for line in bill.charge.unpriced] == ["tts-1"]
    assert "tts-1: no list price of tts-1" in said(bill, Topic.UNPRICED)


def test_audio_and_torn_counts_are_unpriced() -> None:
    rows = [used(requests=1, input=5, output_audio=2), used(key="key_2", requests=1, input=5, input_cached=6)]
    for row in rows:
        assert isinstance(build([usage(row)], prices).lines[0].offers, Unpriced)


def test_usage_is_tried_only_where_no_costs_are() -> None:
    bill = build(
        [usage(used(0, requests=1, output=5), used(1, requests=1, output=7)), costs(paid("5.00"), days=1)],
        prices,
        Decimal("7.00"),
    )
    assert bill.charge is not None
    (match,) = bill.charge.search.matches
    assert [(choice.line.subject, choice.line.first) for choice in match] == [("completions", START + DAY)]
    assert [choice.line.subject for choice in bill.charge.other_days] == ["costs"]


def test_if_no_whole_lines_fit_single_days_are_tried() -> None:
    rows = [used(day, requests=1, output=n) for day, n in enumerate((3, 8, 40))]
    bill = build([usage(*rows)], prices, Decimal("8.00"))
    assert bill.charge is not None
    (match,) = bill.charge.search.matches
    assert [choice.line.first for choice in match] == [START + DAY]


def test_days_missing_from_either_side_are_named_with_what_the_other_has() -> None:
    bill = build([usage(used(2, requests=4, output=1)), costs(paid("5.00"), days=2)], prices)
    assert said(bill, Topic.COVERAGE) == [
        "costs: nothing about 2025-04-25 (1 day); completions there: 4 requests",
        "money and no usage on 2025-04-23 (1 day), though both exports cover it",
    ]
    assert said(bill, Topic.NEXT) == [
        "costs for 2025-04-25 (1 day), grouped by line item: they hold what was charged for this usage"
    ]


def test_costs_without_line_items_are_asked_for_again() -> None:
    (text, usage_text) = said(build([costs(paid("5.00", item=None))], prices), Topic.NEXT)
    assert text == "costs for 2025-04-23 (1 day) again, grouped by line item: this file has one sum a day"
    assert usage_text.startswith("completions usage for 2025-04-23 (1 day), grouped by model and API key")


def test_usage_without_models_is_asked_for_again() -> None:
    nameless = replace(used(requests=1, output=1), model=None)
    texts = said(build([usage(nameless), costs(paid("1.00"))], prices), Topic.NEXT)
    assert texts == ["usage for 2025-04-23 (1 day) again, grouped by model: without it nothing can be priced"]


def test_a_file_without_keys_is_asked_for_again_last() -> None:
    keyless = replace(usage(used(requests=1, output=1)), groupings=frozenset({"model"}))
    texts = said(build([keyless, costs(paid("1.00"))], prices), Topic.NEXT)
    assert texts == ["completions again, grouped by API key: this file does not tell who used it"]


def test_printed_floats_are_shown_as_written_and_as_meant() -> None:
    bill = build([costs(paid("0.019733999999999998"), paid("0.5"))], prices)
    assert bill.totals["costs"].amounts == {"usd": Decimal("0.519733999999999998")}
    assert said(bill, Topic.PRECISION) == [
        (
            "costs: 1 of 2 amounts are binary floats printed in full; as written they sum to 0.519733999999999998 usd, "
            "as the decimals that they stand for to 0.519734"
        )
    ]


def test_usage_and_costs_are_compared_in_tokens() -> None:
    rows = [
        paid("1", item="gpt-4o-2024-08-06, input", quantity=60),
        paid("1", item="gpt-4o-2024-08-06, cached input", quantity=40),
        paid("1", item="priority | gpt-4o-2024-08-06, output", quantity=2),
        paid("1", item="gpt-4o-2024-08-06, output, long context", quantity=2),
        paid("1", item="text-embedding-3-small, input", quantity=9),
        paid("1", item="web search tool calls"),
    ]
    counted = used(model="gpt-4o", requests=1, input=100, input_cached=40, output=3)
    bill = build([usage(counted), costs(*rows)], prices)
    assert said(bill, Topic.IDENTITY) == [
        (
            "usage = costs, in tokens: exact on 2 of 3 lines (UTC day, model, kind of token); "
            "2025-04-23 (1 day) gpt-4o output: charged 4, counted 3"
        ),
        "tokens charged for models that are not in the usage export: text-embedding-3-small",
    ]


def test_costs_without_quantities_can_not_be_compared_in_tokens() -> None:
    bill = build([usage(used(requests=1, output=1)), costs(paid("1.00"))], prices)
    assert said(bill, Topic.IDENTITY) == ["usage and costs cannot be compared: no tokens by line item on both sides"]


def test_averages_are_a_request() -> None:
    assert tally([used(requests=33, characters=8_828_270)]).per_request() == {"characters": Decimal("267523.33")}
    assert tally([used(characters=5)]).per_request() == {}
