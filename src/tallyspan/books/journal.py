"""Who writes, and how the entries are numbered, so that a reader can tell that one is missing."""

from collections.abc import Callable
from itertools import count, repeat

from tallyspan.books.record import Entry, Mark, MarkKind, UsageRecord

ALIVE_EVERY_NS = 60 * 1_000_000_000

Outlet = Callable[[Entry], None]


class Journal:
    """
    The books of one process.

    Nothing is written, and no writer exists for a reader, before the first record. Safe to call from any thread: the
    numbers come from `itertools.count`, whose steps are atomic, and no lock is held while the outlet works. An entry
    whose outlet raises has used up its number, and shows as lost.

    Args:
        outlet: Takes each entry, in the thread that made it.
        clock_ns: Unix nanoseconds.
        new_id: A random id, never the same twice, not even after a fork.
    """

    def __init__(self, outlet: Outlet, clock_ns: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._outlet = outlet
        self._clock_ns = clock_ns
        self._new_id = new_id
        self.reset()

    def reset(self) -> None:
        """Begin again as a new writer. To be called in a forked child, before it writes."""
        self._writer_id = self._new_id()
        self._numbers = count(1)  # 0 is the start mark's, whoever writes it
        self._to_start = repeat(None, 1)
        self._silent_since_ns = 0
        self._open = False

    def intent(self, record: UsageRecord) -> None:
        """Write that an attempt is about to be sent. Takes no number: its result replaces it."""
        self._begin()
        self._outlet(Entry(self._writer_id, None, record))

    def result(self, record: UsageRecord) -> None:
        """Write what became of an attempt."""
        self._begin()
        self._outlet(Entry(self._writer_id, next(self._numbers), record))

    def tick(self, now_ns: int) -> None:
        """Give a sign of life if the last mark is a minute old. To be called now and then while the process lives."""
        if self._open and now_ns - self._silent_since_ns >= ALIVE_EVERY_NS:
            self._mark(MarkKind.ALIVE, next(self._numbers), now_ns)

    def close(self) -> None:
        """Say that the writer ends. A record that comes later opens it again, to be closed once more."""
        if self._open:
            self._open = False
            self._mark(MarkKind.END, next(self._numbers), self._clock_ns())

    def _begin(self) -> None:
        if not self._open:
            self._open = True
            for _ in self._to_start:  # gives itself to one thread only
                self._mark(MarkKind.START, 0, self._clock_ns())

    def _mark(self, kind: MarkKind, number: int, now_ns: int) -> None:
        self._silent_since_ns = now_ns
        self._outlet(Entry(self._writer_id, number, Mark(kind, now_ns)))
