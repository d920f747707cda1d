"""Attempts over midnight: the statement may book them on the day they ended."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tallyspan.reconcile.aggregate import Key, Straddler
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.compare import Comparison
from tallyspan.reconcile.explain.part import Part
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.unknown import fits
from tallyspan.reconcile.vector import Vector


def other_days(comparison: Comparison, remaining: Mapping[Key, Vector], _observed: Observed) -> Iterable[Part]:
    """
    Move a model's attempts over midnight to the day they ended, all of them or none.

    Taken only if then every day that they touch is whole: the mirror is exact, up to marked unknowns.
    """
    by_model: dict[str, list[Straddler]] = defaultdict(list)
    for one in comparison.straddlers:
        by_model[one.start.model].append(one)
    for model, attempts in sorted(by_model.items()):
        moved: dict[Key, Vector] = defaultdict(Vector)
        for one in attempts:
            moved[one.start] -= one.counts
            moved[one.end] += one.counts
        if not any(remaining.get(key) for key in moved):
            continue
        if all(_whole(comparison, remaining, key, amount) for key, amount in moved.items()):
            names = ", ".join(sorted(one.record_id for one in attempts)[:3])
            evidence = (f"{len(attempts)} attempts of {model} ran over 00:00 UTC, among them {names}",)
            for key, amount in sorted(moved.items()):
                yield Part(Code.OTHER_DAY, Certainty.LIKELY, key, amount, evidence, absorbed=True)


def _whole(comparison: Comparison, remaining: Mapping[Key, Vector], key: Key, amount: Vector) -> bool:
    if key not in remaining:
        return False
    return fits(comparison.buckets[key].books.unknowns, remaining[key] - amount)
