"""What a reader accepts, what it tolerates with a note, and how it refuses: in one line that helps."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.statement import Statement, StatementKind
from tallyspan.statements import StatementError, read_statement, recognise

REAL = Path(__file__).parent / "real" / "2025-04-23-incident"
ACTIVITY = REAL / "activity-2025-04-23-2025-04-24.csv"
COST = REAL / "cost_2025-03-24_2025-04-23.csv"
USAGE_HEADER = (
    "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,model,batch,input_tokens,output_tokens"
)
COST_HEADER = "start_time,end_time,amount_value,amount_currency,line_item"
FIELDS = ("data", "results", "start_time", "end_time", "object", "amount", "value", "input_tokens", "model", "batch")
PERIOD = "1745366400,1745452800"


def usage(*lines: str, header: str = USAGE_HEADER, name: str = "usage.csv") -> Statement:
    return read_statement((name, "\n".join([header, *lines, ""]).encode()))


def refusal(name: str, content: bytes | str, kind: str | None = None) -> str:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(StatementError) as caught:
        read_statement((name, raw), kind)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_real_activity_export() -> None:
    statement = read_statement(ACTIVITY)
    assert (statement.kind, statement.variant, statement.width) == (
        StatementKind.ACTIVITY,
        "activity, 23 columns",
        86_400,
    )
    assert (statement.start, statement.end) == (1745366400, 1745452800)
    speech = statement.rows[3]
    assert (speech.model, dict(speech.counts)) == ("tts-1", {"requests": 33, "characters": 8_828_270})
    assert speech.source.endswith("activity-2025-04-23-2025-04-24.csv:5")
    assert statement.rows[2].dimensions["image_size"] == "1024x1024"


def test_the_real_cost_export_ends_before_its_name_says() -> None:
    statement = read_statement(COST)
    assert (statement.start, statement.end) == (1742774400, 1745366400)
    assert [row.amount for row in statement.rows][2] == Decimal("0.019733999999999998")
    assert statement.notes == ("its name says up to 2025-04-23, its last bucket ends 2025-04-22 24:00 UTC",)
    assert statement.groupings == {"project_id"}


def test_people_are_never_shown() -> None:
    statement = read_statement(ACTIVITY)
    assert "@" not in repr(statement)
    assert {row.user_id for row in statement.rows} == {"person-542d2401"}
    assert "person@example.com" not in refusal("cost.csv", f"{COST_HEADER}\n{PERIOD},person@example.com,usd,\n")


def test_absent_is_not_zero() -> None:
    blank, zero = usage(f"{PERIOD},,,1,gpt-4o,,,0", f"{PERIOD},,,1,gpt-4o,,0,0").rows
    assert "input" not in blank.counts
    assert zero.counts["input"] == 0
    assert (blank.batch, blank.amount, blank.service_tier) == (None, None, None)


def test_floats_for_whole_numbers_are_read_with_a_note() -> None:
    statement = usage(f"{PERIOD},,,4.0,gpt-4o,FALSE,59200.0,12")
    assert dict(statement.rows[0].counts) == {"requests": 4, "input": 59200, "output": 12}
    assert statement.rows[0].batch is False
    assert statement.notes == ("whole numbers are written as floats (4.0) in 2 of the columns: read as whole numbers",)


def test_unknown_columns_are_tolerated_with_a_note() -> None:
    statement = usage(f"{PERIOD},,,1,gpt-4o,,5,6,new", header=f"{USAGE_HEADER},flavour")
    assert statement.notes == ("columns that are not known and not read: flavour",)


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    text = f"\ufeff{USAGE_HEADER}\r\n{PERIOD},,,1,gpt-4o,,5,6\r\n"
    assert read_statement(("usage.csv", text.encode())).rows[0].counts["input"] == 5


def test_lines_are_numbered_in_the_file_even_after_a_quoted_line_end() -> None:
    text = f'{COST_HEADER}\n{PERIOD},1.5,usd,"two\nlines"\n{PERIOD},oops,usd,x\n'
    assert refusal("cost.csv", text).startswith("cost.csv:4 column amount_value: found 'oops'")


@pytest.mark.parametrize(
    ("name", "kind"), [("completions_usage_x.csv", StatementKind.USAGE), ("cost_2026.csv", StatementKind.COST)]
)
def test_a_file_of_empty_buckets_is_what_its_name_says(name: str, kind: StatementKind) -> None:
    text = f"start_time,end_time,start_time_iso,end_time_iso\n{PERIOD},a,b\n"
    statement = read_statement((name, text.encode()))
    assert (statement.kind, statement.rows, statement.start, statement.end) == (kind, (), 1745366400, 1745452800)
    assert recognise(name, text.encode()) is kind


def test_a_file_of_empty_buckets_without_a_name_is_refused_unless_the_user_says() -> None:
    text = f"start_time,end_time,start_time_iso,end_time_iso\n{PERIOD},a,b\n"
    assert "--kind FILE=" in refusal("export.csv", text)
    assert read_statement(("export.csv", text.encode()), "cost").kind is StatementKind.COST


def test_an_activity_export_without_rows_has_the_period_of_its_name() -> None:
    header = ACTIVITY.read_bytes().partition(b"\n")[0]
    statement = read_statement((ACTIVITY.name, header))
    assert (statement.start, statement.end, statement.rows) == (1745366400, 1745539200, ())
    assert "no period in the name" in refusal("activity.csv", header)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{USAGE_HEADER.replace(',', ';')}\n", "usage.csv:1: found columns separated by ';' or tabs"),
        (f"{USAGE_HEADER}\n4/23/2025,1745452800,,,1,m,,1,1\n", "usage.csv:2 column start_time: found '4/23/2025'"),
        (f"{USAGE_HEADER}\n1.74537E+09,1745452800,,,1,m,,1,1\n", "a spreadsheet has dropped its digits"),
        (f"{USAGE_HEADER}\n1745366400000,1745452800,,,1,m,,1,1\n", "expected Unix seconds such as 1745366400"),
        (f"{USAGE_HEADER}\n1745452800,1745366400,,,1,m,,1,1\n", "expected a bucket that ends after it starts"),
        (f"{USAGE_HEADER}\n{PERIOD},,,1,m,,12\n", "usage.csv:2: found 8 cells, expected 9, as in the header"),
        (f"{USAGE_HEADER}\n{PERIOD},,,1,m,,1.2E+07,1\n", "column input_tokens: found '1.2E+07'"),
        (f'{USAGE_HEADER}\n{PERIOD},,,1,m,,"12,4O0",1\n', "found '12,4O0', expected a whole number"),
        (f"{USAGE_HEADER}\n{PERIOD},,,-1,m,,1,1\n", "column num_model_requests: found '-1'"),
        (f"{USAGE_HEADER}\n{PERIOD},,,1,m,maybe,1,1\n", "column batch: found 'maybe', expected True or False"),
        (f"{USAGE_HEADER},model\n", "column 'model' twice"),
        (f'{USAGE_HEADER}\n{PERIOD},,,1,"m"x,,1,1\n', "usage.csv:2: found a broken line"),
        (USAGE_HEADER.replace("num_model_requests", "requests"), "usage.csv:1:"),
        (f"{USAGE_HEADER}\n{PERIOD},,,1,m\xe9,,1,1\n".encode("latin-1"), "usage.csv:2: found a byte that is not UTF-8"),
        ("", "usage.csv:1: found ''"),
        ("hello\nworld\n", "usage.csv:1: found 'hello'"),
        ("[]", "found buckets without results"),
        ('{"object":"page","data":[}', "usage.csv:1:26: found broken JSON"),
        ("[" * 100_000, "usage.csv: found absurd JSON"),
        (f"[{'9' * 5000}]", "usage.csv: found absurd JSON"),
        ("[1e99999999999999999999999]", "usage.csv: found absurd JSON"),
        ('{"resourceLogs":[]}', "usage.csv $: found no list 'data'"),
        ('{"data":[{"start_time":1,"end_time":2,"results":[]}]}', "found buckets without results"),
    ],
)
def test_bad_input_is_one_line_with_place_and_next_step(content: bytes | str, said: str) -> None:
    text = refusal("usage.csv", content)
    assert said in text
    assert ", expected " in text
    assert "; " in text


def test_a_csv_kind_that_does_not_fit_names_the_missing_column() -> None:
    assert "no column amount_value" in refusal("usage.csv", f"{USAGE_HEADER}\n", kind="cost")
    assert "expected one of" in refusal("usage.csv", f"{USAGE_HEADER}\n", kind="bill")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "1e-400", "1_000x"])
def test_amounts_are_finite_and_of_bounded_length(value: str) -> None:
    assert f"column amount_value: found '{value}'" in refusal("cost.csv", f"{COST_HEADER}\n{PERIOD},{value},usd,x\n")


def test_costs_of_the_api_are_exact_text_and_an_exact_zero_is_zero() -> None:
    amounts = ['"0.000000000000000000000000000000000000123"', '"0E-6176"', "0.06", "null"]
    results = ",".join(
        f'{{"object":"organization.costs.result","line_item":"x","amount":{{"value":{value},"currency":"usd"}}}}'
        for value in amounts
    )
    bucket = f'{{"start_time":1745366400,"end_time":1745452800,"results":[{results}]}}'
    page = f'{{"object":"page","data":[{bucket}],"has_more":true}}'
    statement = read_statement(("costs.json", page.encode()))
    assert [row.amount for row in statement.rows] == [Decimal("1.23E-37"), Decimal(0), Decimal("0.06"), None]
    assert statement.notes == ("its last page says has_more: later buckets are not in this file",)


def test_a_day_that_a_file_by_day_passes_over_is_noted() -> None:
    days = [
        f"{start},{start + 86_400},,,1,gpt-4o,False,5,6" for start in range(1745366400, 1745366400 + 4 * 86_400, 86_400)
    ]
    assert usage(*days).notes == ()
    (note,) = usage(days[0], days[3]).notes
    assert note.startswith("no bucket, not even an empty one, for 2025-04-24 and 1 more")


def test_results_of_two_endpoints_in_one_file_are_refused() -> None:
    results = ",".join(
        f'{{"object":"organization.usage.{name}.result","num_model_requests":1,"input_tokens":2}}'
        for name in ("embeddings", "moderations")
    )
    page = f'{{"data":[{{"start_time":1745366400,"end_time":1745452800,"results":[{results}]}}]}}'
    assert "expected one kind of result" in refusal("usage.json", page)


def test_books_and_other_files_are_not_statements() -> None:
    assert recognise("spool.jsonl", b'{"resourceLogs":[]}') is None
    assert recognise("notes.txt", b"hello") is None
    assert recognise("any.csv", b"start;end\n") is None
    assert recognise("cost_2026.csv", b"start_time;end_time\n") is StatementKind.COST


def is_understood(name: str, content: bytes) -> bool:
    """Whether it is a statement, or refused in one line."""
    try:
        return bool(read_statement((name, content)).variant)
    except StatementError as bad:
        return "\n" not in str(bad)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_statement_or_one_line(content: bytes) -> None:
    for name in ("export.csv", "cost_2026-01-01_2026-01-02.csv", "activity.csv"):
        assert is_understood(name, content)


@given(st.sampled_from([ACTIVITY, COST]), st.integers(0, 2000), st.binary(min_size=1, max_size=6))
def test_a_damaged_export_is_a_statement_or_one_line(file: Path, at: int, damage: bytes) -> None:
    whole = file.read_bytes()
    assert is_understood(file.name, whole[:at] + damage + whole[at + len(damage) :])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_a_statement_or_one_line(value: object) -> None:
    for document in (
        value,
        {"data": value},
        {"data": [{"start_time": 1745366400, "end_time": 1745366460, "results": value}]},
    ):
        assert is_understood("pages.json", json.dumps(document).encode())
