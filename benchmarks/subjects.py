"""Who is measured: each switches itself on over the same OpenTelemetry SDK, whose exporters do nothing."""

import importlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from openai.resources.chat.completions import Completions
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Tracer

from tallyspan.instrumentor import TallyspanInstrumentor


class _NoSpans(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the exporter's protocol
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...


class _NoLogs(LogRecordExporter):
    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002 - as above
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002 - as above
        return True

    def shutdown(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sdk:
    """The OpenTelemetry SDK, whole but for its exporters."""

    tracers: TracerProvider = field(default_factory=TracerProvider)
    meters: MeterProvider = field(default_factory=lambda: MeterProvider([InMemoryMetricReader()]))
    loggers: LoggerProvider = field(default_factory=LoggerProvider)

    def __post_init__(self) -> None:
        self.tracers.add_span_processor(BatchSpanProcessor(_NoSpans()))
        self.loggers.add_log_record_processor(BatchLogRecordProcessor(_NoLogs()))

    def flush(self) -> None:
        """Export what waits."""
        self.tracers.force_flush()
        self.loggers.force_flush()


def _plain(_sdk: Sdk) -> None:
    """Change nothing: what is measured then is the noise."""


def _floor(sdk: Sdk) -> None:
    """Do by hand the least that a span and the conventions' metrics take: 12 attributes, 3 points, no context."""
    tracer, meter = sdk.tracers.get_tracer("floor"), sdk.meters.get_meter("floor")
    duration = meter.create_histogram("gen_ai.client.operation.duration", "s")
    tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
    create: Callable[..., Any] = Completions.create

    def tell(answer: Any, tracer: Tracer, asked: Mapping[str, Any]) -> None:  # noqa: ANN401 - whole answer or last chunk
        span = tracer.start_span(f"chat {asked['model']}", kind=SpanKind.CLIENT)
        usage = answer.usage
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": asked["model"],
                "gen_ai.request.temperature": asked["temperature"],
                "gen_ai.response.model": answer.model,
                "gen_ai.response.id": answer.id,
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.usage.input_tokens": usage.prompt_tokens if usage else 0,
                "gen_ai.usage.output_tokens": usage.completion_tokens if usage else 0,
                "openai.response.service_tier": "default",
                "server.address": "api.openai.com",
                "server.port": 443,
            }
        )
        span.end()
        labels = {"gen_ai.operation.name": "chat", "gen_ai.request.model": asked["model"]}
        duration.record(0.001, labels)
        tokens.record(usage.prompt_tokens if usage else 0, labels | {"gen_ai.token.type": "input"})
        tokens.record(usage.completion_tokens if usage else 0, labels | {"gen_ai.token.type": "output"})

    def told(self: Any, **asked: Any) -> Any:  # noqa: ANN401 - as the method that it stands for
        answer = create(self, **asked)
        if not asked.get("stream"):
            tell(answer, tracer, asked)
            return answer
        return _watched(answer, lambda last: tell(last, tracer, asked))

    Completions.create = told  # type: ignore[method-assign]


def _watched(chunks: Iterator[Any], tell: Callable[[Any], None]) -> Iterator[Any]:
    chunk = None
    for chunk in chunks:
        yield chunk
    tell(chunk)


def _official(sdk: Sdk) -> None:
    """Switch opentelemetry-instrumentation-genai-openai on, as it comes."""
    plugin = importlib.import_module("opentelemetry.instrumentation.genai.openai").OpenAIInstrumentor()
    plugin.instrument(tracer_provider=sdk.tracers, meter_provider=sdk.meters, logger_provider=sdk.loggers)


def _events(sdk: Sdk) -> None:
    """Switch tallyspan on, as it comes: the books are log events."""
    TallyspanInstrumentor().instrument(
        tracer_provider=sdk.tracers, meter_provider=sdk.meters, logger_provider=sdk.loggers
    )


def _spool(sdk: Sdk) -> None:
    """Switch tallyspan on with the durable road: an intent and a result written to a file for each attempt."""
    os.environ["TALLYSPAN_SPOOL"] = tempfile.mkdtemp(prefix="tallyspan-bench-")
    _events(sdk)


SUBJECTS: Mapping[str, Callable[[Sdk], None]] = {
    "plain, again": _plain,
    "hand-written floor": _floor,
    "genai-openai": _official,
    "tallyspan, events": _events,
    "tallyspan, spool": _spool,
}

_PATCHED = (Completions, openai.OpenAI, *openai.OpenAI.__mro__[1:-1], httpx2.Client, *httpx2.Client.__mro__[1:-1])
"""Classes on which a subject may put its wrappers, as far as the workload goes through them."""


class Switch:
    """Exchanges the methods of a plain process and those of a subject, so that one process holds both."""

    def __init__(self, install: Callable[[], None]) -> None:
        plain = [dict(vars(owner)) for owner in _PATCHED]
        install()
        self._exchanged = [
            (owner, name, before.get(name), now)
            for owner, before in zip(_PATCHED, plain, strict=True)
            for name, now in vars(owner).items()
            if callable(now) and before.get(name) is not now
        ]

    def turn(self, *, on: bool) -> None:
        """Put the subject's methods in, or the plain ones."""
        for owner, name, plain, patched in self._exchanged:
            if on:
                setattr(owner, name, patched)
            elif plain is None:
                delattr(owner, name)
            else:
                setattr(owner, name, plain)
