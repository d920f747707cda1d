"""The proof: what a house sees with a faulty guest is what it sees alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType
from zlib import crc32

import openai
from tests.safety.forgiven import forgiven
from tests.safety.guest import Guest, Road
from tests.safety.house import HTTP, House, Outcome, Shape, strays

Fault = Callable[[], Exception]


def _lost_connection() -> Exception:
    return openai.APIConnectionError(request=HTTP.Request("POST", "http://127.0.0.1/"))


WORST = "ReadTimeout"
"""What the SDK takes for the network's: it would send, and spend, again."""

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        WORST: lambda: HTTP.ReadTimeout("a fault of ours"),
        "ReadError": lambda: HTTP.ReadError("a fault of ours"),
        "StreamClosed": HTTP.StreamClosed,
        "APIConnectionError": _lost_connection,
        "RuntimeError": lambda: RuntimeError("a fault of ours"),
        "MemoryError": lambda: MemoryError("a fault of ours"),
        "RecursionError": lambda: RecursionError("a fault of ours"),
        "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a fault of ours"),
        "TimeoutError": lambda: TimeoutError("a fault of ours"),
        "InvalidStateError": lambda: asyncio.InvalidStateError("a fault of ours"),
        "KeyError": lambda: KeyError("a fault of ours"),
        "StopIteration": lambda: StopIteration("a fault of ours"),
        "StopAsyncIteration": lambda: StopAsyncIteration("a fault of ours"),
        "Warning": lambda: DeprecationWarning("a fault of ours"),
    }
)
_OTHERS = tuple(name for name in FAULTS if name != WORST)

HANDLED = frozenset({"RecursionError", "UnicodeDecodeError", "KeyError", "StopIteration", "StopAsyncIteration"})
"""Kinds that our own code may take for an answer (a body that is no JSON): they need not show in the log."""

EDGE = frozenset(
    {
        "instrumentor.py:Plugin.__init__.run=.<lambda>",
        "wire/body.py:_Followed.__reduce_ex__",
        "wire/body.py:_Followed.aclose",
        "wire/body.py:_Followed.aiter_bytes",
        "wire/body.py:_Followed.aiter_raw",
        "wire/body.py:_Followed.close",
        "wire/body.py:_Followed.iter_bytes",
        "wire/body.py:_Followed.iter_raw",
        "wire/body.py:_afollow",
        "wire/body.py:_follow",
        "wire/body.py:watch.<lambda>",
        "wire/closing.py:Closing._work",
        "wire/exchange.py:traced.trace",
        "wire/exchange.py:traced_async.trace",
        "wire/guard.py:Guard.failed",
        "wire/guard.py:Guard.run",
        "wire/seam.py:_bound",
        "wire/seam.py:wrap_async_request.request",
        "wire/seam.py:wrap_async_send.send",
        "wire/seam.py:wrap_request.request",
        "wire/seam.py:wrap_send.send",
        "wire/watch.py:Watch._give_up",
        "wire/watch.py:Watch._let_go",
        "wire/watch.py:Watch.broke",
        "wire/watch.py:Watch.feed",
        "wire/watch.py:Watch.follows",
        "wire/watch.py:Watch.left",
        "wire/watch.py:Watch.over",
    }
)
"""The functions that hold the guard, the only ones whose own fault would be seen; `test_edge` says what they may do."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A shape with the guest in one of its ways; the books' road goes by turns, as no road meets the wire."""

    shape: Shape
    road: Road
    stream_usage: str = "off"

    def __str__(self) -> str:
        asked = "" if self.stream_usage == "off" else f", usage {self.stream_usage}"
        return f"{self.shape.name}, {self.road}{asked}"


@dataclass(frozen=True, slots=True)
class Try:
    """
    One fault in one step.

    Attributes:
        only: Its nth time only; None for each time.
        after: Another step that fails too.
    """

    step: str
    fault: str = WORST
    only: int | None = None
    after: str = ""

    def __str__(self) -> str:
        when = "" if self.only is None else f", time {self.only}"
        after = f", after {self.after}" if self.after else ""
        return f"{self.step} raises {self.fault}{when}{after}"


def is_first(step: str) -> bool:
    """Tell whether a step is the beginning of a function."""
    return "@" not in step or "<lambda>" in step


def is_edge(step: str) -> bool:
    """Tell whether a step is in a function that holds the guard."""
    return step.partition("@")[0] in EDGE


def road_of(shape: Shape) -> Road:
    """Send the books of async shapes to the spool, of others to the events."""
    return Road.SPOOL if shape.is_async else Road.EVENTS


_BETWEEN = ("wire/", "usage/scan.py", "usage/sse.py")


@dataclass
class Proof:
    """
    Runs shapes, with the guest and without, and compares.

    Attributes:
        tried: How many tries were made, by the kind of fault.
        missed: Tries of a step's nth time where it ran less often.
    """

    house: House
    guest: Guest
    shapes: Sequence[Shape]
    tried: Counter[str] = field(default_factory=Counter[str])
    missed: list[str] = field(default_factory=list[str])
    _ways: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    _alone: dict[str, Outcome] = field(default_factory=dict[str, Outcome])

    def alone(self, shape: Shape) -> Outcome:
        """Give what the house sees without a guest."""
        if shape.name not in self._alone:
            self.house.run(shape)  # a first call has work of its own to do
            self._alone[shape.name] = self.house.run(shape)
        return self._alone[shape.name]

    def visited(self, visit: Visit, attempt: Try | None = None) -> Outcome:
        """Give what the house sees with the guest, faulty or not."""
        probes = self.guest.probes
        with strays(self.house.loop) as stray, self.guest.at_work(visit.road, visit.stream_usage):
            if attempt is None:
                probes.arm()
            else:
                steps = filter(None, (attempt.step, attempt.after))
                probes.arm(*steps, fault=FAULTS[attempt.fault], only=attempt.only)
            outcome = self.house.run(visit.shape)
        return replace(outcome, stray=(*outcome.stray, *stray))

    def inner_steps(self, visit: Visit, attempt: Try | None = None) -> Mapping[str, int]:
        """Give the steps that run in a visit and that the guard must hold, and how often each runs."""
        rounds: list[Counter[str]] = []
        for _ in range(2):  # what comes by once only is a collector's, or of an earlier visit
            self.visited(visit, attempt)
            rounds.append(Counter(self.guest.probes.met))
        return {step: times for step, times in (rounds[0] & rounds[1]).items() if not is_edge(step)}

    def functions_to_try(self, visit: Visit) -> list[str]:
        """
        Give the functions to be tried in a visit.

        Those between the network and the application are tried in every shape; those that only read and record, where
        they are reached in a new way: by other functions of ours than in the shapes before.
        """
        probes = self.guest.probes
        probes.ways = set()
        try:
            met = self.inner_steps(visit)
        finally:
            ways, probes.ways = probes.ways, None
        new = {way[0] for way in ways - self._ways}
        self._ways |= ways
        return [step for step in met if is_first(step) and (step in new or step.startswith(_BETWEEN))]

    @cached_property
    def first_met(self) -> Mapping[str, Sequence[Visit]]:
        """Give each step's first visits: the first sync and the first async shape that reach it."""
        found: dict[str, dict[bool, Visit]] = {}
        for shape in self.shapes:
            visit = Visit(shape, road_of(shape))
            for step in self.inner_steps(visit):
                found.setdefault(step, {}).setdefault(shape.is_async, visit)
        return {step: tuple(visits.values()) for step, visits in found.items()}

    def seen_of(self, tries: Iterable[tuple[Visit, Try]]) -> dict[str, list[str]]:
        """Make steps fail one after the other, and give all that is seen of it, by its try."""
        found = {f"{visit}: {attempt}": list(self.problems(visit, attempt)) for visit, attempt in tries}
        return {name: problems for name, problems in found.items() if problems}

    def problems(self, visit: Visit, attempt: Try) -> Iterator[str]:
        """Make a step fail, and say all that is wrong with what is seen then."""
        self.tried[attempt.fault] += 1
        seen = self.visited(visit, attempt)
        expected = self.alone(visit.shape)
        if visit.stream_usage != "off" and not asks(expected):
            expected, seen = forgiven(expected), forgiven(seen, faulty=True)
        yield from different(expected, seen)
        yield from self._unproved(attempt)
        causes = Counter(line.partition(": ")[2].partition(": ")[0] for line in self.guest.said)
        yield from (f"said {times} times: {cause}" for cause, times in causes.items() if times > 1)

    def _unproved(self, attempt: Try) -> Iterator[str]:
        """Say why a try proves nothing."""
        probes = self.guest.probes
        if probes.raised[attempt.step]:
            if not self.guest.heard.lines and attempt.fault not in HANDLED:
                yield "nothing was said in the log"
        elif attempt.only is not None and probes.met[attempt.step]:
            self.missed.append(str(attempt))  # how often a collector comes by is not ours to say
        else:
            yield "the step did not run, so nothing was proved"


def asks(outcome: Outcome) -> bool:
    """Tell whether the application asked for usage itself: then nothing may differ."""
    return any(b'"stream_options"' in request.body for request in outcome.requests)


def different(expected: Outcome, seen: Outcome) -> Iterator[str]:
    """Say in which fields two outcomes differ."""
    for each in fields(Outcome):
        before, now = getattr(expected, each.name), getattr(seen, each.name)
        if before != now:
            yield f"{each.name} was {before!r}, is {now!r}"


def other_tries(step: str, times: int, visit: Visit) -> Iterator[Try]:
    """Choose further faults for a step: other kinds by turns, and the worst kind at its last time only."""
    turn = crc32(f"{step} {visit}".encode())
    for place in range(2):
        yield Try(step, _OTHERS[(turn + 5 * place) % len(_OTHERS)])
    if times > 1:
        yield Try(step, only=times)
