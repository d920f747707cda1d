"""The stand-in's own books: one row per attempt received, billed or not."""

import threading
from dataclasses import asdict, dataclass, field, replace

from tallyspan.demo.tokens import Usage
from tallyspan.demo.worlds import Outcome, World


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One attempt. Token counts are what was billed: all 0 where `billed` is false.

    Times are UTC epoch nanoseconds; `booked_ns` decides the bucket; `usage_seen_ns` and
    `cost_seen_ns` when it first shows. `status` 0: no status line was sent. The fields with defaults
    are known at the end.
    """

    number: int
    started_ns: int
    method: str
    path: str
    endpoint: str
    report: str
    provider: str
    client_request_id: str | None
    request_id: str
    response_id: str | None
    model_requested: str | None
    model_served: str | None
    api_key_hint: str
    api_key_id: str
    project_id: str
    user_id: str
    stream: bool
    retry: int | None
    fault: str | None
    status: int
    outcome: Outcome
    service_tier: str
    ended_ns: int = 0
    booked_ns: int = 0
    usage_seen_ns: int = 0
    cost_seen_ns: int = 0
    billed: bool = False
    requests: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def input_tokens(self) -> int:
        """All input, cached and cache-written included."""
        return self.usage.input

    @property
    def output_tokens(self) -> int:
        """All output, reasoning included."""
        return self.usage.output

    @property
    def cached_tokens(self) -> int:
        """The part of the input that was read from the cache."""
        return self.usage.cached

    @property
    def reasoning_tokens(self) -> int:
        """The part of the output that was reasoning."""
        return self.usage.reasoning

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.usage.total

    def flat(self) -> dict[str, object]:
        """Return the row as one level of JSON values, usage fields as `..._tokens`."""
        row = asdict(self)
        del row["usage"]
        counts = {
            ("web_searches" if name == "searches" else f"{name}_tokens"): value
            for name, value in asdict(self.usage).items()
        }
        return {**row, **counts, "total_tokens": self.total_tokens}


@dataclass(frozen=True, slots=True)
class Entry:
    """An attempt in flight: what is known when it has been read."""

    row: LedgerRow
    work: Usage = field(default_factory=Usage)


class Ledger:
    """The rows, in the order of arrival; safe to use from many threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[int, LedgerRow] = {}
        self._open: set[int] = set()
        self._idle = threading.Condition()
        self._next = 0

    def arrival(self) -> int:
        """Number an attempt that is being received."""
        with self._idle:
            number, self._next = self._next, self._next + 1
            self._open.add(number)
            return number

    def book(self, entry: Entry, outcome: Outcome, ended_ns: int, sent: int) -> None:
        """Write the row of an attempt that ended; `sent` counts output tokens that left."""
        usage = self._world.billed(outcome, entry.work, sent)
        booked = self._world.booked_ns(entry.row.started_ns, ended_ns)
        row = replace(
            entry.row,
            ended_ns=ended_ns,
            booked_ns=booked,
            usage_seen_ns=self._world.usage_seen_ns(booked),
            cost_seen_ns=self._world.cost_seen_ns(booked),
            outcome=outcome,
            billed=usage is not None,
            requests=int(usage is not None),
            usage=usage or Usage(),
        )
        with self._idle:
            self._rows[row.number] = row
            self._open.discard(row.number)
            self._idle.notify_all()

    def wait_idle(self, seconds: int) -> bool:
        """Wait until no attempt is in flight; false if one still is after that time."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._open, timeout=seconds)

    def wait_rows(self, wanted: int, seconds: int) -> bool:
        """Wait until that many rows are booked; false if there are fewer after that time."""
        with self._idle:
            return self._idle.wait_for(lambda: len(self._rows) >= wanted, timeout=seconds)

    def rows(self) -> tuple[LedgerRow, ...]:
        """Return what is booked by now, in the order of arrival."""
        with self._idle:
            return tuple(self._rows[number] for number in sorted(self._rows))
