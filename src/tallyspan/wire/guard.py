"""The one guard: whatever breaks in here is said once, and never reaches the application."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")

_LOGGER = logging.getLogger("tallyspan")


class Guard:
    """
    Counts what went wrong and says each cause once.

    A cause is the place and the type of the exception, so that a fault on every call is one line in the log.
    """

    def __init__(self, say: Callable[[str], None] = _LOGGER.warning) -> None:
        self._say = say
        self._said: set[tuple[str, str]] = set()
        self.failures = 0

    def run(
        self, place: str, step: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Made | None:
        """Run a step of ours; None if it failed. What the application itself is hit by (an interrupt) goes through."""
        try:
            return step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the one place
            self.failed(place, error)
            return None

    def failed(self, place: str, error: Exception) -> None:
        """Note a fault of ours. Called from an `except` at the edge; raises nothing."""
        try:
            self.failures += 1
            cause = (place, type(error).__name__)
            if cause in self._said:
                return
            self._said.add(cause)
            self._say(
                f"tallyspan: {place} failed ({type(error).__name__}: {error}); the call goes on, its record may be "
                "missing; further faults of this cause are counted, not logged"
            )
        except Exception:  # noqa: BLE001, S110 - the guard is the last one: a broken logger must not break the call
            pass
