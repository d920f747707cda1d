"""One call of the application: `request()` and all the attempts that it makes."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tallyspan.books.record import UsageRecord
from tallyspan.books.sink import CallEnd, CallStart, Detach
from tallyspan.usage.ending import Ending, name_of
from tallyspan.usage.observe import CallHead, End, RequestHead, observe
from tallyspan.usage.scan import NOTHING_SEEN
from tallyspan.wire.http import Request
from tallyspan.wire.recorder import Recorder

if TYPE_CHECKING:
    from contextvars import Token

CLIENT_REQUEST_ID = "X-Client-Request-Id"
"""A caller's own id for a request, up to 512 ASCII characters. Source: OpenAI API reference, debugging requests."""

CALL: ContextVar[Call | None] = ContextVar("tallyspan_call", default=None)


class Call:
    """
    A call; ends when `request()` is over and its last attempt has ended.

    Attributes:
        path: What the URL of its requests ends with; other requests of its client are none of its attempts.
        options: The object that was passed down: a second layer that gets the same one is inside this call.
        asks_usage: The wire asks for a stream's usage.
        hides_usage: It was we who asked.
        alone: It did not come through the SDK: its one attempt is all of it.
        sent_id: The record id that was last sent along as the client's request id; None if none was.
        over: `request()` has returned or raised; the call counts as none from then on.
    """

    __slots__ = (
        "_attempts", "_detach", "_error_type", "_lock", "_parts", "_records", "_token", "alone", "asks_usage",
        "first_chunk_ns", "head", "hides_usage", "options", "over", "path", "recorder", "sent_id", "started_ns",
        "stream",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, head: CallHead, path: str, options: object, *, stream: bool) -> None:
        self.recorder = recorder
        self.head = head
        self.path = path
        self.options = options
        self.stream = stream
        self.asks_usage = head.ask.wants_usage is True
        self.hides_usage = False
        self.alone = False
        self.sent_id: str | None = None
        self.over = False
        self.started_ns = recorder.clock_ns()
        self.first_chunk_ns: int | None = None
        self._attempts = 0
        self._parts = 1
        self._records: list[UsageRecord] = []
        self._error_type: str | None = None
        self._detach: Detach | None = None
        self._token: Token[Call | None] | None = None
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Begin the span, and become the current call: that comes last, for it must not stay if a step fails."""
        recorder, head = self.recorder, self.head
        start = CallStart(
            call_id=head.call_id,
            started_ns=self.started_ns,
            operation=head.endpoint.operation,
            provider=head.provider,
            endpoint=head.endpoint.path,
            api_type=head.endpoint.api_type,
            request_model=head.ask.model,
            server_address=head.server_address,
            server_port=head.server_port,
            stream=self.stream,
            parameters=head.ask.parameters,
        )
        recorder.guard.run("the thread", recorder.closing.start)
        self._detach = recorder.guard.run("a span", recorder.sink.call_started, start)
        self._token = CALL.set(self)

    def fits(self, request: Request) -> bool:
        """Tell a request of this call from others that its client makes, for a token say."""
        return request.method == "POST" and request.url.path.rstrip("/").endswith(self.path)

    def names(self, request: Request) -> bool:
        """Tell whether a request may get an id of ours: the application's own stays what it is."""
        return request.headers.get(CLIENT_REQUEST_ID) in {None, self.sent_id}

    def next_number(self) -> int:
        """Count an attempt, from 0 on."""
        self._attempts += 1
        return self._attempts - 1

    def attempt_begins(self) -> None:
        """Wait for one more part before the call can end."""
        with self._lock:
            self._parts += 1

    def recorded(self, record: UsageRecord) -> None:
        """Take a result, and hand it on."""
        self._records.append(record)
        self.recorder.sink.attempt_ended(record)

    def part_ended(self) -> None:
        """End the call if this was its last part: `request()` itself, or an attempt."""
        with self._lock:
            self._parts -= 1
            if self._parts:
                return
        self.recorder.sink.call_ended(
            CallEnd(
                call_id=self.head.call_id,
                ended_ns=self.recorder.clock_ns(),
                first_chunk_ns=self.first_chunk_ns,
                error_type=self._error_type or self._stream_error(),
                records=tuple(self._records),
            )
        )

    def leave(self, error: BaseException | None) -> None:
        """Be over: `request()` has returned, or `error` left it."""
        self.over = True
        try:
            self._restore()
            if error is not None:
                self._error_type = name_of(error)
            elif not self._attempts:
                self._unobserved()
        finally:
            self.part_ended()

    def _restore(self) -> None:
        """Leave the contexts. They may be gone (another task, a closed coroutine): `over` counts then."""
        token, self._token = self._token, None
        detach, self._detach = self._detach, None
        if token is not None:
            try:
                CALL.reset(token)
            except ValueError:  # made in another context, which went away with its call
                return
        if detach is not None:
            detach()

    def _unobserved(self) -> None:
        request = RequestHead(
            record_id=self.recorder.new_id(),
            attempt=0,
            started_ns=self.started_ns,
            stream=self.stream,
            asks_usage=self.asks_usage,
        )
        end = End(Ending.UNOBSERVED, self.recorder.clock_ns())
        self.recorded(observe(self.head, request, None, NOTHING_SEEN, end))

    def _stream_error(self) -> str | None:
        return self._records[-1].error_type if self._records else None
