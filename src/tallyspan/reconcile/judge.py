"""The verdict, and apart from it the gate: what the numbers say, and what the caller's build makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tallyspan.reconcile.aggregate import Key
from tallyspan.reconcile.causes import Code, Severity
from tallyspan.reconcile.compare import Bucket, Comparison
from tallyspan.reconcile.explain import Explained
from tallyspan.reconcile.explain.flagged import open_unknowns
from tallyspan.reconcile.findings import findings
from tallyspan.reconcile.observed import Observed
from tallyspan.reconcile.report import BucketReport, Coverage, Finding, Report, Totals, Verdict
from tallyspan.reconcile.unknown import Shape, bounds
from tallyspan.reconcile.vector import Measure, Vector


class FailOn(StrEnum):
    """What makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A difference that passes: at most `absolute`, or at most `share` of the statement's number."""

    absolute: int = 0
    share: Decimal = Decimal(0)

    def allows(self, difference: int, of: int) -> bool:
        """Whether the difference is small enough."""
        return abs(difference) <= self.absolute or abs(difference) <= self.share * of


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """
    When a check passes, whatever its verdict is.

    Attributes:
        requests: Tolerance of each bucket's requests.
        tokens: Tolerance of each bucket's input, cached and output tokens.
        max_unknown: The most tokens that marked unknowns may be wide, in all; None for any width.
    """

    requests: Tolerance = field(default_factory=Tolerance)
    tokens: Tolerance = field(default_factory=Tolerance)
    max_unknown: Tolerance | None = None
    fail_on: FailOn = FailOn.ERROR


def judge(comparison: Comparison, explained: Explained, observed: Observed, gate: Gate) -> Report:
    """Put the report together."""
    settled = [bucket for bucket in comparison.buckets.values() if not bucket.provisional]
    found = findings(comparison, explained, observed)
    open_ = _unabsorbed(explained, comparison)
    unknowns = _unknowns(comparison, settled, explained, observed)
    verdict, reason = _verdict(comparison, observed, settled, open_, unknowns, found)
    width = _width(settled, observed)
    code, passed = _gated(verdict, gate, settled, open_, width, found)
    residual = [explained.residual[bucket.key] for bucket in settled]
    buckets = tuple(_bucket(bucket, explained) for bucket in comparison.buckets.values())
    return Report(
        verdict=verdict,
        exit_code=code,
        reason=reason,
        passed=passed,
        start=comparison.start,
        end=comparison.end,
        coverage=_coverage(comparison),
        totals=Totals(
            statement=Vector.sum(bucket.statement for bucket in buckets),
            books=Vector.sum(bucket.books for bucket in buckets),
            variance=Vector.sum(bucket.variance for bucket in buckets),
            gross=Vector.sum(abs(bucket.variance) for bucket in buckets),
        ),
        unknowns=unknowns,
        unknown_tokens=width,
        buckets=buckets,
        findings=found,
        unexplained=Vector.sum(residual),
        unexplained_gross=Vector.sum(abs(rest) for rest in residual),
    )


def _unabsorbed(explained: Explained, comparison: Comparison) -> Mapping[Key, Vector]:
    """
    What no marked unknown can hold: for the verdict an explained difference is a difference.

    Sizes are added up without their signs, so that a part and a residual that cancel still show.
    """
    left = {key: abs(explained.residual[key]) for key in comparison.buckets}
    for part in explained.parts:
        if not part.absorbed:
            left[part.key] += abs(part.amount)
    return left


def _unknowns(comparison: Comparison, settled: Sequence[Bucket], explained: Explained, observed: Observed) -> int:
    attempts = {unknown.record_id for bucket in settled for unknown in open_unknowns(bucket)}
    days = {bucket.key for bucket in settled}
    shifted = {part.key.model for part in explained.parts if part.code is Code.OTHER_DAY and part.key in days}
    attempts |= {one.record_id for one in comparison.straddlers if one.start.model in shifted}
    return len(attempts) + sum(gap.lost for gap in observed.losses.gaps)


def _verdict(  # noqa: PLR0913, PLR0917 - the verdict looks at everything
    comparison: Comparison,
    observed: Observed,
    settled: Sequence[Bucket],
    open_: Mapping[Key, Vector],
    unknowns: int,
    found: Sequence[Finding],
) -> tuple[Verdict, str]:
    if not comparison.buckets:
        nothing = "neither books nor statement hold anything in the window"
        return Verdict.NOTHING_TO_COMPARE, next(iter(observed.uncovered), nothing)
    if not settled:
        return Verdict.NOTHING_TO_COMPARE, "no day of the window is settled; --settle 0 compares all the same"
    differing = {bucket.key for bucket in settled if open_[bucket.key]}
    if differing:
        held = sum(bool(bucket.variance) for bucket in settled if bucket.key not in differing)
        within = f", {held} more within what is marked unknown" if held else ""
        return Verdict.DISAGREES, f"{len(differing)} of {len(settled)} buckets differ{within}"
    broken = [one for one in found if one.cause.severity is Severity.ERROR and one.amount is None]
    if broken:
        return Verdict.DISAGREES, f"no difference in what was compared, but {broken[0].cause.title}"
    if unknowns:
        return Verdict.AGREES_WITHIN_UNKNOWNS, f"{len(settled)} of {len(settled)} buckets within what is marked unknown"
    return Verdict.AGREES, f"{len(settled)} of {len(settled)} buckets identical"


def _width(settled: Sequence[Bucket], observed: Observed) -> int | None:
    """How many tokens the marked unknowns may be apart; a lost entry may hold any number."""
    if observed.losses.gaps:
        return None
    total = 0
    for bucket in settled:
        for measure in (Measure.INPUT, Measure.OUTPUT):
            width = bounds(bucket.books.unknowns, measure).width
            if width is None:
                return None
            total += width
        cached = [unknown for unknown in open_unknowns(bucket) if unknown.shape is Shape.NO_CACHED_FIELD]
        total += sum(unknown.cached.finite_high for unknown in cached)
    return total


def _gated(  # noqa: PLR0913, PLR0917 - the gate looks at everything
    verdict: Verdict,
    gate: Gate,
    settled: Sequence[Bucket],
    open_: Mapping[Key, Vector],
    width: int | None,
    found: Sequence[Finding],
) -> tuple[int, str]:
    """Exit code, and why it is not the verdict's own."""
    if verdict is Verdict.NOTHING_TO_COMPARE:
        return 3, ""
    differs = verdict is Verdict.DISAGREES
    if gate.fail_on is FailOn.NEVER:
        return 0, "--fail-on never" if differs else ""
    stated = Vector.sum(bucket.statement for bucket in settled).tokens
    if gate.max_unknown is not None and (width is None or not gate.max_unknown.allows(width, stated)):
        return 1, "--max-unknown is exceeded"
    if gate.fail_on is FailOn.WARNING and any(one.cause.severity >= Severity.WARNING for one in found):
        return 1, "" if differs else "--fail-on warning"
    broken = any(one.cause.severity is Severity.ERROR and one.amount is None for one in found)
    if differs and not broken and all(_tolerated(gate, bucket, open_[bucket.key]) for bucket in settled):
        return 0, "every difference is within the tolerance"
    return int(differs), ""


def _tolerated(gate: Gate, bucket: Bucket, difference: Vector) -> bool:
    return all(
        (gate.requests if measure is Measure.REQUESTS else gate.tokens).allows(number, bucket.statement[measure])
        for measure, number in difference.items()
    )


def _bucket(bucket: Bucket, explained: Explained) -> BucketReport:
    return BucketReport(
        key=bucket.key,
        provisional=bucket.provisional,
        statement=bucket.statement,
        books=bucket.books.measured,
        variance=bucket.variance,
        unknown={measure: bounds(bucket.books.unknowns, measure) for measure in Measure},
        parts=tuple((part.code, part.amount) for part in explained.parts if part.key == bucket.key),
        residual=explained.residual[bucket.key],
        blank=bucket.blank,
    )


def _coverage(comparison: Comparison) -> Coverage:
    buckets = comparison.buckets.values()
    days = {bucket.key.day for bucket in buckets if bucket.statement}
    return Coverage(
        days=len(days),
        days_with_books=len(days & comparison.table.days),
        requests=sum(bucket.statement.requests for bucket in buckets),
        requests_with_books=sum(min(bucket.statement.requests, bucket.books.measured.requests) for bucket in buckets),
        tokens=sum(bucket.statement.tokens for bucket in buckets),
        tokens_with_books=sum(
            min(bucket.statement.input, bucket.books.measured.input)
            + min(bucket.statement.output, bucket.books.measured.output)
            for bucket in buckets
        ),
        provisional_days=len({bucket.key.day for bucket in buckets if bucket.provisional}),
        records=comparison.table.records,
    )
