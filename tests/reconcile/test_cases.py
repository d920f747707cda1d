"""Books and an export on disk, and beside them what `check` says of them.

A folder is a case; pytest's `--inline-snapshot=fix` writes anew what is expected, to be read before it is committed.
The report stands there whole, so a reader can do the sums.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import external_file
from tests.reconcile.scenario import NOW

from tallyspan.cli.check import check
from tallyspan.cli.options import CheckOptions
from tallyspan.ledger import read_books
from tallyspan.reconcile.causes import CAUSES
from tallyspan.reconcile.report import Report
from tallyspan.render.terminal import check_screen
from tallyspan.statements import merge, read_statement

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


def report_of(case: Path) -> Report:
    books = read_books([("books.jsonl", (case / "books.jsonl").read_bytes())])
    statement = read_statement(("usage.csv", (case / "usage.csv").read_bytes()), "completions_usage")
    (merged,) = merge([statement])
    return check(books, merged, CheckOptions(), NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    found = check_screen(report_of(case), verbose=True)
    assert found == external_file(f"cases/{case.name}/expected.txt", format=".txt")


def test_every_cause_of_the_table_has_a_case() -> None:
    shown = {finding.code for case in CASES for finding in report_of(case).findings}
    asked = {"C02"}  # days without an export: a question of the command line, in tests/cli
    assert {code.value for code in shown} | asked == {code.value for code in CAUSES}


def test_no_finding_is_more_certain_than_its_cause_can_be() -> None:
    order = ["possible", "likely", "proven"]
    for case in CASES:
        for finding in report_of(case).findings:
            if finding.certainty is not None:
                assert order.index(finding.certainty) <= order.index(finding.cause.highest), (case.name, finding)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_screen_is_a_hundred_columns_wide(case: Path) -> None:
    screen = check_screen(replace(report_of(case), findings=()))
    wide = [line for line in screen.splitlines() if len(re.sub(r"\s+why.*|  [A-Z]\d\d.*", "", line)) > 100]
    assert not wide
