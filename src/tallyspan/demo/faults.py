"""Which fault does an attempt get, and who asked for it?

A script is what one attempt suffers: names joined with `+`, a number after a colon
(`gzip+cut:3`). Several attempts of one call are separated by commas (`429,timeout,ok`); the last
script stays for all attempts that follow.
"""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallyspan.demo.errors import REFUSALS

HEADER: Final = "x-stand-in-fault"
MARKER: Final = "fault"

# name -> (number when none is given, what happens). k counts events from the start of a stream,
# a negative k from its end; ms are milliseconds.
FAULTS: Final[Mapping[str, tuple[int, str]]] = {
    "ok": (0, "nothing"),
    "timeout": (30_000, "processed, never answered; gives up after ms or when the client leaves"),
    "drop": (0, "processed, closed before the first byte of the answer"),
    "drop-head": (0, "closed after the headers"),
    "drop-body": (0, "closed after the headers and half of the body"),
    "slow": (100, "the answer starts after ms"),
    "drip": (5, "ms between the events of a stream"),
    "hold": (3, "a stream waits after k events until the client leaves, at most 10 s"),
    "cut": (3, "a stream is closed after k events, in the middle of the body"),
    "reset": (3, "the same by a TCP reset"),
    "eof": (-1, "a stream ends in order after k events, without the rest"),
    "error-event": (3, "an error event after k events, then the end"),
    "bad-json": (3, "an event that is not JSON after k events; a JSON answer cut short"),
    "empty": (0, "status 200 and no body"),
    "no-usage": (0, "the usage field left out"),
    "running-usage": (0, "usage so far on every chunk, as vLLM sends it"),
    "redirect": (0, "307 to the same path first"),
    "long": (3600, "takes that many seconds by the ledger's clock, none by the wall's"),
    "gzip": (0, "the answer compressed"),
    "split": (0, "chunk borders anywhere, by the seed; with a number every so many bytes"),
    "crlf": (0, "events end their lines in CR LF"),
    "ping": (0, "a comment line before every event"),
} | {
    # The number is the wait in milliseconds that a retryable error asks for.
    str(status): (1, f"answered with {status}")
    for status in REFUSALS
}


@dataclass(frozen=True, slots=True)
class Script:
    """What one attempt suffers: fault name to number."""

    faults: Mapping[str, int]

    def __contains__(self, name: str) -> bool:
        return name in self.faults

    def __getitem__(self, name: str) -> int:
        return self.faults[name]

    def get(self, name: str, otherwise: int) -> int:
        """Return a fault's number, or another if it is not asked for."""
        return self.faults.get(name, otherwise)

    @property
    def status(self) -> int | None:
        """The error status asked for, if any."""
        return next((int(name) for name in self.faults if name.isdecimal()), None)

    @property
    def label(self) -> str | None:
        """The script as one would write it; None if nothing was asked for."""
        shown = (
            name if amount == FAULTS[name][0] else f"{name}:{amount}"
            for name, amount in self.faults.items()
            if name != "ok"
        )
        return "+".join(shown) or None

    def without(self, name: str) -> "Script":
        """Return the script without one fault."""
        return Script({key: amount for key, amount in self.faults.items() if key != name})


def script_of(spec: str) -> Script:
    """Read the script of one attempt; ValueError names an unknown fault."""
    faults: dict[str, int] = {}
    for word in spec.split("+"):
        name, _, amount = word.strip().partition(":")
        if name not in FAULTS:
            message = f"unknown fault {name!r}; known: {', '.join(FAULTS)}"
            raise ValueError(message)
        faults[name] = int(amount) if amount else FAULTS[name][0]
    return Script(faults)


CALM: Final = script_of("ok")


class Plan:
    """Decides the script of each attempt: header, else prompt marker, else the queue, else none."""

    def __init__(self) -> None:
        self._queue: deque[tuple[str, Script]] = deque()
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, specs: tuple[str, ...], path: str) -> None:
        """Queue one script an attempt for the next requests whose path ends in `path`."""
        scripts = [(path, script_of(spec)) for spec in specs]
        with self._lock:
            self._queue.extend(scripts)

    def take(self, path: str, spec: str | None, call: str, retry: int | None) -> Script:
        """Return the script of an attempt.

        `spec` is what header or marker say, `retry` the attempt's own number where the client
        sends it; without it attempts are counted by `call`, and the list starts again at its end.
        """
        if spec is not None:
            scripts = [script_of(part) for part in spec.split(",")]
            return scripts[min(self._turn(len(scripts), call, retry), len(scripts) - 1)]
        with self._lock:
            for index, (wanted, script) in enumerate(self._queue):
                if path.endswith(wanted):
                    del self._queue[index]
                    return script
        return CALM

    def waiting(self) -> int:
        """Count the queued scripts that nobody has taken."""
        with self._lock:
            return len(self._queue)

    def _turn(self, scripts: int, call: str, retry: int | None) -> int:
        if retry is not None:
            return retry
        with self._lock:
            turn = self._seen[call] % scripts
            self._seen[call] += 1
        return turn
