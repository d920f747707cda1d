"""The four numbers that books and a usage export both know of a bucket, and intervals of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tallyspan.books.quantities import Quantity


class Measure(StrEnum):
    """What is compared. Cached tokens are a part of the input, never added to it."""

    REQUESTS = "requests"
    INPUT = Quantity.INPUT.value
    INPUT_CACHED = Quantity.INPUT_CACHED.value
    OUTPUT = Quantity.OUTPUT.value


@dataclass(frozen=True, slots=True)
class Vector:
    """One whole number for each measure; differences may be negative."""

    requests: int = 0
    input: int = 0
    input_cached: int = 0
    output: int = 0

    @staticmethod
    def of(counts: Mapping[str, int]) -> "Vector":
        """Take the measures out of a row of counts; a name that is absent gives 0 here."""
        return Vector(*(counts.get(measure, 0) for measure in Measure))

    @staticmethod
    def sum(vectors: Iterable["Vector"]) -> "Vector":
        """Add them up."""
        total = Vector()
        for vector in vectors:
            total += vector
        return total

    def items(self) -> list[tuple[Measure, int]]:
        """Measures with their numbers, in the order of the columns."""
        values = (self.requests, self.input, self.input_cached, self.output)
        return list(zip(Measure, values, strict=True))

    def __getitem__(self, measure: Measure) -> int:
        return dict(self.items())[measure]

    def __add__(self, other: "Vector") -> "Vector":
        return Vector(
            self.requests + other.requests,
            self.input + other.input,
            self.input_cached + other.input_cached,
            self.output + other.output,
        )

    def __neg__(self) -> "Vector":
        return Vector(-self.requests, -self.input, -self.input_cached, -self.output)

    def __sub__(self, other: "Vector") -> "Vector":
        return self + -other

    def __abs__(self) -> "Vector":
        return Vector(abs(self.requests), abs(self.input), abs(self.input_cached), abs(self.output))

    def __bool__(self) -> bool:
        return self != Vector()

    @property
    def tokens(self) -> int:
        """Input and output; the cached ones are inside the input."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Interval:
    """
    At least `low`, at most `high`; without a high it has no upper bound.

    An interval without an upper bound explains no more than its `low`: what has no bound shows nothing.
    """

    low: int = 0
    high: int | None = 0

    @staticmethod
    def exactly(number: int) -> "Interval":
        """No doubt at all."""
        return Interval(number, number)

    @property
    def finite_high(self) -> int:
        """The most that may be claimed."""
        return self.low if self.high is None else self.high

    def __add__(self, other: "Interval") -> "Interval":
        high = None if self.high is None or other.high is None else self.high + other.high
        return Interval(self.low + other.low, high)

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.finite_high

    @property
    def width(self) -> int | None:
        """How much is unknown; None if there is no end to it."""
        return None if self.high is None else self.high - self.low
