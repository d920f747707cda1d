"""The calls that are under way, so that what belongs to one call is told together."""

from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from tallyspan.books.otlp_json import TraceContext
from tallyspan.books.sink import CallStart


@dataclass(frozen=True, slots=True)
class OpenCall:
    """
    A call under way.

    Attributes:
        context: Holds the call's span; where we make none, what was current when the call began.
        span: None if we make none.
        told: Whether this call gets a span and metrics of ours; the record is written in any case.
    """

    start: CallStart
    context: Context
    span: Span | None
    told: bool


class OpenCalls:
    """Calls by their id. Every step is a single atomic one of a dictionary, so that no lock is needed."""

    def __init__(self) -> None:
        self._calls: dict[str, OpenCall] = {}

    def open(self, call: OpenCall) -> None:
        """Remember a call until it is closed."""
        self._calls[call.start.call_id] = call

    def close(self, call_id: str) -> OpenCall | None:
        """Forget a call, and give it; None if it is not open."""
        return self._calls.pop(call_id, None)

    def forget(self) -> None:
        """Forget all calls: in a forked child they are the parent's."""
        self._calls.clear()

    def get(self, call_id: str) -> OpenCall | None:
        """Give a call that is open."""
        return self._calls.get(call_id)

    def context_of(self, call_id: str) -> Context | None:
        """Give the context that a log record of this call belongs to."""
        call = self._calls.get(call_id)
        return None if call is None else call.context

    def trace_of(self, call_id: str) -> TraceContext | None:
        """Give the span that a log record of this call belongs to; None if there is no valid one."""
        context = self.context_of(call_id)
        if context is None:
            return None
        span = get_current_span(context).get_span_context()
        return TraceContext(span.trace_id, span.span_id, span.trace_flags) if span.is_valid else None
