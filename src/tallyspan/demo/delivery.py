"""In which steps do the bytes of a reply leave? Bytes as values; the server only carries them out."""

import gzip
import random
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import accumulate
from typing import Final

from tallyspan.demo.faults import Script
from tallyspan.demo.json_tree import mapping
from tallyspan.demo.reply import Event, Reply, compact
from tallyspan.demo.worlds import Outcome

HOLD_MS: Final = 10_000
_SPLIT_SIZES: Final = (1, 2, 3, 5, 8, 21, 64, 200, 1000)


@dataclass(frozen=True, slots=True)
class Send:
    """Write bytes; `tokens` output tokens are complete in them."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait that many milliseconds, or until the client leaves: that ends the attempt."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Book:
    """Write the ledger's row now: what follows can no longer change it."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection, in order or by a reset."""

    reset: bool = False


Step = Send | Wait | Book | Cut
Headers = tuple[tuple[str, str], ...]


def steps(reply: Reply, script: Script, headers: Headers, seed: int) -> Iterator[Step]:
    """Yield the steps of one reply under one script; `seed` sets the chunk borders."""
    if "timeout" in script or "drop" in script:
        yield Book(_unanswered(reply))
        yield Wait(script.get("timeout", 0))
        yield Cut()
        return
    if "slow" in script:
        yield Wait(script["slow"])
    if "no-usage" in script:
        reply = reply.without_usage()
    if "empty" in script:
        kind = "text/event-stream; charset=utf-8" if reply.events else "application/json"
        yield Book(reply.outcome)
        yield Send(_head(reply, (*headers, ("content-type", kind), ("content-length", "0"))))
    elif reply.events:
        yield from _stream(reply, script, headers, seed)
    else:
        yield from _document(reply, script, headers, seed)


def _unanswered(reply: Reply) -> Outcome:
    return Outcome.UNANSWERED if reply.outcome is Outcome.COMPLETE else reply.outcome


def _head(reply: Reply, headers: Headers) -> bytes:
    phrase = HTTPStatus(reply.status).phrase
    shown = "".join(f"{name}: {value}\r\n" for name, value in (*reply.headers, *headers))
    return f"HTTP/1.1 {reply.status} {phrase}\r\n{shown}\r\n".encode("latin-1")


def _document(reply: Reply, script: Script, headers: Headers, seed: int) -> Iterator[Step]:
    body = compact(reply.payload) if reply.payload else b""
    if "bad-json" in script:
        body = body[: len(body) // 2]
    if "gzip" in script:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers = (*headers, ("content-encoding", "gzip"))
    headers = (*headers, ("content-type", "application/json"))
    if "drop-head" in script or "drop-body" in script:
        head = _head(reply, (*headers, ("content-length", str(len(body)))))
        yield Book(_unanswered(reply))
        yield Send(head + (body[: len(body) // 2] if "drop-body" in script else b""))
        yield Cut()
    elif "split" in script:
        yield Send(_head(reply, (*headers, ("transfer-encoding", "chunked"))))
        yield from _framed([Send(body)], script, seed)
        yield Book(reply.outcome)
        yield Send(b"0\r\n\r\n")
    else:
        yield Book(reply.outcome)
        yield Send(_head(reply, (*headers, ("content-length", str(len(body))))) + body)


def _stream(reply: Reply, script: Script, headers: Headers, seed: int) -> Iterator[Step]:
    headers = (
        *headers,
        ("content-type", "text/event-stream; charset=utf-8"),
        ("transfer-encoding", "chunked"),
    )
    if "gzip" in script:
        headers = (*headers, ("content-encoding", "gzip"))
    yield Send(_head(reply, headers))
    if "drop-head" in script:
        yield Book(_unanswered(reply))
        yield Cut()
        return
    events, broken = _cut_short(reply, script)
    written = list(_written(events, script))
    whole = sum(event.tokens for event in reply.events)
    sent = sum(event.tokens for event in events)
    ended = reply.outcome if sent == whole else Outcome.ABORTED
    framed = list(_framed(written, script, seed))
    last = framed.pop() if framed else Send(b"")
    yield from framed
    if broken:
        yield last
        yield Book(ended)
        yield Cut(reset="reset" in script)
    else:
        yield Book(ended)
        yield replace(last, data=last.data + b"0\r\n\r\n") if isinstance(last, Send) else last


def _cut_short(reply: Reply, script: Script) -> tuple[tuple[Event, ...], bool]:
    """Return the events that are sent, and whether the connection breaks after them."""
    events = reply.events
    if "running-usage" in script:
        events = tuple(_running(events))
    for name in ("cut", "reset", "drop-body"):
        if name in script:
            return events[: script[name] or len(events) // 2], True
    if "error-event" in script:
        return (*events[: script["error-event"]], _error_event(events)), False
    if "eof" in script:
        return events[: script["eof"]], False
    return events, False


def _error_event(events: tuple[Event, ...]) -> Event:
    fields = {"code": "server_error", "message": "The server had an error.", "param": None}
    if events[0].name is None:
        return Event({"error": {**fields, "type": "server_error"}})
    payload = {"type": "error", "sequence_number": len(events), **fields}
    return Event(payload, name="error")


def _running(events: tuple[Event, ...]) -> Iterator[Event]:
    """Yield chat chunks with the usage so far on each, as vLLM's continuous_usage_stats does."""
    totals: dict[str, object] = {}
    for event in events:
        totals |= mapping((event.payload or {}).get("usage"))
    so_far = 0
    for event in events:
        so_far += event.tokens
        if event.payload is None or not event.payload.get("choices"):
            yield event
            continue
        usage = {**totals, "completion_tokens": so_far}
        yield replace(event, payload={**event.payload, "usage": usage})


def _written(events: Iterable[Event], script: Script) -> Iterator[Send | Wait]:
    """Yield the events as bytes, with the waits and the odd event that the script asks for."""
    line_end = "\r\n" if "crlf" in script else "\n"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31) if "gzip" in script else None
    for index, event in enumerate(events):
        if "hold" in script and index == script["hold"]:
            yield Wait(HOLD_MS)
        if "drip" in script and index:
            yield Wait(script["drip"])
        data = event.encoded(line_end)
        if "ping" in script:
            data = f": ping{line_end}{line_end}".encode() + data
        if "bad-json" in script and index == script["bad-json"]:
            data = f'data: {{"broken": {line_end}{line_end}'.encode() + data
        if packer is not None:
            data = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield Send(data, event.tokens)
    if packer is not None:
        yield Send(packer.flush())


def _framed(written: Iterable[Send | Wait], script: Script, seed: int) -> Iterator[Send | Wait]:
    """Yield HTTP chunks: one an event, or cut anywhere between two waits."""
    if "split" not in script:
        yield from (_chunk(step) if isinstance(step, Send) else step for step in written)
        return
    borders = random.Random(seed)  # noqa: S311 - chunk borders, not secrets
    together: list[Send] = []
    for step in (*written, Wait(0)):
        if isinstance(step, Send):
            together.append(step)
            continue
        yield from map(_chunk, _parts(together, script["split"], borders))
        together = []
        if step.milliseconds:
            yield step


def _parts(together: list[Send], size: int, borders: random.Random) -> Iterator[Send]:
    """Yield the same bytes cut anew; an event's tokens go with the part that its last byte is in."""
    data = b"".join(step.data for step in together)
    ends = deque(zip(accumulate(len(step.data) for step in together), (step.tokens for step in together), strict=True))
    start = 0
    while start < len(data):
        end = start + (size or borders.choice(_SPLIT_SIZES))
        tokens = 0
        while ends and ends[0][0] <= end:
            tokens += ends.popleft()[1]
        yield Send(data[start:end], tokens)
        start = end


def _chunk(step: Send) -> Send:
    return replace(step, data=f"{len(step.data):x}\r\n".encode() + step.data + b"\r\n")
