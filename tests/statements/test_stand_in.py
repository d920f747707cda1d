"""One ledger, many forms: every form is read to the same figures."""

from collections.abc import Mapping
from typing import Protocol

import pytest

from tallyspan.reconcile.statement import Statement, StatementKind
from tallyspan.reconcile.tally import tally
from tallyspan.statements import read_statement, recognise


class Written(Protocol):
    files: Mapping[str, bytes]
    usage_page: bytes
    cost_page: bytes


def figures(statement: Statement) -> set[tuple[object, ...]]:
    return {
        (
            *(row.start, row.end, row.project_id, row.api_key_id, row.model, row.line_item, row.amount, row.quantity),
            *(row.counts.get(name) for name in ("requests", "input", "input_cached", "output")),
        )
        for row in statement.rows
    }


@pytest.mark.parametrize("columns", [26, 24])
def test_usage_files_and_pages_say_the_same(written: Written, columns: int) -> None:
    from_file = read_statement(("export.csv", written.files[f"usage {columns}"]))
    from_page = read_statement(("pages.json", written.usage_page))
    assert from_file.rows
    assert figures(from_file) == figures(from_page)
    assert (from_file.start, from_file.end, from_file.width) == (from_page.start, from_page.end, from_page.width)
    assert from_file.variant == f"completions usage, {columns} columns"


@pytest.mark.parametrize("columns", [17, 16])
def test_cost_files_and_pages_say_the_same(written: Written, columns: int) -> None:
    from_file = read_statement(("export.csv", written.files[f"cost {columns}"]))
    from_page = read_statement(("pages.json", written.cost_page))
    assert from_file.rows
    assert figures(from_file) == figures(from_page)
    assert (from_file.variant, from_page.variant) == (f"costs, {columns} columns", "costs, API pages")


def test_nine_columns_have_the_money_of_seventeen(written: Written) -> None:
    few, many = (read_statement(("export.csv", written.files[f"cost {columns}"])) for columns in (9, 17))
    assert tally(few.rows).amounts == tally(many.rows).amounts
    assert not tally(few.rows).quantities


def test_days_without_usage_extend_the_period(written: Written) -> None:
    statement = read_statement(("export.csv", written.files["usage 26"]))
    assert statement.end - statement.start == 3 * 86_400
    assert max(row.end for row in statement.rows) < statement.end


def test_forms_are_recognised_by_content(written: Written) -> None:
    kinds = {name: recognise("any.csv", content[:4096]) for name, content in written.files.items()}
    assert kinds == {
        name: StatementKind.USAGE if name.startswith("usage") else StatementKind.COST for name in written.files
    }
    assert recognise("any.json", written.usage_page[:4096]) is StatementKind.USAGE
    assert recognise("any.json", written.cost_page[:4096]) is StatementKind.COST


@pytest.mark.parametrize(("before", "between", "after"), [(b"[", b",", b"]"), (b"", b"\n", b""), (b"", b"\n\n", b"\n")])
def test_pages_come_alone_in_an_array_or_one_a_line(
    written: Written, before: bytes, between: bytes, after: bytes
) -> None:
    alone = read_statement(("pages.json", written.usage_page))
    page = written.usage_page.replace(b"\n", b"")
    twice = read_statement(("pages.json", before + page + between + page + after))
    assert {name: 2 * count for name, count in tally(alone.rows).counts.items()} == dict(tally(twice.rows).counts)
