"""The story of a call: one CLIENT span, and one below it for every attempt that failed before another was made."""

from dataclasses import fields

from opentelemetry.context import Context, get_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from tallyspan.books.fields import RECORD_FIELDS, Value
from tallyspan.books.record import UsageRecord
from tallyspan.books.rows import count_attributes, writer_of
from tallyspan.books.sink import CallEnd, CallStart

_TOLD_BY_OTHERS = (
    "opentelemetry.genai.client.inference.context",
    "opentelemetry.genai.client.embedding.context",
    "opentelemetry.genai.client.retrieval.context",
    "opentelemetry.genai.client.fetch_response.context",
)
"""Context keys by which an instrumentation built on opentelemetry-util-genai says that it tells of this call."""

_ON_SPAN = tuple(field for field in RECORD_FIELDS if field.on_span)
_KNOWN_AT_START = frozenset(field.name for field in fields(CallStart))
_ABOUT_AN_ATTEMPT = frozenset(
    {"record_id", "state", "reason", "billable", "call_id", "attempt", "request_id", "http_status", "error_type"}
)
"""What an attempt's span carries. No `gen_ai.*`: whoever counts those would count the call twice."""

start_attributes = writer_of((field for field in _ON_SPAN if field.path in _KNOWN_AT_START), CallStart)
_end_attributes = writer_of((field for field in _ON_SPAN if field.path not in _KNOWN_AT_START), UsageRecord)
_attempt_attributes = writer_of((field for field in RECORD_FIELDS if field.path in _ABOUT_AN_ATTEMPT), UsageRecord)


def is_told_by_others(context: Context) -> bool:
    """Whether instrumentation is switched off here, or another instrumentation makes the span of this call."""
    return not is_instrumentation_enabled() or any(get_value(key, context) is not None for key in _TOLD_BY_OTHERS)


def end_attributes(end: CallEnd, start: CallStart) -> dict[str, Value | float]:
    """Give what the call's last attempt adds, the counts of its line 0 among it. An explicit zero stays one."""
    attributes: dict[str, Value | float] = {}
    if end.records:
        last = end.records[-1]
        attributes.update(_end_attributes(last))
        attributes.update(count_attributes(last.lines[0]))
    if end.first_chunk_ns is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = (end.first_chunk_ns - start.started_ns) / 1e9
    if end.error_type is not None:
        attributes["error.type"] = end.error_type
    return attributes


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
            {**start_attributes(start), **start.parameters},
            start_time=start.started_ns,
        )

    def end(self, span: Span, start: CallStart, end: CallEnd) -> None:
        """End a call's span at the call's own end, from any thread."""
        if span.is_recording():
            span.set_attributes(end_attributes(end, start))
            if end.error_type is not None:
                span.set_status(Status(StatusCode.ERROR))
            if len(end.records) > 1:
                self._tell_failed_attempts(span, end.records)
        span.end(end.ended_ns)

    def _tell_failed_attempts(self, parent: Span, records: tuple[UsageRecord, ...]) -> None:
        context = set_span_in_context(parent, Context())
        for record in records:
            if record.error_type is None:
                continue
            child = self._tracer.start_span(
                f"attempt {record.attempt}",
                context,
                SpanKind.CLIENT,
                _attempt_attributes(record),
                start_time=record.started_ns,
            )
            child.set_status(Status(StatusCode.ERROR))
            child.end(record.ended_ns)
