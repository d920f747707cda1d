"""The dashboard: the conventions' metrics of a call, in the names of today, the coming ones, or both.

Today's names are those that released packages emit (semantic conventions 1.41); the coming ones are the trunk of
github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/non-normative/migration.md. Buckets are the
conventions'.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from tallyspan.books.quantities import Quantity
from tallyspan.books.record import Kind, UsageRecord
from tallyspan.books.sink import CallEnd, CallStart
from tallyspan.telemetry.counters import DIRECTION, counters_of

Semconv = Literal["current", "next", "both"]
Labels = dict[str, str | int]
Record = Callable[[int | float, Labels, Context], None]

TOKEN_BUCKETS = [4**power for power in range(14)]
SECOND_BUCKETS = [0.01 * 2**power for power in range(14)]
_MOST_SERIES = 1024
"""Label sets remembered; beyond that all are forgotten and made anew, so that odd model names can not fill memory."""


class Calls(Enum):
    """Which calls a metric is for."""

    ALL = "all"
    EMBEDDINGS = "embeddings"
    INFERENCE = "inference"

    def has(self, operation: str) -> bool:
        """Whether this operation's calls are among them."""
        return self is Calls.ALL or (operation == "embeddings") is (self is Calls.EMBEDDINGS)


def _duration(start: CallStart, end: CallEnd) -> int:
    return end.ended_ns - start.started_ns


def _first_chunk(start: CallStart, end: CallEnd) -> int | None:
    return None if end.first_chunk_ns is None else end.first_chunk_ns - start.started_ns


@dataclass(frozen=True, slots=True)
class TimeMetric:
    """A histogram of seconds, one point a call; `nanoseconds` gives None where there is nothing to measure."""

    names: Semconv
    calls: Calls
    name: str
    description: str
    nanoseconds: Callable[[CallStart, CallEnd], int | None]


@dataclass(frozen=True, slots=True)
class TokenMetric:
    """Tokens of one quantity: a histogram, or a counter, which gets a zero where the count is unknown."""

    names: Semconv
    calls: Calls
    name: str
    quantity: Quantity
    label: tuple[str, str] | None = None
    counter: bool = False


_DURATION = "Duration of the call, retries and stream included."
_FIRST_CHUNK = "From the call to the first bytes of its stream."
TIME_METRICS = (
    TimeMetric("current", Calls.ALL, "gen_ai.client.operation.duration", _DURATION, _duration),
    TimeMetric("current", Calls.ALL, "gen_ai.client.operation.time_to_first_chunk", _FIRST_CHUNK, _first_chunk),
    TimeMetric("next", Calls.INFERENCE, "gen_ai.client.inference.duration", _DURATION, _duration),
    TimeMetric("next", Calls.INFERENCE, "gen_ai.client.inference.time_to_first_chunk", _FIRST_CHUNK, _first_chunk),
    TimeMetric("next", Calls.EMBEDDINGS, "gen_ai.client.embeddings.duration", _DURATION, _duration),
)


def _coming_counter(name: str, quantity: Quantity) -> TokenMetric:
    name = f"gen_ai.client.inference.usage.{name}"
    return TokenMetric("next", Calls.INFERENCE, name, quantity, ("gen_ai.token.modality", "unknown"), counter=True)


TOKEN_METRICS = (
    TokenMetric("current", Calls.ALL, "gen_ai.client.token.usage", Quantity.INPUT, (DIRECTION, "input")),
    TokenMetric("current", Calls.ALL, "gen_ai.client.token.usage", Quantity.OUTPUT, (DIRECTION, "output")),
    _coming_counter("input_tokens", Quantity.INPUT),
    _coming_counter("output_tokens", Quantity.OUTPUT),
    _coming_counter("cache_read.input_tokens", Quantity.INPUT_CACHED),
    _coming_counter("cache_write.input_tokens", Quantity.INPUT_CACHE_WRITE),
    _coming_counter("reasoning.output_tokens", Quantity.OUTPUT_REASONING),
    TokenMetric("next", Calls.INFERENCE, "gen_ai.client.inference.operation.input_tokens", Quantity.INPUT),
    TokenMetric("next", Calls.INFERENCE, "gen_ai.client.inference.operation.output_tokens", Quantity.OUTPUT),
    TokenMetric("next", Calls.EMBEDDINGS, "gen_ai.client.embeddings.operation.input_tokens", Quantity.INPUT),
)


@dataclass(frozen=True, slots=True)
class _Series:
    """What is to be recorded for calls of one kind, with the labels already made."""

    times: tuple[tuple[TimeMetric, Record, Labels], ...]
    tokens: tuple[tuple[TokenMetric, Record, Labels], ...]


_Key = tuple[str | int | None, ...]
_LABELS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "openai.response.service_tier",
    "error.type",
)


class Metrics:
    """Measures calls by the conventions, and counts attempts by our own counters."""

    def __init__(self, meter: Meter, names: Semconv) -> None:
        self._records: dict[str, Record] = {}
        self._times = tuple(row for row in TIME_METRICS if names in {row.names, "both"})
        self._tokens = tuple(row for row in TOKEN_METRICS if names in {row.names, "both"})
        for time in self._times:
            self._records[time.name] = meter.create_histogram(
                time.name, "s", time.description, explicit_bucket_boundaries_advisory=SECOND_BUCKETS
            ).record
        for token in self._tokens:
            if token.name not in self._records:
                self._records[token.name] = _token_instrument(meter, token)
        self._series: dict[_Key, _Series] = {}
        self.counters = counters_of(meter)

    def measure(self, start: CallStart, end: CallEnd, context: Context) -> None:
        """Record a call that is over, its tokens from every record that adds to the bill."""
        last = end.records[-1] if end.records else None
        series = self._series_of(start, end.error_type, last)
        for time, record, labels in series.times:
            nanoseconds = time.nanoseconds(start, end)
            if nanoseconds is not None:
                record(nanoseconds / 1e9, labels, context)
        for spend in end.records:
            if spend.kind is Kind.SPEND:
                self._measure_tokens(series if spend is last else self._series_of(start, None, spend), spend, context)

    def _measure_tokens(self, series: _Series, spend: UsageRecord, context: Context) -> None:
        counts = spend.lines[0].counts
        for token, record, labels in series.tokens:
            count = counts.get(token.quantity, 0 if token.counter else None)
            if count is not None:
                record(count, labels, context)

    def _series_of(self, start: CallStart, error_type: str | None, record: UsageRecord | None) -> _Series:
        key = (
            start.operation,
            start.provider,
            start.request_model,
            None if record is None else record.lines[0].model,
            start.server_address,
            start.server_port,
            None if record is None else record.service_tier,
            error_type,
        )
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= _MOST_SERIES:
                self._series.clear()
            series = self._series[key] = self._new_series(start.operation, key)
        return series

    def _new_series(self, operation: str, key: _Key) -> _Series:
        timed: Labels = {name: part for name, part in zip(_LABELS, key, strict=True) if part is not None}
        base: Labels = {name: part for name, part in timed.items() if name != "error.type"}
        return _Series(
            times=tuple((row, self._records[row.name], timed) for row in self._times if row.calls.has(operation)),
            tokens=tuple(
                (row, self._records[row.name], base if row.label is None else base | dict([row.label]))
                for row in self._tokens
                if row.calls.has(operation)
            ),
        )


def _token_instrument(meter: Meter, row: TokenMetric) -> Record:
    if row.counter:
        return meter.create_counter(row.name, "{token}", "Tokens used, parts included in their whole.").add
    description = "Tokens used by a call."
    return meter.create_histogram(
        row.name, "{token}", description, explicit_bucket_boundaries_advisory=TOKEN_BUCKETS
    ).record
