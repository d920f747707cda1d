"""The guest: a probed copy of the plugin, switched on as an application does, over the real OpenTelemetry SDK."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.safety.house import inner
from tests.safety.probes import Edit, Probes, copied, unedited


class Road(StrEnum):
    """Where the books go."""

    EVENTS = "events"
    SPOOL = "spool"
    BROKEN_SPOOL = "broken spool"


class Heard(logging.Handler):
    """What is said in the log by the plugin, and by the OpenTelemetry SDK of a fault in a callback of ours."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    @property
    def ours(self) -> list[str]:
        """What the guard says."""
        return [line for line in self.lines if line.startswith("tallyspan: ")]

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Guest:
    """
    One copy of the plugin.

    Attributes:
        probes: Those of the copy.
        heard: What was logged, the last time that it was at work.
        said: What its guard said then.
    """

    def __init__(self, hosts: str, folder: Path, edit: Edit = unedited) -> None:
        self.probes = Probes()
        self.heard = Heard()
        self.said: list[str] = []
        self._hosts = hosts
        self._spool = folder / "spool"
        self._broken = folder / "a file"
        self._broken.touch()
        with copied(self.probes, edit) as import_module:
            self.root = import_module("tallyspan.instrumentor")
            ours = [module for name, module in sys.modules.items() if name.startswith("tallyspan.")]
        things = [thing for module in ours for thing in vars(module).values()]
        self._caches: list[Callable[[], None]] = [
            thing.cache_clear for thing in things if hasattr(thing, "cache_clear")
        ]
        self._instrumentor: Any = self.root.TallyspanInstrumentor()
        self._spans = InMemorySpanExporter()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        newer = hasattr(log_export, "InMemoryLogRecordExporter")
        name = "InMemoryLogRecordExporter" if newer else "InMemoryLogExporter"  # the older goes by 1.38's name
        self._logs: Any = getattr(log_export, name)()
        self._loggers = LoggerProvider(shutdown_on_exit=False)
        self._loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

    @contextmanager
    def at_work(self, road: Road = Road.EVENTS, stream_usage: str = "off", *, rests: bool = True) -> Generator[None]:
        """Be switched on, collect the metrics, be switched off; the last with nothing armed if the probes rest."""
        for forget in self._caches:
            forget()
        reader = InMemoryMetricReader()
        meters = MeterProvider([reader], shutdown_on_exit=False)
        with self._listening(), patch.dict(os.environ, self._environment(road, stream_usage)):
            self._instrumentor.instrument(
                tracer_provider=self._tracers, meter_provider=meters, logger_provider=self._loggers
            )
            self._listen_to_the_guard()
            try:
                yield
                self.settle()
                reader.get_metrics_data()
            finally:
                if rests:
                    self.probes.rest()
                plugin = inner(self.root, "TallyspanInstrumentor", "_plugin")
                self._instrumentor.uninstrument()
                self.probes.rest()
                self._clear(None if plugin is None else inner(plugin, "_spool"))

    @contextmanager
    def _listening(self) -> Generator[None]:
        self.heard.lines.clear()
        loggers = [logging.getLogger(name) for name in ("tallyspan", "opentelemetry")]
        for logger in loggers:
            logger.addHandler(self.heard)
            logger.propagate = False
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self.heard)
                logger.propagate = True

    def _listen_to_the_guard(self) -> None:
        """Note what this guard says; those of earlier times may still speak, when a collector finds what they watch."""
        self.said.clear()
        plugin = inner(self.root, "TallyspanInstrumentor", "_plugin")
        if plugin is None:
            return
        aloud = inner(plugin.guard, "_say")

        def say(text: str) -> None:
            self.said.append(text)
            aloud(text)

        vars(plugin.guard)["_say"] = say

    def _environment(self, road: Road, stream_usage: str) -> Mapping[str, str]:
        always = {
            "TALLYSPAN_HOSTS": self._hosts,
            "TALLYSPAN_STREAM_USAGE": stream_usage,
            "TALLYSPAN_API_KEY_HINT": "on",
            "TALLYSPAN_BAGGAGE_KEYS": "tenant",
            "TALLYSPAN_ATTRIBUTES": "team=a",
            "TALLYSPAN_SEMCONV": "both",
        }
        match road:
            case Road.EVENTS:
                return always
            case Road.SPOOL:
                return {**always, "TALLYSPAN_SPOOL": str(self._spool)}
            case Road.BROKEN_SPOOL:
                return {**always, "TALLYSPAN_SPOOL": str(self._broken)}

    def settle(self) -> None:
        """Wait until the plugin's thread has done what waits for it; its sign of life follows each step."""
        plugin = inner(self.root, "TallyspanInstrumentor", "_plugin")
        if plugin is None:  # it could not be switched on
            return
        closing = plugin.recorder.closing
        thread: threading.Thread | None = inner(closing, "_thread")
        queue: SimpleQueue[Callable[[], object]] = inner(closing, "_queue")
        for _ in range(2):
            done = threading.Event()
            queue.put(done.set)
            while thread is not None and thread.is_alive() and not done.wait(0.001):
                continue

    def _clear(self, spool: Any) -> None:  # noqa: ANN401 - of the copy
        """Leave nothing for the next time: the spool's file stays open as long as its process lives."""
        if spool is not None:
            spool.reset()
        self._spans.clear()
        self._logs.clear()
        for file in self._spool.glob("*"):
            file.unlink()
