"""A streamed body, watched while the application reads it.

The response keeps being what it is: its class becomes a subclass that passes the same bytes on, and turns back when the
body has ended. Everything that reads a body (`iter_lines`, `read`, the SDK's `Stream`) goes through `iter_raw` and
`iter_bytes`, in httpx and httpx2 alike (`_models.py`). An instance attribute would not do: a weak one dies before the
generators that a collector finalizes, a strong one is a cycle.

Two orders matter. The byte generator closes the response itself at its end: a `close()` while a chunk is being pulled
is therefore not the application's. And held bytes are delivered before an error or an end is.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from functools import cache
from typing import Any

from tallyspan.usage.ending import Ending
from tallyspan.usage.scan import DocumentScan, EventScan, Seen, read_document
from tallyspan.wire.attempt import Attempt

_KEY = "tallyspan.watch"


class Watch:
    """
    What is known of one body.

    Attributes:
        encoded: The bytes on the wire are compressed: they are watched after they were decoded.
        pulling: A chunk is being waited for.
    """

    __slots__ = ("_attempt", "_base", "_decoding", "_guard", "_held", "_hides", "_scan", "encoded", "pulling")

    def __init__(self, attempt: Attempt, scan: EventScan | DocumentScan, base: type[Any], *, encoded: bool) -> None:
        self._attempt = attempt
        self._scan: EventScan | DocumentScan | None = scan
        self._base = base
        self._guard = attempt.call.recorder.guard
        self._hides = attempt.call.hides_usage
        self._held = b""
        self._decoding = False
        self.encoded = encoded
        self.pulling = False

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return what passes on. If reading fails, all that is held passes on, and all that follows."""
        scan = self._scan
        if scan is None:
            return chunk
        data = self._held + chunk if self._held else chunk
        try:
            passed, self._held = scan.scan(data)
            finished = scan.finished
        except Exception as error:  # noqa: BLE001 - the edge
            self._guard.failed("reading a stream", error)
            self._give_up()
            return data if self._hides else chunk
        if self._attempt.first_chunk_ns is None:
            self._guard.run("timing a stream", self._first)
        if finished:
            self._guard.run("ending a stream", self._end, Ending.COMPLETE)
            passed, self._held = passed + self._held, b""
        return passed if self._hides else chunk

    def over(self, response: Any) -> bytes:  # noqa: ANN401 - httpx or httpx2
        """Take the end of the body; return what was held back."""
        self._guard.run("ending a stream", self._end, Ending.COMPLETE)
        self._guard.run("ending a stream", self._release, response)
        return self._let_go()

    def broke(self, error: BaseException) -> bytes:
        """Take an error in mid-body; return what was held back."""
        self._guard.run("ending a stream", self._end, Ending.DROPPED, error)
        return self._let_go()

    def left(self, response: Any = None) -> None:  # noqa: ANN401 - httpx or httpx2
        """Take the application's leaving. May run in a finalizer: nothing is written here."""
        self._guard.run("leaving a stream", self._leave)
        if response is not None:
            self._guard.run("leaving a stream", self._release, response)

    def follows(self, *, decoded: bool) -> bool | None:
        """Tell whether bytes of this level are to be followed: those on the wire, or the decoded ones."""
        return self._guard.run("reading a stream", self._level, decoded=decoded)

    def _level(self, *, decoded: bool) -> bool:
        if decoded:
            self._decoding = self.encoded
            return self.encoded
        return not self._decoding

    def _let_go(self) -> bytes:
        held, self._held = self._held, b""
        return held if self._hides else b""

    def _give_up(self) -> None:
        """Pass everything through from here on; the attempt ends as unreadable."""
        self._scan = None
        unreadable = Seen(empty=False, unreadable=True)
        self._guard.run("ending a stream", self._attempt.finish, Ending.COMPLETE, unreadable)

    def _leave(self) -> None:
        attempt, scan = self._attempt, self._scan
        self._scan = None
        if attempt.is_open and scan is not None:
            recorder = attempt.call.recorder
            at = recorder.clock_ns()
            recorder.closing.put(lambda: attempt.finish(Ending.CLOSED_EARLY, scan.seen(), None, at))

    def _first(self) -> None:
        call = self._attempt.call
        self._attempt.first_chunk_ns = call.recorder.clock_ns()
        if call.first_chunk_ns is None:
            call.first_chunk_ns = self._attempt.first_chunk_ns

    def _end(self, ending: Ending, error: BaseException | None = None) -> None:
        """End now, with what was seen."""
        scan, self._scan = self._scan, None
        if scan is None or not self._attempt.is_open:
            return
        seen = Seen(empty=False, unreadable=True) if self.encoded and not self._decoding else scan.seen()
        if error is None:
            self._attempt.finish(ending, seen)
        else:
            self._attempt.failed(error, seen)

    def _release(self, response: Any) -> None:  # noqa: ANN401 - httpx or httpx2
        """Give the response its own class back."""
        if response.extensions.pop(_KEY, None) is not None:
            response.__class__ = self._base


def seen_at_once(attempt: Attempt, response: Any) -> Seen:  # noqa: ANN401 - httpx or httpx2
    """Read a body that came whole."""
    body: bytes = response.content
    scan = _scan(attempt, response)
    if isinstance(scan, DocumentScan):
        return read_document(body, attempt.call.head.endpoint, attempt.call.recorder.loads)
    scan.scan(body)
    return scan.seen()


def _scan(attempt: Attempt, response: Any) -> EventScan | DocumentScan:  # noqa: ANN401 - httpx or httpx2
    call = attempt.call
    endpoint, loads = call.head.endpoint, call.recorder.loads
    if endpoint.stream is not None and "text/event-stream" in response.headers.get("content-type", ""):
        return EventScan(endpoint, endpoint.stream, loads, hide=call.hides_usage)
    return DocumentScan(endpoint, loads)


def watch(response: Any, attempt: Attempt) -> None:  # noqa: ANN401 - httpx or httpx2
    """Begin to watch a streamed response."""
    encoded = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    base = type(response)
    followed = Watch(attempt, _scan(attempt, response), base, encoded=encoded)
    attempt.gone = weakref.ref(response, lambda _gone: followed.left())
    response.extensions[_KEY] = followed
    response.__class__ = _watched(base)


def _of(response: Any) -> Watch | None:  # noqa: ANN401 - httpx or httpx2
    found = response.extensions.get(_KEY)
    return found if isinstance(found, Watch) else None


def _follow(response: Any, watched: Watch, chunks: Iterator[bytes], *, read: bool) -> Iterator[bytes]:  # noqa: ANN401
    watched.pulling = True
    try:
        for chunk in chunks:
            watched.pulling = False
            passed = watched.feed(chunk) if read else chunk
            if passed:
                yield passed
            watched.pulling = True
    except GeneratorExit:
        watched.left()
        raise
    except BaseException as error:
        held = watched.broke(error)
        if held:
            yield held
        raise
    held = watched.over(response)
    if held:
        yield held


async def _afollow(
    response: Any,  # noqa: ANN401 - httpx or httpx2
    watched: Watch,
    chunks: AsyncGenerator[bytes, None],
    *,
    read: bool,
) -> AsyncIterator[bytes]:
    watched.pulling = True
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                watched.pulling = False
                passed = watched.feed(chunk) if read else chunk
                if passed:
                    yield passed
                watched.pulling = True
    except GeneratorExit:
        watched.left()
        raise
    except BaseException as error:
        held = watched.broke(error)
        if held:
            yield held
        raise
    held = watched.over(response)
    if held:
        yield held


@cache
def _watched(base: type[Any]) -> type[Any]:
    """Return the subclass of a response class that watches."""

    def iter_raw(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:  # noqa: ANN401
        watched, chunks = _of(self), base.iter_raw(self, *args, **kwargs)
        if watched is None or not watched.follows(decoded=False):
            return chunks
        return _follow(self, watched, chunks, read=not watched.encoded)

    def iter_bytes(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:  # noqa: ANN401
        watched, chunks = _of(self), base.iter_bytes(self, *args, **kwargs)
        if watched is None or not watched.follows(decoded=True):
            return chunks
        return _follow(self, watched, chunks, read=True)

    def aiter_raw(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:  # noqa: ANN401
        watched, chunks = _of(self), base.aiter_raw(self, *args, **kwargs)
        if watched is None or not watched.follows(decoded=False):
            return chunks
        return _afollow(self, watched, chunks, read=not watched.encoded)

    def aiter_bytes(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:  # noqa: ANN401
        watched, chunks = _of(self), base.aiter_bytes(self, *args, **kwargs)
        if watched is None or not watched.follows(decoded=True):
            return chunks
        return _afollow(self, watched, chunks, read=True)

    def close(self: Any) -> None:  # noqa: ANN401
        watched = _of(self)
        try:
            base.close(self)
        finally:
            if watched is not None and not watched.pulling:
                watched.left(self)

    async def aclose(self: Any) -> None:  # noqa: ANN401
        watched = _of(self)
        try:
            await base.aclose(self)
        finally:
            if watched is not None and not watched.pulling:
                watched.left(self)

    def __reduce_ex__(self: Any, protocol: int) -> Any:  # noqa: ANN401, N807 - a copy or a pickle is of the real class
        watched = _of(self)
        if watched is not None:
            watched.left(self)
        return base.__reduce_ex__(self, protocol)

    methods = (iter_raw, iter_bytes, aiter_raw, aiter_bytes, close, aclose, __reduce_ex__)
    own: dict[str, Any] = {method.__name__: method for method in methods}
    named = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), {**named, **own})
