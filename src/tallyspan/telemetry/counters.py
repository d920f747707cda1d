"""Our own monotonic counters: observed from one dictionary, so that a forked child does not report its parent's.

A dashboard and an upper bound, never proof: only records can be told apart from their copies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from threading import RLock
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from tallyspan.books.quantities import QUANTITIES, Unit
from tallyspan.books.record import Billable, Kind, State, UsageRecord

QUANTITY = "tallyspan.quantity"
DIRECTION = "gen_ai.token.type"
_WHO = ("gen_ai.provider.name", "gen_ai.operation.name", "gen_ai.request.model")
_SERVED = ("gen_ai.response.model", "openai.response.service_tier", QUANTITY)


@dataclass(frozen=True, slots=True)
class CounterSpec:
    """A row of the table; `attributes` name the parts of a series' key, in order."""

    name: str
    unit: str
    description: str
    attributes: tuple[str, ...]


class Counter(Enum):
    """The counters."""

    TOKENS = CounterSpec(
        "tallyspan.tokens", "{token}", "Tokens the provider said it used, by quantity; parts never add.", _WHO + _SERVED
    )
    SETTLED = CounterSpec(
        "tallyspan.settled_tokens",
        "{token}",
        "Tokens that a later answer told for an attempt already counted as unknown, by quantity.",
        _WHO + _SERVED,
    )
    ATTEMPTS = CounterSpec(
        "tallyspan.attempts",
        "{attempt}",
        "Attempts by what became of them.",
        (*_WHO, "tallyspan.record.state", "tallyspan.record.reason", "tallyspan.record.billable"),
    )
    UNKNOWN = CounterSpec(
        "tallyspan.tokens_unknown",
        "{token}",
        "Most tokens that flagged attempts may have used; attempts without a limit add nothing here.",
        (*_WHO, "tallyspan.record.reason", DIRECTION),
    )
    FALLBACKS = CounterSpec("tallyspan.spool.fallbacks", "{entry}", "Entries that the spool could not take.", ())


Key = tuple[str | None, ...]


_BY_METER: WeakKeyDictionary[Meter, "Counters"] = WeakKeyDictionary()


def counters_of(meter: Meter) -> "Counters":
    """Give a meter's counters, always the same: the SDK keeps the first instrument of a name, and what it observes."""
    found = _BY_METER.get(meter)
    if found is None:
        found = _BY_METER[meter] = Counters(meter)
    return found


class Counters:
    """Counts spend by the records. Safe to call from any thread, but not from a finalizer: it takes a lock."""

    def __init__(self, meter: Meter) -> None:
        self.reset()
        for counter in Counter:
            spec = counter.value
            meter.create_observable_counter(spec.name, [partial(self.observe, counter)], spec.unit, spec.description)

    def reset(self) -> None:
        """Forget everything. To be called in a forked child, before it counts."""
        self._lock = RLock()  # again: a signal handler may count while its own thread does
        self._series: Mapping[Counter, dict[Key, int]] = {counter: {} for counter in Counter}

    def count(self, record: UsageRecord) -> None:
        """Count a result. A reread adds nothing."""
        who = (record.provider, record.operation, record.request_model)
        with self._lock:
            if record.kind is Kind.SETTLEMENT:
                self._count_tokens(Counter.SETTLED, who, record)
            elif record.kind is Kind.SPEND:
                self._add(Counter.ATTEMPTS, (*who, record.state, record.reason, record.billable), 1)
                self._count_tokens(Counter.TOKENS, who, record)
                self._count_unknown(who, record)

    def count_fallback(self) -> None:
        """Count an entry that took the second road."""
        with self._lock:
            self._add(Counter.FALLBACKS, (), 1)

    def _count_tokens(self, counter: Counter, who: Key, record: UsageRecord) -> None:
        for line in record.lines:
            for quantity, number in line.counts.items():
                if QUANTITIES[quantity].unit is Unit.TOKENS:
                    self._add(counter, (*who, line.model, record.service_tier, quantity), number)

    def _count_unknown(self, who: Key, record: UsageRecord) -> None:
        if record.state is State.MEASURED or record.billable is Billable.NO:
            return
        for direction, most in (("input", record.bounds.input_max), ("output", record.bounds.output_max)):
            if most is not None:
                self._add(Counter.UNKNOWN, (*who, record.reason, direction), most)

    def _add(self, counter: Counter, key: Key, number: int) -> None:
        series = self._series[counter]
        series[key] = series.get(key, 0) + number

    def observe(self, counter: Counter, _options: CallbackOptions) -> Iterable[Observation]:
        """Give the running total of each series."""
        with self._lock:
            series = tuple(self._series[counter].items())
        names = counter.value.attributes
        return [
            Observation(total, {name: part for name, part in zip(names, key, strict=True) if part is not None})
            for key, total in series
        ]
