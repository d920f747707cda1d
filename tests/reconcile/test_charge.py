"""Which lines equal a charge is searched, bounded, and never forced."""

from decimal import Decimal
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.charge import MATCHES, Choice, explain, find, sum_of
from tallyspan.reconcile.money import to_cent, total
from tallyspan.reconcile.price import Unpriced
from tallyspan.reconcile.statement import StatementKind
from tallyspan.reconcile.tally import Tally


def line(label: str, *amounts: str | Decimal, day: int = 0) -> BillLine:
    offers = tuple(Offer(Decimal(amount), (), "list", (f"case {n}",)) for n, amount in enumerate(amounts))
    return BillLine(
        kind=StatementKind.ACTIVITY,
        subject="activity",
        label=label,
        model=label,
        line_item=None,
        first=day,
        last=day,
        tally=Tally({}, {}, {}),
        offers=offers or Unpriced("unknown"),
    )


def labels(match: tuple[Choice, ...]) -> list[str]:
    return sorted(choice.line.label for choice in match)


def test_a_single_line_that_fits_is_found_and_the_rest_is_left() -> None:
    charge = explain([line("a", "132.42405"), line("b", "1.00", "2.00"), line("c", "0.5", day=1)], Decimal("132.42"))
    (match,) = charge.search.matches
    assert (labels(match), sum_of(match)) == (["a"], Decimal("132.42405"))
    assert [choice.line.label for choice in charge.same_days] == ["b"]
    assert [choice.line.label for choice in charge.other_days] == ["c"]
    assert (charge.search.combinations, charge.search.complete) == (2 * 3 * 2 - 1, True)


def test_a_condition_is_part_of_the_fit() -> None:
    charge = explain([line("a", "3.00"), line("b", "1.00", "2.00")], Decimal("5.00"))
    (match,) = charge.search.matches
    assert [choice.offer.conditions for choice in match if choice.offer and choice.line.label == "b"] == [("case 1",)]


def test_rivals_are_all_reported() -> None:
    charge = explain([line("a", "1.00"), line("b", "1.00"), line("c", "0.40"), line("d", "0.60")], Decimal("1.00"))
    assert [labels(match) for match in charge.search.matches] in (
        [["a"], ["b"], ["c", "d"]],
        [["b"], ["a"], ["c", "d"]],
    )


def test_no_fit_is_said_and_nothing_is_forced() -> None:
    charge = explain([line("a", "1.00"), line("b", "2.00")], Decimal("2.50"))
    assert charge.search.matches == ()
    assert sum_of(charge.other_days) == Decimal(3)


def test_a_line_without_a_price_is_untried_not_zero() -> None:
    charge = explain([line("a")], Decimal("0.00"))
    assert (charge.search.matches, [left.label for left in charge.unpriced]) == ((), ["a"])


@pytest.mark.parametrize("count", [30, 3000])
def test_the_search_is_bounded(count: int) -> None:
    tried = [[Choice(line(f"{n}", "0.01"), Decimal("0.01"), None)] for n in range(count)]
    search = find(tried, Decimal("0.10"))
    assert (search.complete, len(search.matches)) == (False, MATCHES)
    assert (search.looked_at, search.tells) == (9, False)


def test_few_lines_are_tried_first_so_that_a_line_is_not_drowned_by_chance() -> None:
    crowd = [line(f"{n}", Decimal(n * n + 7) / 100) for n in range(60)]
    charge = explain([*crowd, line("a", "431.07")], Decimal("431.07"))
    assert labels(charge.search.matches[0]) == ["a"]
    assert (charge.search.complete, charge.search.tells) == (False, True)


def test_a_fit_that_chance_makes_tells_nothing() -> None:
    crowd = [line(f"{n}", Decimal(n * n + 7) / 100) for n in range(60)]
    charge = explain(crowd, Decimal("99.99"))
    assert charge.search.matches
    assert not charge.search.tells
    assert (len(charge.same_days), len(charge.other_days)) == (0, 60)


amounts = st.decimals(-5, 50, places=3)


@given(st.lists(amounts.filter(bool), max_size=7), st.data())
def test_the_search_finds_what_trying_all_finds(found: list[Decimal], data: st.DataObject) -> None:
    everything = list(chain.from_iterable(combinations(range(len(found)), n) for n in range(1, len(found) + 1)))
    subset = data.draw(st.sampled_from(everything)) if everything else ()
    charged = to_cent(total(found[n] for n in subset))
    expected = {subset for subset in everything if to_cent(total(found[n] for n in subset)) == charged and charged > 0}
    tried = [[Choice(line(str(n), amount), amount, None)] for n, amount in enumerate(found)]
    search = find(tried, charged)
    if charged > 0 and len(expected) < MATCHES:
        assert search.complete
        assert {tuple(sorted(int(choice.line.label) for choice in match)) for match in search.matches} == expected
