"""What time is it, in whole nanoseconds of UTC epoch time."""

import threading
import time
from collections.abc import Callable

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


class Clock:
    """A callable clock that a test can put forward, back or hold still.

    Nanoseconds since 1970-01-01T00:00Z. Safe to share between threads.
    """

    def __init__(self, source: Callable[[], int] = time.time_ns) -> None:
        self._source = source
        self._offset = 0
        self._held: int | None = None
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            now = self._source() if self._held is None else self._held
            return now + self._offset

    def shift(self, seconds: int) -> None:
        """Put the clock forward (or back, when negative) by whole seconds."""
        with self._lock:
            self._offset += seconds * SECOND

    def hold(self, at_seconds: int) -> None:
        """Stand still at a moment of epoch time; `shift` still moves it."""
        with self._lock:
            self._held = at_seconds * SECOND
            self._offset = 0
