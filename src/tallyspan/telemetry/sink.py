"""One sink of three: spans, metrics, books. None of them can stop another."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.trace import set_span_in_context

from tallyspan.books.journal import Journal, Outlet
from tallyspan.books.record import Entry, Phase, UsageRecord
from tallyspan.books.sink import CallEnd, CallStart, Detach
from tallyspan.telemetry.metrics import Metrics
from tallyspan.telemetry.open_calls import OpenCall, OpenCalls
from tallyspan.telemetry.spans import Spans, is_told_by_others

Report = Callable[[str, Exception], None]
"""Takes what was being done, and what went wrong; says each cause once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """
    The sink that the wire calls.

    Attributes:
        open_calls: The same that the books' outlet looks into for the span of a record.
        intents: Whether the books keep intents: only the durable road does.
    """

    open_calls: OpenCalls
    spans: Spans
    metrics: Metrics
    journal: Journal
    intents: bool
    report: Report

    def call_started(self, start: CallStart) -> Detach:
        context = context_api.get_current()
        if is_told_by_others(context):
            self.open_calls.open(OpenCall(start, context, None, told=False))
            return _nothing_to_detach
        call = self._begin(start, context)
        self.open_calls.open(call)
        return partial(context_api.detach, context_api.attach(call.context))

    def _begin(self, start: CallStart, context: Context) -> OpenCall:
        try:
            span = self.spans.begin(start, context)
        except Exception as fault:  # noqa: BLE001 - a guard for each signal: the books go on without the span
            self.report("begin a span", fault)
            return OpenCall(start, context, None, told=True)
        return OpenCall(start, set_span_in_context(span, context), span, told=True)

    def attempt_started(self, intent: UsageRecord) -> None:
        if self.intents:
            self.journal.intent(intent)

    def attempt_ended(self, record: UsageRecord) -> None:
        self._guarded("write a record", partial(self.journal.result, record))
        call = self.open_calls.get(record.call_id)
        if call is None or call.told:
            self._guarded("count an attempt", partial(self.metrics.counters.count, record))

    def call_ended(self, end: CallEnd) -> None:
        call = self.open_calls.close(end.call_id)
        if call is None or not call.told:
            return
        if call.span is not None:
            self._guarded("end a span", partial(self.spans.end, call.span, call.start, end))
        self._guarded("measure a call", partial(self.metrics.measure, call.start, end, call.context))

    def _guarded(self, doing: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as fault:  # noqa: BLE001 - a guard for each signal: one that fails does not stop the next
            self.report(doing, fault)


def _nothing_to_detach() -> None:
    """Nothing was made current."""


def with_fallback(road: Outlet, fallback: Outlet, report: Report, count: Callable[[], None]) -> Outlet:
    """
    Give an outlet that takes the second road where the first fails with an `OSError`.

    The entry is the same on both, with its writer and number, so that a reader who finds both copies counts one. An
    intent has no second road: its result follows.
    """

    def write(entry: Entry) -> None:
        try:
            road(entry)
        except OSError as fault:
            report("write to the spool", fault)
            count()
            if not isinstance(entry.item, UsageRecord) or entry.item.phase is Phase.RESULT:
                fallback(entry)

    return write
