"""The story of a call: one CLIENT span, and one below it for every attempt that failed before another was made."""

from collections.abc import Mapping

from opentelemetry.context import Context, get_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from tallyspan.books.fields import Attributes, Value
from tallyspan.books.record import UsageRecord
from tallyspan.books.rows import count_attributes, span_attributes
from tallyspan.books.sink import CallEnd, CallStart

_TOLD_BY_OTHERS = (
    "opentelemetry.genai.client.inference.context",
    "opentelemetry.genai.client.embedding.context",
    "opentelemetry.genai.client.retrieval.context",
    "opentelemetry.genai.client.fetch_response.context",
)
"""Context keys by which an instrumentation built on opentelemetry-util-genai says that it tells of this call."""

_ATTEMPT_FIELDS = frozenset(
    {
        "tallyspan.record.id",
        "tallyspan.record.state",
        "tallyspan.record.reason",
        "tallyspan.record.billable",
        "tallyspan.call.id",
        "tallyspan.attempt",
        "tallyspan.request_id",
        "http.response.status_code",
        "server.address",
        "server.port",
    }
)
"""What an attempt's span carries. No `gen_ai.*`: whoever counts those would count the call twice."""


def is_told_by_others(context: Context) -> bool:
    """Whether instrumentation is switched off here, or another instrumentation makes the span of this call."""
    return not is_instrumentation_enabled() or any(get_value(key, context) is not None for key in _TOLD_BY_OTHERS)


def start_attributes(start: CallStart) -> dict[str, str | int | float | bool]:
    """Give what is known before the call, for samplers to decide upon."""
    known: Mapping[str, str | int | float | bool | None] = {
        "gen_ai.operation.name": start.operation,
        "gen_ai.provider.name": start.provider,
        "gen_ai.request.model": start.request_model,
        "server.address": start.server_address,
        "server.port": start.server_port,
        "openai.api.type": start.api_type,
        "gen_ai.request.stream": start.stream or None,
        "tallyspan.endpoint": start.endpoint,
        "tallyspan.call.id": start.call_id,
        **start.parameters,
    }
    return {name: value for name, value in known.items() if value is not None}


def end_attributes(end: CallEnd, known: Mapping[str, object]) -> Attributes:
    """Give what the last attempt's record adds, line 0's counts among it. An explicit zero stays one."""
    if not end.records:
        return {}
    last = end.records[-1]
    told = {name: value for name, value in span_attributes(last).items() if known.get(name) != value}
    return told | count_attributes(last.lines[0])


class Spans:
    """Begins and ends spans; knows of no call between the two."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, start: CallStart, context: Context) -> Span:
        """Begin a call's span below what is current in `context`; nothing is made current."""
        return self._tracer.start_span(
            f"{start.operation} {start.request_model}" if start.request_model else start.operation,
            context,
            SpanKind.CLIENT,
            start_attributes(start),
            start_time=start.started_ns,
        )

    def end(self, span: Span, start: CallStart, end: CallEnd) -> None:
        """End a call's span at the call's own end, from any thread."""
        if span.is_recording():
            attributes = end_attributes(end, start_attributes(start))
            if end.first_chunk_ns is not None:
                seconds = (end.first_chunk_ns - start.started_ns) / 1e9
                span.set_attribute("gen_ai.response.time_to_first_chunk", seconds)
            if end.error_type is not None:
                attributes["error.type"] = end.error_type
                span.set_status(Status(StatusCode.ERROR))
            span.set_attributes(attributes)
            if len(end.records) > 1:
                self._tell_failed_attempts(span, end.records)
        span.end(end.ended_ns)

    def _tell_failed_attempts(self, parent: Span, records: tuple[UsageRecord, ...]) -> None:
        context = set_span_in_context(parent, Context())
        for record in records:
            if record.error_type is None:
                continue
            attributes: dict[str, Value] = {"error.type": record.error_type}
            attributes |= {name: value for name, value in span_attributes(record).items() if name in _ATTEMPT_FIELDS}
            child = self._tracer.start_span(
                f"attempt {record.attempt}", context, SpanKind.CLIENT, attributes, start_time=record.started_ns
            )
            child.set_status(Status(StatusCode.ERROR))
            child.end(record.ended_ns)
