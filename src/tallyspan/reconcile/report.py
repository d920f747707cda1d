"""What a check found, ready to be shown; frozen, and free of any form of output."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import CAUSES, Cause, Certainty, Code
from tallyspan.reconcile.vector import Interval, Measure, Vector


class Verdict(StrEnum):
    """Whether books and statement say the same."""

    AGREES = "agrees"
    AGREES_WITHIN_UNKNOWNS = "agrees_within_unknowns"
    DISAGREES = "disagrees"
    NOTHING_TO_COMPARE = "nothing_to_compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One cause, with all the buckets it touches.

    Attributes:
        certainty: How far it is shown; None for what is unexplained.
        amount: What it holds of the variance, signed; None if nothing was shown to be its.
        bounds: What it may hold; None if it has no numbers. An interval without a high is unbounded.
        places: Buckets, in order.
        evidence: What shows it, a sentence each.
    """

    code: Code
    certainty: Certainty | None
    amount: Vector | None = None
    bounds: Mapping[Measure, Interval] | None = None
    places: tuple[Key, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def cause(self) -> Cause:
        """The row of the table."""
        return CAUSES[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketReport:
    """
    One day and model.

    Attributes:
        unknown: What the books' unknowns may add.
        parts: Codes with what they hold; with `residual` they sum to `variance`.
        blank: Measures that the statement leaves blank.
    """

    key: Key
    provisional: bool
    statement: Vector
    books: Vector
    variance: Vector
    unknown: Mapping[Measure, Interval]
    parts: tuple[tuple[Code, Vector], ...]
    residual: Vector
    blank: frozenset[Measure] = frozenset()

    @property
    def agrees(self) -> bool:
        """Whether there is no difference at all."""
        return not self.variance and not self.residual and not self.parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """
    How much of the statement the books know of; the first thing to look at.

    Attributes:
        days: UTC days with usage on the statement.
        days_with_books: Those of them with at least one record.
        requests: On the statement.
        requests_with_books: Of them, matched by a recorded one, bucket by bucket.
        tokens: Input and output on the statement.
        tokens_with_books: Of them, matched.
        provisional_days: Days of the window that are not settled.
        records: Records of the window that were compared.
    """

    days: int
    days_with_books: int
    requests: int
    requests_with_books: int
    tokens: int
    tokens_with_books: int
    provisional_days: int
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over all buckets; `gross` is the sum of the absolute differences, so that opposite errors show."""

    statement: Vector
    books: Vector
    variance: Vector
    gross: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    The result of one check.

    Attributes:
        reason: Why the verdict is what it is, in a sentence.
        passed: Why the exit code differs from the verdict's own (a tolerance, a gate); empty if it does not.
        start: Unix seconds, inclusive.
        end: Unix seconds, exclusive.
        unknowns: Attempts and entries that are marked unknown, in settled days.
        unknown_tokens: Their width in tokens; None if there is no end to it.
        unexplained: Sum of the residuals of settled days; `unexplained_gross` of their absolute values.
        inputs: Files and what they are, a line each.
        notes: What the readers tolerated.
    """

    verdict: Verdict
    exit_code: int
    reason: str
    passed: str
    start: int
    end: int
    coverage: Coverage
    totals: Totals
    unknowns: int
    unknown_tokens: int | None
    buckets: tuple[BucketReport, ...]
    findings: tuple[Finding, ...]
    unexplained: Vector
    unexplained_gross: Vector
    inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
