"""Why books and statement differ: a file for each family of causes, tried in an order that is fixed.

A cause takes a part of a bucket's variance only if its records predicted that part; what is left over stays residual.
So parts + residual = variance, for every bucket and measure, and nothing is spread.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.compare import Comparison
from tallyspan.reconcile.explain.coverage import days_without_books
from tallyspan.reconcile.explain.flagged import marked_unknowns
from tallyspan.reconcile.explain.part import Part
from tallyspan.reconcile.explain.shifted import other_days
from tallyspan.reconcile.explain.unrecorded import by_dimension, by_group, by_model
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.vector import Vector

Explainer = Callable[[Comparison, Mapping[Key, Vector], Observed], Iterable[Part]]

EXPLAINERS: Sequence[Explainer] = (
    days_without_books,
    by_dimension,
    by_model,
    other_days,
    by_group,
    marked_unknowns,
)
"""Direct evidence first; what only fits comes after."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Parts with their causes, and what is left of each bucket."""

    parts: tuple[Part, ...]
    residual: Mapping[Key, Vector]


def explain(comparison: Comparison, observed: Observed) -> Explained:
    """Let every explainer take its parts from what the ones before it left."""
    remaining = {key: bucket.variance for key, bucket in comparison.buckets.items()}
    parts: list[Part] = []
    for explainer in EXPLAINERS:
        for part in tuple(explainer(comparison, remaining, observed)):
            remaining[part.key] -= part.amount
            parts.append(part)
    return Explained(tuple(parts), remaining)
