"""A signed part of a bucket's variance, and the cause that holds it."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Certainty, Code
from tallyspan.reconcile.statement import StatementRow
from tallyspan.reconcile.vector import Measure, Vector


@dataclass(frozen=True, slots=True)
class Part:
    """
    What one cause holds of one bucket.

    Attributes:
        amount: Signed as the variance: positive where the statement has more.
        evidence: What shows it, a sentence each.
        absorbed: Within the bounds of marked unknowns: it does not count against the verdict.
    """

    code: Code
    certainty: Certainty
    key: Key
    amount: Vector
    evidence: tuple[str, ...]
    absorbed: bool = False


def compared(amount: Vector, blank: frozenset[Measure]) -> Vector:
    """Leave out the measures that the statement leaves blank."""
    return Vector.of({measure: n for measure, n in amount.items() if measure not in blank})


def sources(rows: Iterable[StatementRow], most: int = 3) -> str:
    """Name the rows by file and line, the first few of them."""
    names = sorted({row.source for row in rows if row.source})
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
