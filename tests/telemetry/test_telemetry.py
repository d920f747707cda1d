"""What a call leaves behind in a real OpenTelemetry SDK."""

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import count

import pytest
from inline_snapshot import snapshot
from opentelemetry import baggage, context, trace
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from tallyspan.books.assemble import assemble
from tallyspan.books.journal import Journal
from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Billable, Bounds, Entry, Kind, Phase, Reason, State, UsageLine, UsageRecord
from tallyspan.books.rows import Part, from_row
from tallyspan.books.sink import CallEnd, CallStart
from tallyspan.telemetry.attribution import attribution
from tallyspan.telemetry.events import NO_ROAD, Events
from tallyspan.telemetry.metrics import Metrics, Semconv
from tallyspan.telemetry.open_calls import OpenCalls
from tallyspan.telemetry.sink import Telemetry
from tallyspan.telemetry.spans import Spans

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND

START = CallStart(
    call_id="c1",
    started_ns=T0,
    operation="chat",
    provider="openai",
    endpoint="/chat/completions",
    api_type="chat_completions",
    request_model="gpt-5",
    server_address="api.openai.com",
    server_port=443,
    stream=False,
    parameters={"gen_ai.request.temperature": 0.5},
)
RECORD = UsageRecord(
    record_id="r1",
    state=State.MEASURED,
    billable=Billable.YES,
    requests=1,
    started_ns=T0 + SECOND,
    ended_ns=T0 + 2 * SECOND,
    call_id="c1",
    attempt=1,
    operation="chat",
    provider="openai",
    endpoint="/chat/completions",
    api_type="chat_completions",
    server_address="api.openai.com",
    server_port=443,
    request_model="gpt-5",
    response_id="chatcmpl-1",
    request_id="req_2",
    finish_reasons=("stop",),
    service_tier="default",
    http_status=200,
    lines=(UsageLine("gpt-5-2025", counts={Quantity.INPUT: 9, Quantity.INPUT_CACHED: 0, Quantity.OUTPUT: 3}),),
)
TIMED_OUT = replace(
    RECORD,
    record_id="r0",
    state=State.FLAGGED,
    reason=Reason.TIMED_OUT,
    billable=Billable.MAYBE,
    bounds=Bounds(input_min=0, output_min=0, output_max=100),
    started_ns=T0,
    ended_ns=T0 + SECOND,
    attempt=0,
    error_type="httpx.ReadTimeout",
    response_id=None,
    request_id=None,
    finish_reasons=(),
    service_tier=None,
    http_status=None,
    lines=(UsageLine(),),
)
END = CallEnd(call_id="c1", ended_ns=T0 + 2 * SECOND, first_chunk_ns=None, error_type=None, records=(RECORD,))


@dataclass(frozen=True)
class Bench:
    """The real SDK in memory, and the sink composed as the root composes it."""

    sink: Telemetry
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    logs: InMemoryLogRecordExporter
    faults: list[tuple[str, Exception]]

    def run(self, end: CallEnd = END, start: CallStart = START) -> None:
        detach = self.sink.call_started(start)
        for record in end.records:
            self.sink.attempt_started(replace(record, phase=Phase.INTENT, ended_ns=None))
            self.sink.attempt_ended(record)
        detach()
        self.sink.call_ended(end)

    def entries(self) -> list[object]:
        return [
            from_row(log.log_record.event_name or "", log.log_record.timestamp or 0, log.log_record.attributes or {})
            for log in self.logs.get_finished_logs()
        ]

    def points(self) -> dict[str, list[tuple[dict[str, object], float]]]:
        data = self.metrics.get_metrics_data()
        points: dict[str, list[tuple[dict[str, object], float]]] = {}
        for metric in () if data is None else data.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.data.data_points:
                assert isinstance(point, NumberDataPoint | HistogramDataPoint)
                value = point.value if isinstance(point, NumberDataPoint) else point.sum
                points.setdefault(metric.name, []).append((dict(point.attributes or {}), value))
        return points


_new_logs: Callable[[], InMemoryLogRecordExporter] = InMemoryLogRecordExporter


def bench(names: Semconv = "current", sampler: Sampler = ALWAYS_ON) -> Bench:
    spans, metrics, logs = InMemorySpanExporter(), InMemoryMetricReader(), _new_logs()
    tracer_provider = TracerProvider(sampler=sampler)
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    faults: list[tuple[str, Exception]] = []
    open_calls = OpenCalls()
    events = Events(logger_provider, "1.2.3", open_calls.context_of, pytest.fail)
    ids = count()
    sink = Telemetry(
        open_calls=open_calls,
        spans=Spans(tracer_provider.get_tracer("tallyspan")),
        metrics=Metrics(MeterProvider([metrics]).get_meter("tallyspan"), names),
        journal=Journal(events.write, lambda: T0, lambda: f"w{next(ids)}"),
        intents=False,
        report=lambda doing, fault: faults.append((doing, fault)),
    )
    return Bench(sink, spans, metrics, logs, faults)


def told(span: ReadableSpan) -> dict[str, object]:
    return {
        "name": span.name,
        "kind": span.kind.name,
        "seconds": ((span.start_time or 0) - T0, (span.end_time or 0) - T0),
        "status": (span.status.status_code.name, span.status.description),
        "attributes": dict(span.attributes or {}),
    }


def test_a_call_is_one_span_with_its_own_times() -> None:
    desk = bench()
    desk.run()
    assert [told(span) for span in desk.spans.get_finished_spans()] == snapshot(
        [
            {
                "name": "chat gpt-5",
                "kind": "CLIENT",
                "seconds": (0, 2000000000),
                "status": ("UNSET", None),
                "attributes": {
                    "tallyspan.call.id": "c1",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "tallyspan.endpoint": "/chat/completions",
                    "openai.api.type": "chat_completions",
                    "server.address": "api.openai.com",
                    "server.port": 443,
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.request.temperature": 0.5,
                    "tallyspan.record.id": "r1",
                    "tallyspan.record.state": State.MEASURED,
                    "tallyspan.record.billable": Billable.YES,
                    "tallyspan.attempt": 1,
                    "gen_ai.response.id": "chatcmpl-1",
                    "tallyspan.request_id": "req_2",
                    "openai.response.service_tier": "default",
                    "gen_ai.response.finish_reasons": ("stop",),
                    "http.response.status_code": 200,
                    "gen_ai.response.model": "gpt-5-2025",
                    "gen_ai.usage.input_tokens": 9,
                    "gen_ai.usage.cache_read.input_tokens": 0,
                    "gen_ai.usage.output_tokens": 3,
                },
            }
        ]
    )
    assert desk.faults == []


def test_a_retried_call_has_a_span_for_each_failed_attempt() -> None:
    desk = bench()
    desk.run(replace(END, records=(TIMED_OUT, RECORD)))
    failed, call = desk.spans.get_finished_spans()
    assert failed.parent is not None
    assert call.context is not None
    assert failed.parent.span_id == call.context.span_id
    assert not any(name.startswith("gen_ai.") for name in failed.attributes or {})
    assert told(failed) == snapshot(
        {
            "name": "attempt 0",
            "kind": "CLIENT",
            "seconds": (0, 1000000000),
            "status": ("ERROR", None),
            "attributes": {
                "tallyspan.record.id": "r0",
                "tallyspan.record.state": State.FLAGGED,
                "tallyspan.record.reason": Reason.TIMED_OUT,
                "tallyspan.record.billable": Billable.MAYBE,
                "tallyspan.call.id": "c1",
                "tallyspan.attempt": 0,
                "error.type": "httpx.ReadTimeout",
            },
        }
    )
    assert call.status.is_ok or call.status.is_unset


def test_a_failed_call_is_an_error_with_its_type() -> None:
    desk = bench()
    desk.run(replace(END, error_type="openai.APITimeoutError", records=(TIMED_OUT,)))
    (call,) = desk.spans.get_finished_spans()
    assert call.status.status_code is trace.StatusCode.ERROR
    assert (call.attributes or {})["error.type"] == "openai.APITimeoutError"
    assert "gen_ai.usage.input_tokens" not in (call.attributes or {})


def test_a_call_without_an_attempt_still_ends() -> None:
    desk = bench()
    desk.run(replace(END, records=()))
    assert [span.end_time for span in desk.spans.get_finished_spans()] == [END.ended_ns]


def test_the_span_is_current_only_until_the_call_returns() -> None:
    desk = bench()
    before = context.get_current()
    detach = desk.sink.call_started(START)
    assert trace.get_current_span().get_span_context().is_valid
    detach()
    assert context.get_current() == before


def test_the_record_carries_the_trace_of_its_call_also_when_the_caller_is_gone() -> None:
    desk = bench()
    detach = desk.sink.call_started(START)
    span = trace.get_current_span().get_span_context()
    detach()
    desk.sink.attempt_ended(RECORD)
    desk.sink.call_ended(END)
    log = desk.logs.get_finished_logs()[-1].log_record
    assert (log.trace_id, log.span_id) == (span.trace_id, span.span_id)


def test_the_books_come_through_the_sdk_unchanged() -> None:
    desk = bench()
    search = UsageLine(item="web_search", counts={Quantity.INPUT: 2})
    two_lines = replace(RECORD, record_id="r2", lines=(*RECORD.lines, search), attributes={"tenant": "t"})
    desk.run(replace(END, records=(TIMED_OUT, RECORD)))
    desk.sink.attempt_ended(two_lines)
    start, first, second, *parts = desk.entries()
    assert isinstance(start, Entry)
    assert start.sequence == 0
    assert (first, second) == (Entry("w0", 1, TIMED_OUT), Entry("w0", 2, RECORD))
    assert assemble(part for part in parts if isinstance(part, Part)) == (Entry("w0", 3, two_lines),)


def test_no_sampling_drops_a_record() -> None:
    desk = bench(sampler=ALWAYS_OFF)
    desk.run()
    assert desk.spans.get_finished_spans() == ()
    assert desk.entries()[1:] == [Entry("w0", 1, RECORD)]


@contextmanager
def told_by_another(key: str) -> Generator[None]:
    token = context.attach(context.set_value(key, object()))
    try:
        yield
    finally:
        context.detach(token)


@pytest.mark.parametrize(
    "elsewhere",
    [suppress_instrumentation, partial(told_by_another, "opentelemetry.genai.client.inference.context")],
    ids=["suppressed", "another instrumentation"],
)
def test_a_call_that_others_tell_leaves_a_record_and_nothing_else(
    elsewhere: Callable[[], AbstractContextManager[None]],
) -> None:
    desk = bench()
    with elsewhere():
        desk.run()
    assert desk.spans.get_finished_spans() == ()
    assert desk.points() == {}
    assert desk.entries()[1:] == [Entry("w0", 1, RECORD)]


def test_a_call_that_others_tell_is_joined_to_their_span() -> None:
    desk = bench()
    theirs = TracerProvider().get_tracer("theirs")
    with theirs.start_as_current_span("chat") as span, suppress_instrumentation():
        desk.run()
    assert desk.logs.get_finished_logs()[-1].log_record.span_id == span.get_span_context().span_id


def test_metrics_of_today() -> None:
    desk = bench("current")
    desk.run(replace(END, first_chunk_ns=T0 + SECOND // 2, records=(TIMED_OUT, RECORD)))
    assert desk.points() == snapshot(
        {
            "gen_ai.client.operation.duration": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                    },
                    2.0,
                )
            ],
            "gen_ai.client.operation.time_to_first_chunk": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                    },
                    0.5,
                )
            ],
            "gen_ai.client.token.usage": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.type": "input",
                    },
                    9,
                ),
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.type": "output",
                    },
                    3,
                ),
            ],
            "tallyspan.tokens": [
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "openai.response.service_tier": "default",
                        "tallyspan.quantity": Quantity.INPUT,
                    },
                    9,
                ),
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "openai.response.service_tier": "default",
                        "tallyspan.quantity": Quantity.INPUT_CACHED,
                    },
                    0,
                ),
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "openai.response.service_tier": "default",
                        "tallyspan.quantity": Quantity.OUTPUT,
                    },
                    3,
                ),
            ],
            "tallyspan.attempts": [
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "tallyspan.record.state": State.FLAGGED,
                        "tallyspan.record.reason": Reason.TIMED_OUT,
                        "tallyspan.record.billable": Billable.MAYBE,
                    },
                    1,
                ),
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "tallyspan.record.state": State.MEASURED,
                        "tallyspan.record.billable": Billable.YES,
                    },
                    1,
                ),
            ],
            "tallyspan.tokens_unknown": [
                (
                    {
                        "gen_ai.provider.name": "openai",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-5",
                        "tallyspan.record.reason": Reason.TIMED_OUT,
                        "gen_ai.token.type": "output",
                    },
                    100,
                )
            ],
        }
    )


def test_metrics_to_come() -> None:
    desk = bench("next")
    desk.run()
    points = {name: values for name, values in desk.points().items() if name.startswith("gen_ai.")}
    assert points == snapshot(
        {
            "gen_ai.client.inference.duration": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                    },
                    2.0,
                )
            ],
            "gen_ai.client.inference.usage.input_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.modality": "unknown",
                    },
                    9,
                )
            ],
            "gen_ai.client.inference.usage.output_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.modality": "unknown",
                    },
                    3,
                )
            ],
            "gen_ai.client.inference.usage.cache_read.input_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.modality": "unknown",
                    },
                    0,
                )
            ],
            "gen_ai.client.inference.usage.cache_write.input_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.modality": "unknown",
                    },
                    0,
                )
            ],
            "gen_ai.client.inference.usage.reasoning.output_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                        "gen_ai.token.modality": "unknown",
                    },
                    0,
                )
            ],
            "gen_ai.client.inference.operation.input_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                    },
                    9,
                )
            ],
            "gen_ai.client.inference.operation.output_tokens": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-5",
                        "gen_ai.response.model": "gpt-5-2025",
                        "server.address": "api.openai.com",
                        "server.port": 443,
                        "openai.response.service_tier": "default",
                    },
                    3,
                )
            ],
        }
    )


def test_both_names_are_the_union() -> None:
    names: list[set[str]] = []
    for conventions in ("current", "next", "both"):
        desk = bench(conventions)
        desk.run()
        desk.run(start=replace(START, operation="embeddings"))
        names.append(set(desk.points()))
    assert names[2] == names[0] | names[1]
    assert not any(name.startswith("gen_ai.client.operation") for name in names[1])


def test_a_settlement_is_counted_apart_and_a_reread_not_at_all() -> None:
    desk = bench()
    desk.sink.attempt_ended(replace(RECORD, kind=Kind.SETTLEMENT))
    desk.sink.attempt_ended(replace(RECORD, kind=Kind.REREAD))
    points = desk.points()
    assert set(points) == {"tallyspan.settled_tokens"}
    assert sorted(value for _, value in points["tallyspan.settled_tokens"]) == [0, 3, 9]


def test_counters_of_a_forked_child_begin_at_nothing() -> None:
    desk = bench()
    desk.run()
    desk.sink.metrics.counters.reset()
    desk.sink.journal.reset()
    desk.sink.attempt_ended(RECORD)
    assert [value for _, value in desk.points()["tallyspan.attempts"]] == [1]
    assert {entry.writer_id for entry in desk.entries() if isinstance(entry, Entry)} == {"w0", "w1"}


def test_label_sets_do_not_fill_memory() -> None:
    desk = bench()
    for number in range(3000):
        start = replace(START, request_model=f"m{number}")
        desk.sink.metrics.measure(start, END, context.Context())
    assert len(desk.points()["gen_ai.client.operation.duration"]) >= 1


_new_sink: Callable[..., Telemetry] = Telemetry


class _Broken:
    """Whatever is called on it, at any depth, fails."""

    def __getattr__(self, name: str) -> "_Broken":
        return self

    def __call__(self, *_args: object) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("part", ["spans", "metrics", "journal"])
def test_one_that_fails_does_not_stop_the_others(part: str) -> None:
    desk = bench()
    parts: dict[str, object] = {each.name: getattr(desk.sink, each.name) for each in fields(desk.sink)}
    replace(desk, sink=_new_sink(**(parts | {part: _Broken()}))).run()
    assert {type(fault) for _, fault in desk.faults} == {ZeroDivisionError}
    assert bool(desk.spans.get_finished_spans()) is (part != "spans")
    assert bool(desk.points()) is (part != "metrics")
    assert bool(desk.entries()) is (part != "journal")


def test_without_a_logs_provider_there_is_one_warning() -> None:
    warnings: list[str] = []
    events = Events(NoOpLoggerProvider(), "1.2.3", OpenCalls().context_of, warnings.append)
    for number in range(3):
        events.write(Entry("w", number, RECORD))
    assert warnings == [NO_ROAD]


def test_the_global_logs_provider_may_come_after_us() -> None:
    """In a process of its own: a global provider can be set only once."""
    code = """
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from tallyspan.books.record import Entry, Mark, MarkKind
from tallyspan.telemetry.attribution import attribution
from tallyspan.telemetry.events import Events
warnings = []
events = Events(None, "1.2.3", lambda call_id: None, warnings.append)
provider, logs = LoggerProvider(), InMemoryLogRecordExporter()
provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
set_logger_provider(provider)
events.write(Entry("w", 0, Mark(MarkKind.START, 5)))
(log,) = logs.get_finished_logs()
print(log.log_record.event_name, log.instrumentation_scope.name, warnings)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "tallyspan.writer tallyspan []\n"


def test_attribution_is_baggage_over_what_is_constant() -> None:
    owner = attribution(("tenant", "user"), {"tenant": "none", "app": "shop"})
    assert owner() == {"tenant": "none", "app": "shop"}
    token = context.attach(baggage.set_baggage("tenant", "t1", baggage.set_baggage("secret", "s")))
    try:
        assert owner() == {"tenant": "t1", "app": "shop"}
        assert attribution((), {"app": "shop"})() == {"app": "shop"}
    finally:
        context.detach(token)
