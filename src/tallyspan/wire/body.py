"""A response that passes its bytes through a watch, while it stays what it is.

Its class becomes a subclass that passes the same bytes on, and turns back when the body has ended. Everything that
reads a body (`iter_lines`, `read`, the SDK's `Stream`) goes through `iter_raw` and `iter_bytes`, in httpx and httpx2
alike (`_models.py`). An instance attribute would not do: a weak one dies before the generators that a collector
finalizes, a strong one is a cycle.
"""

import weakref
from collections.abc import AsyncGenerator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, SupportsIndex

from tallyspan.usage.scan import Scan, Seen, scan_of
from tallyspan.wire.attempt import Attempt
from tallyspan.wire.call import Call
from tallyspan.wire.http import Response, replace_body
from tallyspan.wire.watch import KEY, Watch

if TYPE_CHECKING:

    class _Streamed:
        """What the real class behind has, of httpx or httpx2."""

        status_code: int
        extensions: dict[str, Any]
        headers: Any
        content: bytes

        def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]: ...
        def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]: ...
        def aiter_raw(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]: ...
        def aiter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]: ...
        def close(self) -> None: ...
        async def aclose(self) -> None: ...
else:
    _Streamed = object


def watch(response: Response, attempt: Attempt) -> None:
    """Begin to watch a streamed response."""
    call = attempt.call
    encoded = (response.headers.get("content-encoding") or "").strip().lower() not in {"", "identity"}
    base = type(response)
    followed = Watch(attempt, scan_for(response, call), base, encoded=encoded)
    attempt.gone = weakref.ref(response, lambda _gone: followed.left())
    response.extensions[KEY] = followed
    response.__class__ = _watched(base)


def scan_for(response: Response, call: Call) -> Scan:
    """Begin to read the body of an answer to this call."""
    kind = response.headers.get("content-type")
    return scan_of(call.head.endpoint, kind, call.recorder.loads, streamed=call.stream, hide=call.hides_usage)


def read_at_once(response: Response, body: bytes, call: Call) -> Seen:
    """
    Read a body that is in memory.

    A stream may be too: a hook of the application has read it, or a cache has kept it. The event that we asked for
    is taken out of it.
    """
    scan = scan_for(response, call)
    passed, rest = scan.scan(body)
    if call.hides_usage:
        replace_body(response, passed + rest)
    return scan.seen()


@cache
def _watched(base: type[Response]) -> type[Response]:
    """Return the subclass of a response class that is followed, by the same name."""
    named = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return type(base.__name__, (_Followed, base), named)


class _Followed(_Streamed):
    """Comes before the real class, and passes what that reads through the watch."""

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        watched: Watch | None = self.extensions.get(KEY)
        chunks = super().iter_raw(chunk_size)
        if watched is None or not watched.follows(decoded=False):
            return chunks
        return _follow(self, watched, chunks, read=not watched.encoded)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        watched: Watch | None = self.extensions.get(KEY)
        chunks = super().iter_bytes(chunk_size)
        if watched is None or not watched.follows(decoded=True):
            return chunks
        return _follow(self, watched, chunks, read=True)

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        watched: Watch | None = self.extensions.get(KEY)
        chunks = super().aiter_raw(chunk_size)
        if watched is None or not watched.follows(decoded=False):
            return chunks
        return _afollow(self, watched, chunks, read=not watched.encoded)

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        watched: Watch | None = self.extensions.get(KEY)
        chunks = super().aiter_bytes(chunk_size)
        if watched is None or not watched.follows(decoded=True):
            return chunks
        return _afollow(self, watched, chunks, read=True)

    def close(self) -> None:
        watched: Watch | None = self.extensions.get(KEY)
        try:
            super().close()
        finally:
            if watched is not None and not watched.pulling:
                watched.left(self)

    async def aclose(self) -> None:
        watched: Watch | None = self.extensions.get(KEY)
        try:
            await super().aclose()
        finally:
            if watched is not None and not watched.pulling:
                watched.left(self)

    def __reduce_ex__(self, _protocol: SupportsIndex, /) -> str | tuple[Any, ...]:
        """Be copied and pickled as the real class; pickle checks the class in what protocols above 1 give."""
        reduced = super().__reduce_ex__(1)
        if isinstance(reduced, str):
            return reduced
        make, args, *state = reduced
        ours, real = type(self), type(self).__mro__[2]
        return (make, tuple(real if arg is ours else arg for arg in args), *state)


def _follow(response: Response, watched: Watch, chunks: Iterator[bytes], *, read: bool) -> Iterator[bytes]:
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
    response: Response,
    watched: Watch,
    chunks: AsyncGenerator[bytes, None],
    *,
    read: bool,
) -> AsyncGenerator[bytes, None]:
    watched.pulling = True
    try:
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
    finally:
        if hasattr(chunks, "aclose"):  # at once, as without us, not when a collector finds it
            await chunks.aclose()
    held = watched.over(response)
    if held:
        yield held
