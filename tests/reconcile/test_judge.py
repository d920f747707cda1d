"""The verdict says what the numbers say; the gate says what passes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.reconcile.checked import check, check_entries
from tests.reconcile.scenario import DAY_ONE, MODEL, NOON, NOW, entries, flagged, measured, row, statement

from tallyspan.books.record import Billable, Entry, Mark, MarkKind, Reason
from tallyspan.reconcile.aggregate import SECOND_NS
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.judge import FailOn, Gate, Tolerance
from tallyspan.reconcile.report import Verdict
from tallyspan.reconcile.tally import DAY
from tallyspan.reconcile.vector import Vector

TWO = [measured("a"), measured("b")]
EQUAL = statement(row((2, 200, 0, 20)))
MORE = statement(row((3, 320, 0, 25)))
FLAGGED = [*TWO, flagged("c")]
TENTH = Tolerance(share=Decimal("0.1"))


def test_equal_numbers_agree() -> None:
    report = check(TWO, EQUAL)
    assert (report.verdict, report.exit_code, report.unknowns) == (Verdict.AGREES, 0, 0)


def test_an_explained_difference_is_a_difference() -> None:
    report = check(TWO, statement(row((2, 200, 0, 20)), row((1, 9, 0, 9), model="gpt-foreign")))
    assert report.verdict is Verdict.DISAGREES
    assert report.unexplained == Vector()
    assert report.exit_code == 1


@pytest.mark.parametrize("change", [Vector(1), Vector(input=1), Vector(input_cached=1), Vector(output=1)])
def test_one_more_or_less_of_anything_disagrees(change: Vector) -> None:
    stated = Vector(2, 200, 5, 20)
    books = [measured("a", tokens=(100, 5, 10)), measured("b")]
    for sign in (change, -change):
        numbers = stated + sign
        report = check(books, statement(row((numbers.requests, numbers.input, numbers.input_cached, numbers.output))))
        assert report.verdict is Verdict.DISAGREES


def test_a_model_is_not_proven_foreign_while_the_books_have_too_much_of_another() -> None:
    ended = [*entries([measured("a", model="my-name-for-it")]), Entry("w1", 1, Mark(MarkKind.END, NOON * SECOND_NS))]
    report = check_entries(ended, statement(row((1, 100, 0, 10))))
    (foreign,) = [finding for finding in report.findings if finding.code is Code.NOT_RECORDED]
    assert foreign.certainty is Certainty.LIKELY


def test_a_day_that_is_not_settled_has_nothing_unexplained() -> None:
    books = [*TWO, measured("c", at=NOON + DAY)]
    stated = statement(row((2, 200, 0, 20)), row((3, 300, 0, 30), day=DAY_ONE + DAY), days=2)
    report = check(books, stated, now=DAY_ONE + 2 * DAY + DAY // 2)
    assert (report.verdict, report.totals.variance) == (Verdict.AGREES, Vector(2, 200, 0, 20))
    assert Code.UNEXPLAINED not in {finding.code for finding in report.findings}


def test_a_flag_explains_no_variance_of_the_other_direction() -> None:
    report = check(FLAGGED, statement(row((1, 100, 0, 10))))
    assert report.verdict is Verdict.DISAGREES
    assert report.unexplained == Vector(-1, -100, 0, -10)


def test_a_flag_of_one_model_explains_nothing_of_another_on_the_same_day() -> None:
    other = "gpt-5-mini-2025-08-07"
    books = [measured("a"), flagged("b", model=MODEL), measured("c", model=other)]
    report = check(books, statement(row((1, 100, 0, 10)), row((2, 200, 0, 20), model=other)))
    assert report.verdict is Verdict.DISAGREES
    assert report.unexplained == Vector(1, 100, 0, 10)


def test_a_flag_of_one_day_explains_nothing_of_another() -> None:
    books = [measured("a"), flagged("b", model=MODEL), measured("c", at=NOON + DAY)]
    report = check(books, statement(row((1, 100, 0, 10)), row((2, 200, 0, 20), day=DAY_ONE + DAY), days=2))
    assert report.verdict is Verdict.DISAGREES


def test_a_certain_flag_with_a_least_can_not_be_worth_nothing() -> None:
    certain = flagged("c", billable=Billable.YES, reason=Reason.CLOSED_EARLY, bounds=(50, 90, 0, 5), model=MODEL)
    report = check([*TWO, certain], statement(row((3, 200, 0, 20))))
    assert report.verdict is Verdict.DISAGREES
    assert report.unexplained == Vector(input=-50)


def test_lost_entries_explain_nothing_and_are_marked() -> None:
    lost = [Entry("w1", 0, TWO[0]), Entry("w1", 2, TWO[1])]
    assert check_entries(lost, MORE).verdict is Verdict.DISAGREES
    report = check_entries(lost, EQUAL)
    assert (report.verdict, report.unknowns, report.unknown_tokens) == (Verdict.AGREES_WITHIN_UNKNOWNS, 1, None)


def test_days_that_are_not_settled_are_shown_and_not_judged() -> None:
    stated = statement(row((2, 200, 0, 20)), row((9, 9, 9, 9), day=DAY_ONE + DAY), days=2)
    books = [*TWO, measured("late", at=NOON + DAY)]
    early, late = DAY_ONE + 2 * DAY + 3600, NOW
    assert check(books, stated, now=late).verdict is Verdict.DISAGREES
    report = check(books, stated, now=early)
    assert report.verdict is Verdict.AGREES
    assert [bucket.provisional for bucket in report.buckets] == [False, True]
    assert report.unexplained == Vector()
    assert Code.PROVISIONAL in {finding.code for finding in report.findings}


def test_books_that_hold_nothing_of_the_window_disagree() -> None:
    report = check([], EQUAL)
    assert (report.verdict, report.exit_code) == (Verdict.DISAGREES, 1)
    assert report.coverage.days_with_books == 0


def test_a_statement_that_holds_nothing_disagrees_with_books_that_do() -> None:
    assert check(TWO, statement()).verdict is Verdict.DISAGREES


def test_nothing_on_both_sides_is_nothing_to_compare() -> None:
    report = check([], statement())
    assert (report.verdict, report.exit_code) == (Verdict.NOTHING_TO_COMPARE, 3)


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (Gate(), 1),
        (Gate(requests=Tolerance(1), tokens=Tolerance(120)), 0),
        (Gate(requests=Tolerance(1), tokens=Tolerance(119)), 1),
        (Gate(tokens=Tolerance(120)), 1),
        (Gate(requests=Tolerance(1), tokens=Tolerance(share=Decimal("0.375"))), 0),
        (Gate(requests=Tolerance(1), tokens=Tolerance(share=Decimal("0.374"))), 1),
        (Gate(fail_on=FailOn.NEVER), 0),
        (Gate(requests=Tolerance(1), tokens=Tolerance(120), fail_on=FailOn.WARNING), 1),
    ],
)
def test_a_tolerance_changes_the_exit_code_and_never_the_verdict(gate: Gate, code: int) -> None:
    report = check(TWO, MORE, gate)
    assert report.exit_code == code
    assert report.verdict is Verdict.DISAGREES
    assert bool(report.passed) is (code == 0)


def test_a_tolerance_is_for_each_bucket_and_sees_both_signs() -> None:
    books = [*TWO, measured("c", project="p1"), measured("d", project="p1")]
    hidden = statement(row((2, 200, 0, 20), project="p1"), row((2, 200, 0, 20), project="p2"))
    named = [measured(record.record_id, project="p1") for record in books]
    report = check(named, hidden, Gate(requests=Tolerance(3), tokens=Tolerance(399)))
    assert report.totals.variance == Vector()
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("most", "code"),
    [(None, 0), (Tolerance(1500), 0), (Tolerance(1499), 1), (TENTH, 1), (Tolerance(share=Decimal(5)), 0)],
)
def test_the_width_of_what_is_unknown_can_be_gated(most: Tolerance | None, code: int) -> None:
    report = check(FLAGGED, MORE, Gate(max_unknown=most))
    assert report.verdict is Verdict.AGREES_WITHIN_UNKNOWNS
    assert report.unknown_tokens == 1500
    assert report.exit_code == code


def test_a_width_without_an_end_passes_no_gate() -> None:
    books = [*TWO, flagged("c", bounds=(0, 10, 0, None))]
    report = check(books, EQUAL, Gate(max_unknown=Tolerance(10**12)))
    assert report.verdict is Verdict.AGREES_WITHIN_UNKNOWNS
    assert report.exit_code == 1


def test_warnings_fail_a_gate_that_asks_for_them() -> None:
    assert check(FLAGGED, MORE, Gate(fail_on=FailOn.WARNING)).exit_code == 1
    assert check(FLAGGED, MORE, Gate(fail_on=FailOn.NEVER)).exit_code == 0


def test_a_contradiction_never_passes_by_tolerance() -> None:
    books = entries([*TWO, measured("b", tokens=(1, 0, 1))])
    report = check_entries(books, statement(row((1, 100, 0, 10))), Gate(requests=Tolerance(9), tokens=Tolerance(999)))
    assert (report.verdict, report.exit_code) == (Verdict.DISAGREES, 1)


def test_an_export_pulled_early_is_not_settled_by_waiting() -> None:
    pulled = replace(MORE, pulled_at=DAY_ONE + DAY + 3600)
    assert check(TWO, pulled, now=NOW).verdict is Verdict.NOTHING_TO_COMPARE
    assert check(TWO, replace(MORE, pulled_at=DAY_ONE + 2 * DAY), now=NOW).verdict is Verdict.DISAGREES
