"""Attempts whose usage is unknown: they may hold a variance within their bounds, and no more."""

from collections.abc import Iterable, Mapping, Sequence

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.compare import Bucket, Comparison
from tallyspan.reconcile.explain.part import Part, compared
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.unknown import Shape, Unknown, fits, least
from tallyspan.reconcile.vector import Vector

CODES: Mapping[Shape, Code] = {
    Shape.UNREPORTED: Code.USAGE_NOT_IN_ANSWER,
    Shape.RETRIED: Code.RETRIED,
    Shape.UNANSWERED: Code.UNANSWERED,
    Shape.NO_CACHED_FIELD: Code.CACHED_NOT_REPORTED,
}


def code_of(unknowns: Sequence[Unknown]) -> Code:
    """Name the cause that these unknowns have in common."""
    shapes = {unknown.shape for unknown in unknowns}
    return CODES[shapes.pop()] if len(shapes) == 1 else Code.SEVERAL_UNKNOWNS


def marked_unknowns(comparison: Comparison, remaining: Mapping[Key, Vector], _observed: Observed) -> Iterable[Part]:
    """
    Take a bucket's variance whole if its unknowns can hold it, else only what they hold at least.

    What certainly was charged adds its lower bounds whatever the statement says: a statement without them disagrees.
    """
    for key, variance in remaining.items():
        bucket = comparison.buckets[key]
        unknowns = bucket.books.unknowns
        if not unknowns:
            continue
        whole = fits(unknowns, variance)
        amount = variance if whole else compared(least(unknowns), bucket.blank)
        if amount:
            holders = _holders(unknowns, amount)
            yield Part(code_of(holders), Certainty.LIKELY, key, amount, evidence_of(holders), absorbed=True)


def _holders(unknowns: Sequence[Unknown], amount: Vector) -> Sequence[Unknown]:
    """Leave out those whose cached part alone is unknown if no cached tokens are at stake."""
    others = [unknown for unknown in unknowns if unknown.shape is not Shape.NO_CACHED_FIELD]
    return unknowns if amount.input_cached or not others else others


def open_unknowns(bucket: Bucket) -> Sequence[Unknown]:
    """
    Give the unknowns of a bucket that the statement does not settle.

    Cached parts can not be negative: where their sum is as stated without them, each of them is 0.
    """
    if bucket.variance.input_cached:
        return bucket.books.unknowns
    return [unknown for unknown in bucket.books.unknowns if unknown.shape is not Shape.NO_CACHED_FIELD]


def evidence_of(unknowns: Sequence[Unknown], most: int = 3) -> tuple[str, ...]:
    """Say how many, why, and which."""
    reasons = sorted({unknown.reason for unknown in unknowns})
    counted = ", ".join(f"{sum(u.reason == reason for u in unknowns)} {reason}" for reason in reasons)
    names = ", ".join(sorted({unknown.record_id for unknown in unknowns})[:most])
    return (f"{len(unknowns)} without usage ({counted}), among them {names}",)
