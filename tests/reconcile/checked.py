"""The whole pure way, from entries to a report."""

from collections.abc import Iterable, Sequence

from tests.reconcile.scenario import NOW, entries

from tallyspan.books.gaps import Window, losses
from tallyspan.books.merge import merge
from tallyspan.books.record import Entry, UsageRecord
from tallyspan.reconcile.aggregate import SECOND_NS, aggregate
from tallyspan.reconcile.compare import Settling, compare
from tallyspan.reconcile.explain import explain
from tallyspan.reconcile.judge import Gate, judge
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.report import Report
from tallyspan.reconcile.statement import Statement


def check_entries(written: Iterable[Entry], stated: Statement, gate: Gate | None = None, now: int = NOW) -> Report:
    """Check entries as they were delivered."""
    delivered = list(written)
    merged = merge(delivered)
    table = aggregate(merged.records, stated.start, stated.end)
    comparison = compare(table, stated, stated.start, stated.end, Settling(now))
    lost = losses(delivered, Window(stated.start * SECOND_NS, stated.end * SECOND_NS))
    observed = Observed(merged=merged, losses=lost)
    return judge(comparison, explain(comparison, observed), observed, gate or Gate())


def check(records: Sequence[UsageRecord], stated: Statement, gate: Gate | None = None, now: int = NOW) -> Report:
    """Check records of one writer."""
    return check_entries(entries(records), stated, gate, now)
