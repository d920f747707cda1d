"""What the books know that they do not know: attempts without usage, each with its bounds.

An unknown that certainly was charged adds at least its lower bounds. One that may have been charged adds nothing, or
one request and tokens within its bounds: so the tokens it may hold are tied to the requests it holds, and a flag
can not absorb tokens of a request that the statement does not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import comb

from tallyspan.reconcile.vector import Interval, Measure, Vector


class Shape(StrEnum):
    """What kind of ignorance an unknown is."""

    UNREPORTED = "unreported"
    """The provider answered, and the usage was not in the answer."""
    RETRIED = "retried"
    """The attempt failed, and the client sent the same request again."""
    UNANSWERED = "unanswered"
    """The attempt ended without an answer, or nobody saw how it ended."""
    NO_CACHED_FIELD = "no_cached_field"
    """Measured, but the provider did not say how much of the input was cached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """
    One attempt, or one missing field of it.

    Attributes:
        certain: Whether the provider charged it; if so, its requests are in the measured sums already.
        requests: How many requests it may add; 0 if it is certain.
        input: Tokens it adds if it was charged.
        cached: Cached part of that input.
        output: Tokens it adds if it was charged.
        reason: The record's own word (`timed_out`, …).
        model_known: Whether the provider, or a sibling, named the model; else it is the requested one.
    """

    record_id: str
    shape: Shape
    certain: bool
    requests: int
    input: Interval
    cached: Interval
    output: Interval
    reason: str
    model_known: bool = True

    def holds(self, measure: Measure) -> Interval:
        """What it adds if it was charged."""
        return {
            Measure.REQUESTS: Interval(0, self.requests),
            Measure.INPUT: self.input,
            Measure.INPUT_CACHED: self.cached,
            Measure.OUTPUT: self.output,
        }[measure]


TRIED_AT_MOST = 5000
"""Choices of charged attempts that are tried one by one; beyond that only the sums of their bounds are compared."""

TOKENS = (Measure.INPUT, Measure.INPUT_CACHED, Measure.OUTPUT)


def bounds(unknowns: Sequence[Unknown], measure: Measure) -> Interval:
    """Everything they may add to a measure, whichever of them were charged."""
    total = Interval()
    for unknown in unknowns:
        held = unknown.holds(measure)
        total += held if unknown.certain else Interval(0, held.high)
    return total


def least(unknowns: Sequence[Unknown]) -> Vector:
    """What they add at least: the lower bounds of those that certainly were charged."""
    return Vector(0, *(bounds(unknowns, measure).low for measure in TOKENS))


def fits(unknowns: Sequence[Unknown], variance: Vector) -> bool:
    """
    Whether the unknowns can hold exactly this variance, all measures at once and within finite bounds.

    The number of requests says how many of the doubtful attempts were charged; the tokens must be what so many of
    them can hold, and no more of the input can be cached than there is input.
    """
    if not unknowns:
        return not variance
    charged = variance.requests
    doubtful = [unknown for unknown in unknowns if not unknown.certain]
    if not 0 <= charged <= sum(unknown.requests for unknown in doubtful):
        return False
    certain = [unknown for unknown in unknowns if unknown.certain]
    single = all(unknown.requests == 1 for unknown in doubtful)
    if single and comb(len(doubtful), charged) <= TRIED_AT_MOST:
        return any(_holds((*certain, *chosen), variance) for chosen in combinations(doubtful, charged))
    return _cached_within_input(unknowns, variance) and all(
        variance[measure] in bounds(certain, measure) + _of_charged(doubtful, measure, charged) for measure in TOKENS
    )


def _holds(charged: Sequence[Unknown], variance: Vector) -> bool:
    """Whether exactly these attempts, all charged, can hold the tokens."""
    return _cached_within_input(charged, variance) and all(
        variance[measure] in sum((unknown.holds(measure) for unknown in charged), Interval()) for measure in TOKENS
    )


def _of_charged(doubtful: Sequence[Unknown], measure: Measure, charged: int) -> Interval:
    """What `charged` requests among many doubtful ones can hold: the largest at most; at least nothing is claimed."""
    highs = sorted((unknown.holds(measure).finite_high for unknown in doubtful), reverse=True)
    return Interval(0, sum(highs[:charged]))


def _cached_within_input(charged: Sequence[Unknown], variance: Vector) -> bool:
    """No more can be cached than there is input, that of the attempts whose cached part alone is unknown included."""
    measured_input = sum(unknown.cached.finite_high for unknown in charged if unknown.shape is Shape.NO_CACHED_FIELD)
    return variance.input_cached <= variance.input + measured_input
