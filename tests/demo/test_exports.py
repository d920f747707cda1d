"""The exports have the columns of real files, and add up to the ledger."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tallyspan.demo import Clock, LedgerRow, StandIn, Stranger, Usage, exports
from tallyspan.demo.charges import charges

# Headers of real files: completions_usage of 2026-08-31 and 2025-10, cost of 2026-09 and 2025-03.
USAGE_26 = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,compute_units,input_tokens,output_tokens,input_cached_tokens,input_cache_write_tokens,"
    "input_uncached_tokens,input_text_tokens,output_text_tokens,input_cached_text_tokens,input_audio_tokens,"
    "input_cached_audio_tokens,output_audio_tokens,input_image_tokens,input_cached_image_tokens,output_image_tokens"
)
USAGE_24 = USAGE_26.replace("compute_units,", "").replace("input_cache_write_tokens,", "")
COST_17 = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,"
    "user_id,api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source"
)
COST_9 = (
    "start_time,end_time,amount_value,amount_currency,line_item,project_id,organization_id,project_name,"
    "organization_name"
)
MIDNIGHT = 1_795_305_600  # 2026-11-22T00:00:00Z
DAY = date(2026, 11, 22)
TWO_DAYS = exports.Selection(DAY, date(2026, 11, 23))
FOUR_DAYS = exports.Selection(date(2026, 11, 21), date(2026, 11, 24))
PROJECTS = {"sk-one": "proj_one", "sk-two": "proj_two"}


@pytest.fixture(scope="module")
def ledger() -> Iterator[tuple[LedgerRow, ...]]:
    """Two keys, four models, three tiers, faults and two UTC days, the second an hour old."""
    clock = Clock()
    clock.hold(MIDNIGHT + 23 * 3600)
    with StandIn(seed=3, clock=clock, projects=PROJECTS) as api:
        for number in range(30):
            stranger = Stranger(api.host, key=f"sk-{('one', 'two')[number % 2]}")
            model = ("gpt-4o", "gpt-5-mini", "gpt-5.6-terra", "o4-mini")[number % 4]
            prompt = f"number {number} {('', '', '[[fault:500]]', '', '[[fault:no-usage]]')[number % 5]}"
            tier = ("auto", "flex", "priority")[number % 3]
            body = {"model": model, "input": prompt, "service_tier": tier, "tools": [{"type": "web_search"}]}
            stranger.post("/v1/responses", body)
            stranger.post("/v1/embeddings", {"model": "text-embedding-3-small", "input": prompt})
            clock.shift(240)
        yield api.ledger


def table(export: exports.Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export.text)))


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column] or 0) for row in rows), Decimal(0))


def billed(ledger: tuple[LedgerRow, ...], report: str = "completions") -> list[LedgerRow]:
    return [row for row in ledger if row.billed and row.report == report]


@pytest.mark.parametrize(("columns", "header"), [(26, USAGE_26), (24, USAGE_24)])
def test_usage_files_have_the_header_of_real_ones(ledger: tuple[LedgerRow, ...], columns: int, header: str) -> None:
    assert exports.completions_usage(ledger, TWO_DAYS, columns=columns).text.partition("\n")[0] == header


@pytest.mark.parametrize(("columns", "header"), [(17, COST_17), (9, COST_9)])
def test_cost_files_have_the_header_of_real_ones(ledger: tuple[LedgerRow, ...], columns: int, header: str) -> None:
    assert exports.cost(ledger, TWO_DAYS, columns=columns).text.partition("\n")[0] == header


@pytest.mark.parametrize("width", ["1m", "1h", "1d"])
@pytest.mark.parametrize("group_by", [(), ("model",), ("project_id", "api_key_id", "model", "service_tier")])
def test_usage_adds_up_to_the_ledger(ledger: tuple[LedgerRow, ...], width: str, group_by: tuple[str, ...]) -> None:
    chosen = exports.Selection(TWO_DAYS.first, TWO_DAYS.last, width)
    rows = table(exports.completions_usage(ledger, chosen, group_by=group_by))
    wanted = billed(ledger)
    assert total(rows, "num_model_requests") == len(wanted)
    assert total(rows, "input_tokens") == sum(row.input_tokens for row in wanted)
    assert total(rows, "output_tokens") == sum(row.output_tokens for row in wanted)
    assert total(rows, "input_cached_tokens") == sum(row.cached_tokens for row in wanted) > 0
    parts = ("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens")
    assert total(rows, "input_tokens") == sum(total(rows, part) for part in parts)
    assert total(rows, "input_cache_write_tokens") > 0


def test_embeddings_have_a_file_of_their_own(ledger: tuple[LedgerRow, ...]) -> None:
    made = exports.embeddings_usage(ledger, TWO_DAYS)
    wanted = billed(ledger, "embeddings")
    assert total(table(made), "input_tokens") == sum(row.input_tokens for row in wanted)
    assert made.name == "embeddings_usage_2026-11-22_2026-11-23.csv"


@pytest.mark.parametrize("columns", [17, 16, 9])
def test_cost_adds_up_to_the_ledger(ledger: tuple[LedgerRow, ...], columns: int) -> None:
    rows = table(exports.cost(ledger, TWO_DAYS, columns=columns))
    every = [charge for row in ledger if row.billed for charge in charges(row)]
    assert total(rows, "amount_value") == sum(charge.amount for charge in every) > 0
    assert {row["line_item"] for row in rows} == {charge.line_item for charge in every}


def test_line_items_are_named_as_in_real_files(ledger: tuple[LedgerRow, ...]) -> None:
    names = {row["line_item"] for row in table(exports.cost(ledger, TWO_DAYS))}
    assert {
        "gpt-4o-2024-08-06, input",
        "flex | gpt-5-mini-2025-08-07, output",
        "priority | gpt-4o-2024-08-06, output",
        "text-embedding-3-small, input",
        "web search tool calls",
    } <= names
    assert any(name.endswith("gpt-5.6-terra, cache writes") for name in names)


def test_quantities_of_cost_are_the_tokens_of_usage(ledger: tuple[LedgerRow, ...]) -> None:
    costs = table(exports.cost(ledger, TWO_DAYS))
    usage = table(exports.completions_usage(ledger, TWO_DAYS))
    chat = [row for row in costs if "embedding" not in row["line_item"]]
    for ending, column in (
        (", input", "input_uncached_tokens"),
        (", cached input", "input_cached_tokens"),
        (", output", "output_tokens"),
        (", cache writes", "input_cache_write_tokens"),
    ):
        lines = [row for row in chat if row["line_item"].endswith(ending)]
        assert total(lines, "quantity") == total(usage, column)


def test_prices_give_the_cents_of_a_real_day(ledger: tuple[LedgerRow, ...]) -> None:
    """The completions of a published export of 2026-08-31: 31,422 in and 29 out are $0.0047307."""
    real = replace(
        billed(ledger)[0],
        model_served="gpt-4o-mini-2024-07-18",
        service_tier="default",
        usage=Usage(input=31_422, output=29),
    )
    assert [(charge.line_item, charge.amount) for charge in charges(real)] == [
        ("gpt-4o-mini-2024-07-18, input", Decimal("0.0047133")),
        ("gpt-4o-mini-2024-07-18, output", Decimal("0.0000174")),
    ]


def test_an_empty_bucket_shows_only_its_times(ledger: tuple[LedgerRow, ...]) -> None:
    for export in (exports.completions_usage(ledger, FOUR_DAYS), exports.cost(ledger, FOUR_DAYS)):
        first = table(export)[0]
        assert first["start_time_iso"] == "2026-11-21T00:00:00+00:00"
        assert {name for name, cell in first.items() if cell} == {
            "start_time",
            "end_time",
            "start_time_iso",
            "end_time_iso",
        }


def test_numbers_are_floats_where_the_column_has_blanks(ledger: tuple[LedgerRow, ...]) -> None:
    blank = [row for row in table(exports.completions_usage(ledger, FOUR_DAYS)) if row["model"]]
    full = table(exports.completions_usage(ledger, TWO_DAYS))
    assert all(row["input_tokens"].endswith(".0") and row["batch"] == "False" for row in blank)
    assert all(row["input_tokens"].isdecimal() and row["compute_units"] == "" for row in full)


def test_a_file_of_empty_buckets_is_the_same_for_usage_and_cost() -> None:
    usage, cost = exports.completions_usage((), TWO_DAYS), exports.cost((), TWO_DAYS)
    assert usage.text == cost.text
    assert usage.text.partition("\n")[0] == "start_time,end_time,start_time_iso,end_time_iso"
    assert usage.name != cost.name


def test_populated_cost_rows_have_no_offset(ledger: tuple[LedgerRow, ...]) -> None:
    row = table(exports.cost(ledger, TWO_DAYS))[0]
    assert (row["start_time_iso"], row["amount_value"][-4:]) == ("2026-11-22T00:00:00", "0000")


def test_an_ungrouped_cost_file_names_no_line_item(ledger: tuple[LedgerRow, ...]) -> None:
    rows = table(exports.cost(ledger, TWO_DAYS, group_by=()))
    assert [(row["line_item"], row["quantity"], row["project_id"]) for row in rows] == [("", "", "")] * 2


def test_a_restricted_export_shows_some_keys_only(ledger: tuple[LedgerRow, ...]) -> None:
    one = frozenset(row.api_key_id for row in ledger if row.project_id == "proj_one")
    rows = table(exports.completions_usage(ledger, exports.Selection(DAY, TWO_DAYS.last, keys=one)))
    wanted = [row for row in billed(ledger) if row.project_id == "proj_one"]
    assert {row["project_id"] for row in rows} == {"proj_one"}
    assert 0 < total(rows, "num_model_requests") == len(wanted) < len(billed(ledger))


def test_an_export_is_written_under_the_name_it_has(ledger: tuple[LedgerRow, ...], tmp_path: Path) -> None:
    made = exports.cost(ledger, TWO_DAYS)
    assert made.write(tmp_path).read_text() == made.text
    assert [path.name for path in tmp_path.iterdir()] == ["cost_2026-11-22_2026-11-23.csv"]
