"""The wrappers of the two seams, each sync and async; they hold the guard.

`request` is one call of the application, the outermost `send` one attempt: the two places that have the same shape in
openai 1.x, 2.x and 3.x, with httpx and with httpx2. What breaks in here ends in the log, and the call goes on as if
we were not there. In openai 1.x and 2.x an exception inside `send` would be taken for a lost
connection, and the request would be sent, and charged, again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias

from tallyspan.usage.ending import Ending, verdict_of_status
from tallyspan.usage.scan import NOTHING_SEEN
from tallyspan.wire.attempt import Attempt
from tallyspan.wire.body import read_at_once, watch
from tallyspan.wire.call import Call
from tallyspan.wire.exchange import head_of, traced, traced_async
from tallyspan.wire.http import Request, Response, body_at_hand
from tallyspan.wire.recognition import attempt_of, call_of
from tallyspan.wire.recorder import Recorder

Method: TypeAlias = Callable[..., Any]
Wrapper: TypeAlias = Callable[["Seam", Method], Method]


@dataclass(eq=False)
class Seam:
    """What the wrappers look up on each call: the recorder that is on; None if the plugin is off."""

    recorder: Recorder | None = None


def _bound(wrapped: Method, owner: object) -> Method:
    """Bind what we wrapped as Python would: wrapt's own wrappers find the instance only so, and else pass through."""
    bind: Callable[[object, type], Method] | None = getattr(wrapped, "__get__", None)
    return wrapped if bind is None else bind(owner, type(owner))


def wrap_request(seam: Seam, wrapped: Method) -> Method:
    """Wrap a sync client's `request`."""

    @wraps(wrapped)
    def request(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        recorder = seam.recorder
        begun = None if recorder is None else recorder.guard.run("a call", call_of, recorder, self, args, kwargs)
        if recorder is None or begun is None:
            return _bound(wrapped, self)(*args, **kwargs)
        call, args, kwargs = begun
        try:
            result = _bound(wrapped, self)(*args, **kwargs)
        except BaseException as error:
            recorder.guard.run("a call's error", call.leave, error)
            raise
        recorder.guard.run("a call's return", call.leave, None)
        return result

    return request


def wrap_async_request(seam: Seam, wrapped: Method) -> Method:
    """Wrap an async client's `request`."""

    @wraps(wrapped)
    async def request(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        recorder = seam.recorder
        begun = None if recorder is None else recorder.guard.run("a call", call_of, recorder, self, args, kwargs)
        if recorder is None or begun is None:
            return await _bound(wrapped, self)(*args, **kwargs)
        call, args, kwargs = begun
        try:
            result = await _bound(wrapped, self)(*args, **kwargs)
        except GeneratorExit as error:
            recorder.guard.run("a call's end", _put_off, recorder, call, error)
            raise
        except BaseException as error:
            recorder.guard.run("a call's error", call.leave, error)
            raise
        recorder.guard.run("a call's return", call.leave, None)
        return result

    return request


def wrap_send(seam: Seam, wrapped: Method) -> Method:
    """Wrap a sync http client's `send`."""

    @wraps(wrapped)
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        recorder = seam.recorder
        attempt = None if recorder is None else recorder.guard.run("an attempt", attempt_of, recorder, request)
        if recorder is None or attempt is None:
            return _bound(wrapped, self)(request, *args, **kwargs)
        untraced = recorder.guard.run("a request", _sending, attempt, request, traced)
        try:
            response = _bound(wrapped, self)(request, *args, **kwargs)
        except BaseException as error:
            recorder.guard.run("an attempt's error", _failed, attempt, request, untraced, error)
            raise
        recorder.guard.run("an answer", _answered, attempt, request, untraced, response)
        return response

    return send


def wrap_async_send(seam: Seam, wrapped: Method) -> Method:
    """Wrap an async http client's `send`."""

    @wraps(wrapped)
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        recorder = seam.recorder
        attempt = None if recorder is None else recorder.guard.run("an attempt", attempt_of, recorder, request)
        if recorder is None or attempt is None:
            return await _bound(wrapped, self)(request, *args, **kwargs)
        untraced = recorder.guard.run("a request", _sending, attempt, request, traced_async)
        try:
            response = await _bound(wrapped, self)(request, *args, **kwargs)
        except BaseException as error:
            recorder.guard.run("an attempt's error", _failed, attempt, request, untraced, error)
            raise
        recorder.guard.run("an answer", _answered, attempt, request, untraced, response)
        return response

    return send


def _sending(attempt: Attempt, request: Request, tracer: Callable[..., Method]) -> dict[str, Any]:
    """Listen to the transport, and hand the intent over; return the request's own extensions, to be put back."""
    recorder = attempt.call.recorder
    untraced: dict[str, Any] = request.extensions
    recorder.guard.run("an intent", attempt.announce)
    trace = tracer(attempt.exchanges, recorder.guard, untraced.get("trace"))
    request.extensions = {**untraced, "trace": trace}
    return untraced


def _sent(attempt: Attempt, request: Request, untraced: dict[str, Any] | None) -> None:
    attempt.arrive()
    if untraced is not None:
        request.extensions = untraced


def _failed(attempt: Attempt, request: Request, untraced: dict[str, Any] | None, error: BaseException) -> None:
    """End an attempt that got no answer."""
    _sent(attempt, request, untraced)
    if isinstance(error, GeneratorExit):  # a coroutine that is collected
        attempt.call.over = attempt.call.over or attempt.call.alone
        attempt.call.recorder.closing.put(lambda: _unanswered(attempt, error))
    else:
        _unanswered(attempt, error)


def _unanswered(attempt: Attempt, error: BaseException) -> None:
    try:
        attempt.failed(error)
    finally:
        if attempt.call.alone:
            attempt.call.leave(error)


def _answered(attempt: Attempt, request: Request, untraced: dict[str, Any] | None, response: Response) -> None:
    """End an attempt whose answer is there, or watch its body."""
    _sent(attempt, request, untraced)
    try:
        attempt.head = head_of(response.status_code, response.headers.get)
        body = body_at_hand(response)
        if verdict_of_status(response.status_code) is not None:
            attempt.finish(Ending.COMPLETE, NOTHING_SEEN)
        elif body is None:
            _watch(attempt, response)
        else:
            attempt.finish(Ending.COMPLETE, read_at_once(response, body, attempt.call))
    finally:
        if attempt.call.alone:
            attempt.call.leave(None)


def _watch(attempt: Attempt, response: Response) -> None:
    """Watch a body; a response that can not be watched (a class with slots) ends here, with its usage unknown."""
    watched = False
    try:
        watch(response, attempt)
        watched = True
    finally:
        if not watched:
            attempt.finish(Ending.UNOBSERVED, NOTHING_SEEN)


def _put_off(recorder: Recorder, call: Call, error: BaseException) -> None:
    call.over = True
    recorder.closing.put(lambda: call.leave(error))
