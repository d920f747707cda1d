"""What is missing from the books, told from the books: lost entries, and writers that fell silent.

Every writer numbers its results and marks 0, 1, 2 …, so a missing number is a lost entry, and its neighbours say when.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tallyspan.books.record import Entry, Mark, MarkKind, Phase

ALIVE_INTERVAL_NS = 60 * 1_000_000_000
"""A writer that has something to say gives a sign of life once in this time."""

SILENT_INTERVALS = 3
"""So many intervals without a word, and without a goodbye, is a writer cut off."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in Unix nanoseconds; `start` is inside, `end` is not."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Numbers of one writer that are not in the books, next to each other.

    Attributes:
        first: Lowest missing number.
        last: Highest missing number.
        after_ns: When the entry before was written; None if the books begin later than the writer.
        before_ns: When the entry after was written.
    """

    writer_id: str
    first: int
    last: int
    after_ns: int | None
    before_ns: int

    @property
    def lost(self) -> int:
        """How many entries."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class CutOff:
    """A writer without an end: what it wrote after its last entry is lost, and how much that was is unknown."""

    writer_id: str
    last_ns: int


@dataclass(frozen=True, slots=True)
class Losses:
    """
    What the books say they lack inside a window.

    Attributes:
        gaps: Between two entries that are there.
        beginnings: Missing first entries; mostly files of an earlier time that were not given.
        cut_off: Writers that fell silent.
    """

    gaps: tuple[Gap, ...]
    beginnings: tuple[Gap, ...]
    cut_off: tuple[CutOff, ...]


def losses(entries: Iterable[Entry], window: Window) -> Losses:
    """Find what is missing inside the window; order and repetition of the entries do not matter."""
    seen: dict[str, dict[int, int]] = defaultdict(dict)
    last: dict[str, int] = {}
    ended: set[str] = set()
    for entry in entries:
        moment = _written_ns(entry)
        last[entry.writer_id] = max(moment, last.get(entry.writer_id, moment))
        if isinstance(entry.item, Mark) and entry.item.kind is MarkKind.END:
            ended.add(entry.writer_id)
        if entry.sequence is not None:
            times = seen[entry.writer_id]
            times[entry.sequence] = min(moment, times.get(entry.sequence, moment))
    found = [gap for writer, times in sorted(seen.items()) for gap in _gaps(writer, times)]
    inside = [gap for gap in found if _touches(gap, window)]
    return Losses(
        gaps=tuple(gap for gap in inside if gap.after_ns is not None),
        beginnings=tuple(gap for gap in inside if gap.after_ns is None),
        cut_off=tuple(
            CutOff(writer, moment)
            for writer, moment in sorted(last.items())
            if writer not in ended and _fell_silent(moment, window)
        ),
    )


def _written_ns(entry: Entry) -> int:
    """When the entry was put into the books: a result at its attempt's end."""
    if isinstance(entry.item, Mark):
        return entry.item.time_ns
    if entry.item.phase is Phase.RESULT and entry.item.ended_ns is not None:
        return entry.item.ended_ns
    return entry.item.started_ns


def _gaps(writer: str, times: Mapping[int, int]) -> list[Gap]:
    numbers: Sequence[int] = sorted(times)
    found = [
        Gap(writer, before + 1, after - 1, times[before], times[after])
        for before, after in pairwise(numbers)
        if after > before + 1
    ]
    if numbers[0] > 0:
        found.insert(0, Gap(writer, 0, numbers[0] - 1, None, times[numbers[0]]))
    return found


def _touches(gap: Gap, window: Window) -> bool:
    return gap.before_ns >= window.start and (gap.after_ns is None or gap.after_ns < window.end)


def _fell_silent(last_ns: int, window: Window) -> bool:
    silent_at = last_ns + SILENT_INTERVALS * ALIVE_INTERVAL_NS
    return window.start < silent_at <= window.end
