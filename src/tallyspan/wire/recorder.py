"""What every call needs to be recorded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tallyspan.books.sink import Sink
from tallyspan.usage.ending import Ending
from tallyspan.usage.scan import NOTHING_SEEN, Loads, Seen
from tallyspan.wire.closing import Closing
from tallyspan.wire.guard import Guard
from tallyspan.wire.policy import Policy


class Open(Protocol):
    """An attempt whose end was not seen yet."""

    def finish(self, ending: Ending, seen: Seen) -> None: ...
    def forget(self) -> None: ...


@dataclass(eq=False, kw_only=True)
class Recorder:
    """One for each time the plugin is switched on."""

    policy: Policy
    sink: Sink
    guard: Guard
    closing: Closing
    clock_ns: Callable[[], int]
    new_id: Callable[[], str]
    loads: Loads
    open_attempts: set[Open] = field(default_factory=set[Open])

    def close_open(self) -> None:
        """End what is still open when the process exits, or the plugin is switched off: nobody will see its end."""
        for attempt in list(self.open_attempts):
            self.guard.run("exit", attempt.finish, Ending.UNOBSERVED, NOTHING_SEEN)

    def forget_open(self) -> None:
        """Leave what is open to the parent, in a forked child: its record is written once."""
        for attempt in list(self.open_attempts):
            attempt.forget()
        self.open_attempts.clear()
