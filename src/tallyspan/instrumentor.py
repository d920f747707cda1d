"""The plugin: what `opentelemetry-instrument` loads. Composition root 1: environment, settings, sink, patch."""

import json
import logging
import os
import time
from collections.abc import Collection
from importlib.metadata import version
from typing import TypedDict, Unpack

from opentelemetry._logs import LoggerProvider
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined,unused-ignore]
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import TracerProvider, get_tracer

from tallyspan.books.journal import Journal, Outlet
from tallyspan.books.otlp_json import SCOPE, Encoder
from tallyspan.settings import Settings, read_settings
from tallyspan.spool.writer import SpoolWriter
from tallyspan.telemetry.attribution import attribution
from tallyspan.telemetry.events import Events
from tallyspan.telemetry.metrics import Metrics
from tallyspan.telemetry.open_calls import OpenCalls
from tallyspan.telemetry.sink import Telemetry, with_fallback
from tallyspan.telemetry.spans import Spans
from tallyspan.wire.closing import Closing
from tallyspan.wire.guard import Guard
from tallyspan.wire.patch import Patch
from tallyspan.wire.policy import Policy, StreamUsage
from tallyspan.wire.recorder import Recorder

_LOGGER = logging.getLogger("tallyspan")
_VERSION = version("tallyspan")


class Providers(TypedDict, total=False):
    """OpenTelemetry providers to use instead of the global ones."""

    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    logger_provider: LoggerProvider


def _new_id() -> str:
    """Make an id that no other process can make: not from `random`, which an application may seed."""
    return os.urandom(16).hex()


def _loads(body: bytes) -> object:
    """Decode JSON by the SDK's own fast decoder; what that refuses (a lone surrogate) gets the standard one."""
    try:
        from jiter import from_json  # noqa: PLC0415 - comes with openai, which is imported by the time of a first body

        return from_json(body)
    except (ImportError, ValueError):
        return json.loads(body)


class Plugin:
    """
    All parts of the switched-on plugin.

    Args:
        settings: What the environment says.
        providers: OpenTelemetry providers; the global ones where absent, even if those are set later.
    """

    def __init__(self, settings: Settings, providers: Providers) -> None:
        self.guard = Guard()
        meter = get_meter(SCOPE, _VERSION, providers.get("meter_provider"))
        tracer = get_tracer(SCOPE, _VERSION, providers.get("tracer_provider"))
        self._open_calls = OpenCalls()
        self._metrics = Metrics(meter, settings.semconv)
        self._events = Events(providers.get("logger_provider"), _VERSION, self._open_calls.context_of, _LOGGER.warning)
        self._spool = self._spool_of(settings)
        self.journal = Journal(self._outlet(), time.time_ns, _new_id)
        sink = Telemetry(
            open_calls=self._open_calls,
            spans=Spans(tracer),
            metrics=self._metrics,
            journal=self.journal,
            intents=self._spool is not None,
            report=self.guard.failed,
        )
        closing = Closing(
            run=lambda step: self.guard.run("an end that waited", step),
            tick=lambda: self.journal.tick(time.time_ns()),
            at_exit=self._at_exit,
        )
        self.recorder = Recorder(
            policy=_policy(settings),
            sink=sink,
            guard=self.guard,
            closing=closing,
            clock_ns=time.time_ns,
            new_id=_new_id,
            loads=_loads,
        )

    def _spool_of(self, settings: Settings) -> SpoolWriter | None:
        if settings.spool is None:
            return None
        encoder = Encoder.of(settings.resource, _VERSION)
        return SpoolWriter(settings.spool, encoder, self._open_calls.trace_of, time.time_ns, _new_id)

    def _outlet(self) -> Outlet:
        if self._spool is None:
            return self._events.write
        return with_fallback(
            self._spool.write, self._events.write, self.guard.failed, self._metrics.counters.count_fallback
        )

    def _at_exit(self) -> None:
        """Write what is still open, and the writer's end."""
        self.recorder.close_open()
        self.journal.close()

    def forked(self) -> None:
        """Begin anew in a forked child: what waits, what is open and what was counted belongs to the parent."""
        self.recorder.closing.forget()
        self.recorder.forget_open()
        self._open_calls.forget()
        self.journal.reset()
        self._metrics.counters.reset()
        if self._spool is not None:
            self._spool.reset()


def _policy(settings: Settings) -> Policy:
    return Policy(
        hosts=settings.hosts,
        stream_usage=StreamUsage(settings.stream_usage),
        client_request_id=settings.client_request_id,
        api_key_hint=settings.api_key_hint,
        intents=settings.spool is not None,
        attribution=attribution(settings.baggage_keys, settings.attributes),
    )


class TallyspanInstrumentor(BaseInstrumentor):  # type: ignore[misc,unused-ignore]
    """
    Switches the plugin on and off.

    A singleton; both may be called twice. `instrument()` takes `tracer_provider`, `meter_provider` and
    `logger_provider`; everything else comes from the environment (docs/settings.md).
    """

    _patch = Patch()
    _guard = Guard()
    _plugin: Plugin | None = None
    _fork_hook = False

    def instrumentation_dependencies(self) -> Collection[str]:
        return ("openai >= 1.40, < 4",)

    def flush(self) -> None:
        """Write now the ends that wait for the next call: of streams that were closed or dropped."""
        if self._plugin is not None:
            self._guard.run("flushing", self._plugin.recorder.closing.drain)

    def _instrument(self, **kwargs: Unpack[Providers]) -> None:
        # under the guard: after a fault `opentelemetry-instrument` would give up on those that come after us
        self._guard.run("switching on", self._switch_on, kwargs)

    def _uninstrument(self, **_kwargs: object) -> None:
        self._guard.run("switching off", self._switch_off)

    def _switch_on(self, providers: Providers) -> None:
        settings, complaints = read_settings(os.environ)
        for complaint in complaints:
            _LOGGER.warning("%s", complaint)
        plugin = Plugin(settings, providers)
        TallyspanInstrumentor._plugin = plugin
        self._patch.install(plugin.recorder)
        if not TallyspanInstrumentor._fork_hook:
            TallyspanInstrumentor._fork_hook = True
            os.register_at_fork(after_in_child=self._forked)

    def _switch_off(self) -> None:
        self._patch.uninstall()
        plugin, TallyspanInstrumentor._plugin = self._plugin, None
        if plugin is not None:
            plugin.recorder.closing.stop()

    def _forked(self) -> None:
        if self._plugin is not None:
            self._plugin.guard.run("a fork", self._plugin.forked)
