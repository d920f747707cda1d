"""An application with two who watch it: `python -m tests.rivals.app WATCHER...`, in the order of patching.

A process of its own, for the order of imports is what is tested: the first watcher comes before `openai` does. Prints
one JSON object: for each stage and shape what the application got, what the stand-in booked, what each watcher wrote.
"""

import asyncio
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Protocol, TypeAlias

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tallyspan.demo import StandIn
from tallyspan.instrumentor import TallyspanInstrumentor

Foreign: TypeAlias = Any
"""What comes from a library that is not installed where types are checked."""

OURS = "tallyspan"
_NESTED = 20
"""More than there are generators inside one another in a stream."""


class Watcher(Protocol):
    """Somebody who watches the client."""

    spans: InMemorySpanExporter

    def on(self) -> None: ...
    def off(self) -> None: ...


class Ours:
    """The plugin, on a real OpenTelemetry SDK of its own."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        in_memory: Foreign = log_export.InMemoryLogRecordExporter
        self.logs = in_memory()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self._loggers = LoggerProvider(shutdown_on_exit=False)
        self._loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))

    def on(self) -> None:
        TallyspanInstrumentor().instrument(tracer_provider=self._tracers, logger_provider=self._loggers)

    def off(self) -> None:
        TallyspanInstrumentor().uninstrument()

    def taken(self) -> list[Mapping[str, object]]:
        """Give the usage events since the last time."""
        TallyspanInstrumentor().flush()
        told = [data.log_record for data in self.logs.get_finished_logs()]
        self.logs.clear()
        return [dict(record.attributes) for record in told if record.event_name == "tallyspan.usage"]


class OpenInference:
    """openinference-instrumentation-openai."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self._instrumentor: Foreign = importlib.import_module(
            "openinference.instrumentation.openai"
        ).OpenAIInstrumentor()

    def on(self) -> None:
        self._instrumentor.instrument(tracer_provider=self._tracers)

    def off(self) -> None:
        self._instrumentor.uninstrument()


class Logfire:
    """`logfire.instrument_openai()`, which switches other instrumentations off inside its own calls."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self._logfire: Foreign = importlib.import_module("logfire")
        self._logfire.configure(
            send_to_logfire=False,
            console=False,
            metrics=False,
            additional_span_processors=[SimpleSpanProcessor(self.spans)],
        )
        self._stack = ExitStack()

    def on(self) -> None:
        self._patched = self._logfire.instrument_openai()

    def off(self) -> None:
        with self._patched:
            pass


WATCHERS: Mapping[str, Callable[[], Watcher]] = {OURS: Ours, "openinference": OpenInference, "logfire": Logfire}


def _told(span: ReadableSpan) -> object:
    """Give what can be compared of a span: everything but ids, times and what was said."""
    counts = {name: value for name, value in (span.attributes or {}).items() if "token" in name}
    return [span.name.split(" took ")[0], span.status.status_code.name, counts]


class Stage:
    """Runs shapes, with one sync and one async client; needs `openai`, and so is made when all who watch are there."""

    def __init__(self, api: StandIn, watching: Mapping[str, Watcher], runner: asyncio.Runner) -> None:
        self._guest: Foreign = importlib.import_module("tests.wire.guest")
        self._shapes: Foreign = importlib.import_module("tests.rivals.shapes")
        base: Foreign = importlib.import_module("openai._base_client")
        base.INITIAL_RETRY_DELAY = 0.001
        self._api = api
        self._watching = watching
        self._guests = {
            mode: self._guest.Guest(api, "Who goes there?", is_async=mode == "async") for mode in ("sync", "async")
        }
        self._runner = runner
        gc.freeze()  # what is there by now stays: to collect after every shape costs little
        self._stray: list[str] = []
        runner.get_loop().set_exception_handler(lambda _loop, what: self._stray.append(str(what.get("exception"))))
        sys.unraisablehook = lambda what: self._stray.append(str(what.exc_value))

    def play(self, which: str) -> dict[str, object]:
        """Run the shapes of a table, each sync and async."""
        return {
            f"{shape.name}, {mode}": self._run(shape, guest)
            for shape in getattr(self._shapes, which)
            for mode, guest in self._guests.items()
            if shape.fits(guest, mode)
        }

    def _run(self, shape: Foreign, guest: Foreign) -> dict[str, object]:
        before = len(self._api.ledger)
        self._api.plan(*shape.plan)
        work = _visit(shape, guest)
        result = self._runner.run(_alone(work)) if guest.is_async else self._guest.at_once(work)
        gc.collect()
        ours = self._watching.get(OURS)
        records = ours.taken() if isinstance(ours, Ours) else []
        told = {name: [_told(span) for span in _taken(one.spans)] for name, one in self._watching.items()}
        rows = [row.flat() for row in self._api.ledger[before:]]
        stray, self._stray = self._stray, []
        return {"result": result, "rows": rows, "records": records, "spans": told, "stray": stray}


async def _visit(shape: Foreign, guest: Foreign) -> object:
    try:
        return await shape.body(guest)
    except Exception as error:  # noqa: BLE001 - what it is, is compared
        return [type(error).__name__, str(error)]


async def _alone(work: Coroutine[object, object, object]) -> object:
    """Wait for the work, and let the event loop close what it left behind, one generator inside another."""
    result = await work
    gc.collect()
    for _ in range(_NESTED):
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)
    return result


def _taken(spans: InMemorySpanExporter) -> tuple[ReadableSpan, ...]:
    told = spans.get_finished_spans()
    spans.clear()
    return told


def main(names: list[str]) -> None:
    """Let them come in their order, play, and let them leave one by one."""
    with StandIn(seed=3) as api, asyncio.Runner() as runner:
        os.environ |= {"TALLYSPAN_HOSTS": api.host, "TALLYSPAN_CLIENT_REQUEST_ID": "on"}
        watching = {name: WATCHERS[name]() for name in names}
        for watcher in watching.values():
            watcher.on()
        stage = Stage(api, watching, runner)
        played: dict[str, object] = {"all watch": stage.play("SHAPES")}
        for name, watcher in watching.items():
            watcher.off()
            played[f"without {name}"] = stage.play("FEW")
            watcher.on()
            played[f"with {name} again"] = stage.play("FEW")
    json.dump(played, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
