"""The exchanges inside one attempt, told by the transport's `trace` extension.

A redirect, an authentication flow or a transport's own retry sends the request again without the SDK's knowledge. The
trace is also the only source of `x-request-id` when headers came and the body did not. httpcore and httpcore2 speak it;
other transports (aiohttp, a mock) are silent. Source: httpcore `_trace.py`, `_sync/http11.py`, `_sync/http2.py`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tallyspan.usage.observe import ResponseHead
from tallyspan.wire.guard import Guard

_HTTP2_ANSWER = 2
"""Parts of HTTP/2's answer: status and headers; HTTP/1.1 has its version and a reason besides."""


@dataclass(slots=True)
class Exchange:
    """
    One request on the wire and, if it came, the head of its answer.

    Both are kept as httpcore gave them and read only where an attempt went wrong.
    """

    request: Any
    started_ns: int
    body_sent: bool = False
    answer: Any = None

    @property
    def is_post(self) -> bool:
        """Tell a request of the API from a proxy's CONNECT, or a redirected GET."""
        method: bytes = self.request.method
        return method == b"POST"

    @property
    def host(self) -> str:
        """The host that got it."""
        host: bytes = self.request.url.host
        return host.decode("ascii")

    @property
    def port(self) -> int | None:
        """The port that got it; None for the scheme's own."""
        port: int | None = self.request.url.port
        return port

    @property
    def head(self) -> ResponseHead | None:
        """Read HTTP/1.1's (version, status, reason, headers) or HTTP/2's (status, headers); None without answer."""
        if self.answer is None:
            return None
        status, headers = self.answer if len(self.answer) == _HTTP2_ANSWER else (self.answer[1], self.answer[3])
        return head_of(status, {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in headers}.get)


def head_of(status: int, header: Callable[[str], str | None]) -> ResponseHead:
    """Keep what a record needs of an answer's head. Header names: OpenAI API reference, debugging requests."""
    return ResponseHead(
        status=status,
        request_id=header("x-request-id"),
        organization=header("openai-organization"),
        project=header("openai-project"),
    )


@dataclass(slots=True)
class Exchanges:
    """All exchanges of one attempt in order; `heard` tells whether the transport traces at all."""

    clock_ns: Callable[[], int]
    heard: bool = False
    made: list[Exchange] = field(default_factory=list[Exchange])

    @property
    def last_post(self) -> Exchange | None:
        """The last request of the API; None if none went out, or the transport is silent."""
        return next((exchange for exchange in reversed(self.made) if exchange.is_post), None)

    def note(self, name: str, event: dict[str, Any]) -> None:
        """Take one trace event; most tell nothing of an exchange and cost one look-up."""
        self.heard = True
        what = _TOLD.get(name)
        if what is not None:
            what(self, event)

    def started(self, event: dict[str, Any]) -> None:
        """Begin an exchange."""
        self.made.append(Exchange(event["request"], self.clock_ns()))

    def sent(self, _event: dict[str, Any]) -> None:
        """Note that the whole body is on the wire."""
        self.made[-1].body_sent = True

    def answered(self, event: dict[str, Any]) -> None:
        """Note the head of the answer."""
        self.made[-1].answer = event["return_value"]


_STEPS: tuple[tuple[str, Callable[[Exchanges, dict[str, Any]], None]], ...] = (
    ("send_request_headers.started", Exchanges.started),
    ("send_request_body.complete", Exchanges.sent),
    ("receive_response_headers.complete", Exchanges.answered),
)

_TOLD = {f"{protocol}.{step}": note for protocol in ("http11", "http2") for step, note in _STEPS}

Trace = Callable[[str, dict[str, Any]], Any]


def traced(exchanges: Exchanges, guard: Guard, own: Trace | None) -> Trace:
    """Make a `trace` callback for a sync transport; the application's own is called first and is never broken."""

    def trace(name: str, event: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever the application's returns
        returned = None if own is None else own(name, event)
        guard.run("a trace", exchanges.note, name, event)
        return returned

    return trace


def traced_async(exchanges: Exchanges, guard: Guard, own: Trace | None) -> Trace:
    """Make a `trace` callback for an async transport, which must be a coroutine function."""

    async def trace(name: str, event: dict[str, Any]) -> None:
        returned = None if own is None else own(name, event)
        if inspect.isawaitable(returned):
            await returned
        guard.run("a trace", exchanges.note, name, event)

    return trace
