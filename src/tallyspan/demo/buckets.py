"""How does a ledger fall into buckets of time and groups of callers?"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.clock import SECOND
from tallyspan.demo.tokens import Usage

WIDTHS: Final = {"1m": 60, "1h": 3600, "1d": 86_400}

# What a row can be grouped by. The stand-in has no batches and no agents.
DIMENSIONS: Final[Mapping[str, Callable[[LedgerRow], object]]] = {
    "project_id": lambda row: row.project_id,
    "user_id": lambda row: row.user_id,
    "api_key_id": lambda row: row.api_key_id,
    "model": lambda row: row.model_served,
    "batch": lambda _: False,
    "service_tier": lambda row: row.service_tier,
    "api_source": lambda _: "unlabeled",
}


@dataclass(frozen=True, slots=True)
class View:
    """What of the ledger is looked at: epoch seconds, `until` exclusive.

    `as_of_ns` is the moment of looking: what settles later is not there yet. `only` keeps the rows
    whose dimension is among the values.
    """

    since: int
    until: int
    as_of_ns: int
    width: str = "1d"
    group_by: tuple[str, ...] = ()
    only: Mapping[str, frozenset[object]] = field(default_factory=dict[str, frozenset[object]])

    @property
    def seconds(self) -> int:
        """The width of a bucket."""
        return WIDTHS[self.width]

    def starts(self) -> range:
        """Return the starts of all buckets."""
        first = self.since // self.seconds * self.seconds
        return range(first, self.until, self.seconds)

    def start_of(self, row: LedgerRow) -> int:
        """Return the start of the bucket that a row is booked in."""
        return row.booked_ns // SECOND // self.seconds * self.seconds

    def group_of(self, row: LedgerRow) -> tuple[object, ...]:
        """Return the row's group, a value for each dimension grouped by."""
        return tuple(DIMENSIONS[name](row) for name in self.group_by)

    def rows(self, ledger: Iterable[LedgerRow], *, costs: bool) -> Iterator[LedgerRow]:
        """Yield OpenAI's billed rows that lie in the window and show by now."""
        for row in ledger:
            seen_ns = row.cost_seen_ns if costs else row.usage_seen_ns
            shown = row.billed and row.provider == "openai" and seen_ns <= self.as_of_ns
            if (
                shown
                and self.since <= row.booked_ns // SECOND < self.until
                and all(DIMENSIONS[name](row) in kept for name, kept in self.only.items())
            ):
                yield row


@dataclass(slots=True)
class Sums:
    """What a group adds up to."""

    requests: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, row: LedgerRow) -> None:
        """Count one more row."""
        self.requests += row.requests
        self.usage = self.usage.plus(row.usage)


def sums(ledger: Iterable[LedgerRow], view: View, report: str) -> dict[int, dict[tuple[object, ...], Sums]]:
    """Return bucket start → group → sums, with every bucket of the window, empty ones too."""
    found: dict[int, dict[tuple[object, ...], Sums]] = {start: {} for start in view.starts()}
    for row in view.rows(ledger, costs=False):
        if row.report == report:
            groups = found[view.start_of(row)]
            groups.setdefault(view.group_of(row), Sums()).add(row)
    return {
        start: dict(sorted(groups.items(), key=lambda item: [str(part) for part in item[0]]))
        for start, groups in found.items()
    }
