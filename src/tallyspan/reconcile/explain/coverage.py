"""Days that the statement knows and the books do not."""

from collections.abc import Iterable, Mapping

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.compare import Comparison
from tallyspan.reconcile.explain.part import Part, sources
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.vector import Vector


def days_without_books(comparison: Comparison, remaining: Mapping[Key, Vector], _observed: Observed) -> Iterable[Part]:
    """Take everything of a day of which the books hold no record."""
    for key, variance in remaining.items():
        if variance and key.day not in comparison.table.days:
            evidence = (
                f"no record of this day that may have been charged; statement: {sources(comparison.buckets[key].rows)}",
            )
            yield Part(Code.DAY_WITHOUT_BOOKS, Certainty.PROVEN, key, variance, evidence)
