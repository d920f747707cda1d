"""Laws of the whole way from entries and a statement to a report."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.reconcile.checked import check, check_entries
from tests.reconcile.scenario import DAY_ONE, MODEL, NOON, entries, flagged, measured, row, statement

from tallyspan.books.record import Billable, UsageRecord
from tallyspan.reconcile.aggregate import SECOND_NS
from tallyspan.reconcile.report import Report, Verdict
from tallyspan.reconcile.statement import StatementRow
from tallyspan.reconcile.tally import DAY, day_of
from tallyspan.reconcile.vector import Vector

MODELS = (MODEL, "gpt-5-mini-2025-08-07")
TOKENS = st.tuples(st.integers(0, 50), st.integers(0, 5), st.integers(0, 50))
TIMES = st.sampled_from([NOON, DAY_ONE + DAY - 1, NOON + DAY])
RECORD_IDS = st.uuids().map(str)
RECORDS = st.lists(
    st.one_of(
        st.builds(
            measured,
            RECORD_IDS,
            at=TIMES,
            tokens=TOKENS,
            model=st.sampled_from(MODELS),
            lasts=st.sampled_from([0, 5]),
        ),
        st.builds(
            flagged,
            RECORD_IDS,
            at=TIMES,
            model=st.sampled_from(MODELS),
            billable=st.sampled_from([Billable.MAYBE, Billable.YES]),
            bounds=st.tuples(st.just(0), st.sampled_from([None, 0, 40]), st.sampled_from([0, 3]), st.just(40)),
        ),
    ),
    max_size=8,
)
ROWS = st.lists(
    st.builds(
        row,
        st.tuples(st.integers(0, 4), st.integers(0, 90), st.integers(0, 9), st.integers(0, 90)),
        day=st.sampled_from([DAY_ONE, DAY_ONE + DAY]),
        model=st.sampled_from([*MODELS, "gpt-foreign"]),
        key=st.sampled_from([None, "key_a", "key_b"]),
        project=st.sampled_from([None, "proj_a", "proj_b"]),
    ),
    max_size=6,
)


def checked(records: Sequence[UsageRecord], rows: Sequence[StatementRow]) -> Report:
    return check(records, statement(*rows, days=2))


@given(RECORDS, ROWS)
def test_statement_minus_books_is_the_variance(records: list[UsageRecord], rows: list[StatementRow]) -> None:
    report = checked(records, rows)
    for bucket in report.buckets:
        assert bucket.variance == bucket.statement - bucket.books
    assert report.totals.variance == report.totals.statement - report.totals.books
    assert report.totals.statement == Vector.sum(Vector.of(one.counts) for one in rows)


@given(RECORDS, ROWS)
def test_parts_and_residual_make_the_variance(records: list[UsageRecord], rows: list[StatementRow]) -> None:
    report = checked(records, rows)
    for bucket in report.buckets:
        assert Vector.sum(amount for _, amount in bucket.parts) + bucket.residual == bucket.variance
    claimed = [finding.amount for finding in report.findings if finding.amount is not None]
    assert Vector.sum(claimed) == report.totals.variance


@given(RECORDS, ROWS)
def test_it_agrees_only_where_every_bucket_is_equal(records: list[UsageRecord], rows: list[StatementRow]) -> None:
    report = checked(records, rows)
    if report.verdict is Verdict.AGREES:
        assert all(bucket.variance == Vector() for bucket in report.buckets)
    if report.verdict is Verdict.AGREES_WITHIN_UNKNOWNS:
        for bucket in report.buckets:
            for measure, number in bucket.variance.items():
                shifted = sum(amount[measure] for code, amount in bucket.parts if code == "S01")
                held = bucket.unknown[measure]
                assert held.low <= number - shifted <= held.finite_high


@given(RECORDS, ROWS, st.randoms(use_true_random=False))
def test_order_never_matters(records: list[UsageRecord], rows: list[StatementRow], random: Random) -> None:
    delivered, stated = entries(records), list(rows)
    random.shuffle(delivered)
    random.shuffle(stated)
    first = check_entries(entries(records), statement(*rows, days=2))
    second = check_entries(delivered, statement(*stated, days=2))
    assert second == first


@given(RECORDS, ROWS)
def test_the_same_books_twice_change_no_number(records: list[UsageRecord], rows: list[StatementRow]) -> None:
    once = check_entries(entries(records), statement(*rows, days=2))
    twice = check_entries(entries(records) * 2, statement(*rows, days=2))
    assert (twice.verdict, twice.buckets, twice.totals) == (once.verdict, once.buckets, once.totals)


@given(RECORDS)
def test_books_agree_with_the_statement_they_would_give(records: list[UsageRecord]) -> None:
    exact = [record for record in records if record.lines[0].counts]
    rows = [
        row(
            {"requests": 1, **{name.value: count for name, count in record.lines[0].counts.items()}},
            day=day_of(record.started_ns // SECOND_NS),
            model=record.lines[0].model,
        )
        for record in exact
    ]
    report = checked(exact, [])
    assert report.verdict is (Verdict.DISAGREES if exact else Verdict.NOTHING_TO_COMPARE)
    if rows:
        assert checked(exact, rows).verdict is Verdict.AGREES
