"""The books as a table: UTC day by served model, what was measured and what is known to be unknown."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tallyspan.books.merge import OWN_PROVIDER
from tallyspan.books.quantities import Quantity, Unit
from tallyspan.books.record import Billable, Reason, State, UsageLine, UsageRecord
from tallyspan.reconcile.served import ServedModels
from tallyspan.reconcile.tally import day_of
from tallyspan.reconcile.unknown import Shape, Unknown
from tallyspan.reconcile.vector import Interval, Vector

SECOND_NS = 1_000_000_000

OTHER_EXPORTS: Mapping[str, str] = {
    "/embeddings": "embeddings",
    "/moderations": "moderations",
    "/audio/speech": "audio speeches",
    "/audio/transcriptions": "audio transcriptions",
    "/audio/translations": "audio transcriptions",
    "/images/variations": "images",
}
"""Endpoints that the completions usage export does not list, and the export that does (Usage API, one per row)."""

COUNTED = frozenset({"/chat/completions", "/responses", "/completions"})
"""Endpoints that the completions usage export is known to list. An attempt at another, whose answer named no usage, may
be on it or not."""

_UNANSWERED = frozenset(
    {Reason.TIMED_OUT, Reason.DROPPED, Reason.CANCELLED, Reason.HTTP_ERROR, Reason.UNOBSERVED, Reason.HIDDEN_RESEND}
)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A bucket: day is Unix seconds of 00:00 UTC; model is as the provider wrote it, `` if nobody named one."""

    day: int
    model: str


@dataclass(frozen=True, slots=True)
class Straddler:
    """A measured attempt that began on one UTC day and ended on a later one: the provider may book it there."""

    record_id: str
    start: Key
    end: Key
    counts: Vector


@dataclass(frozen=True, slots=True)
class Cell:
    """
    What the books hold for one bucket.

    Attributes:
        measured: Requests that were charged, and the tokens of those whose usage is known.
        unknowns: Attempts, or fields, without a number.
    """

    measured: Vector = field(default_factory=Vector)
    unknowns: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """
    The books of a window.

    Attributes:
        straddlers: Measured attempts over midnight; they are in `cells` under their first day.
        projects: What measured records name as project; the empty string stands for records that name none.
        records: How many records are in the cells.
        batches: Whether a batch is among them.
        refused: Attempts that were never charged (4xx, never sent).
        left_out: Records that the statement can not show, by reason.
        outside: Records of other times.
    """

    cells: Mapping[Key, Cell]
    straddlers: tuple[Straddler, ...]
    projects: frozenset[str]
    records: int
    batches: bool
    refused: int
    left_out: Mapping[str, int]
    outside: int

    @property
    def days(self) -> frozenset[int]:
        """UTC days that the books know of."""
        return frozenset(key.day for key in self.cells)


def aggregate(records: Iterable[UsageRecord], start: int, end: int) -> Table:
    """Sum merged records whose attempt began in [start, end), Unix seconds; their order does not matter."""
    left_out: Counter[str] = Counter()
    inside: list[UsageRecord] = []
    comparable: list[UsageRecord] = []
    outside = 0
    for record in records:
        reason = _left_out(record)
        if not start * SECOND_NS <= record.started_ns < end * SECOND_NS:
            outside += 1
        elif reason is None:
            inside.append(record)
        else:
            left_out[reason] += 1
        if reason is None:
            comparable.append(record)
    names = ServedModels(comparable)
    charged = [record for record in inside if record.billable is not Billable.NO and record.requests > 0]
    return Table(
        cells=_cells(charged, names),
        straddlers=tuple(one for record in charged for one in _straddles(record)),
        projects=frozenset(record.project or "" for record in charged if record.state is State.MEASURED),
        records=len(charged),
        batches=any(record.batch_id is not None for record in charged),
        refused=len(inside) - len(charged),
        left_out=dict(sorted(left_out.items())),
        outside=outside,
    )


def _left_out(record: UsageRecord) -> str | None:
    if record.provider != OWN_PROVIDER:
        return f"provider {record.provider}"
    other = OTHER_EXPORTS.get(record.endpoint)
    return None if other is None else f"in the {other} usage export"


def _cells(records: Sequence[UsageRecord], names: ServedModels) -> dict[Key, Cell]:
    measured: dict[Key, Vector] = defaultdict(Vector)
    unknowns: dict[Key, list[Unknown]] = defaultdict(list)
    for record in records:
        for number, line in enumerate(record.lines):
            if number and line.unit is not Unit.TOKENS:
                continue
            model, known = names.model(record, line)
            key = Key(_day(record.started_ns), model)
            requests = 0 if number or _doubtful(record) else record.requests
            measured[key] += Vector(requests) + _counted(record, line)
            unknowns[key].extend(_unknowns(record, number, names, model_known=known))
    return {
        key: Cell(measured[key], tuple(sorted(unknowns[key], key=lambda one: (one.record_id, one.shape))))
        for key in sorted(measured)
    }


def _counted(record: UsageRecord, line: UsageLine) -> Vector:
    """Tokens of a line; those of a flagged attempt count only as bounds."""
    if record.state is State.FLAGGED or line.unit is not Unit.TOKENS:
        return Vector()
    return Vector.of({quantity.value: number for quantity, number in line.counts.items()})


def _unknowns(record: UsageRecord, number: int, names: ServedModels, *, model_known: bool) -> list[Unknown]:
    if record.state is State.MEASURED:
        return _absent_fields(record, number)
    if number:
        return []  # line 0 carries the bounds of the attempt
    return [_flagged(record, names, model_known=model_known)]


def _flagged(record: UsageRecord, names: ServedModels, *, model_known: bool) -> Unknown:
    sibling = names.sibling(record)
    seen = None if sibling is None else sibling.lines[0].counts.get(Quantity.INPUT)
    bounds = record.bounds
    received = Interval(bounds.input_min or 0, bounds.input_max) if seen is None else Interval.exactly(seen)
    certain = not _doubtful(record)
    return Unknown(
        record_id=record.record_id,
        shape=_shape(record, retried=names.retried(record)),
        certain=certain,
        requests=0 if certain else record.requests,
        input=received,
        cached=Interval(0, received.high),
        output=Interval(bounds.output_min or 0, bounds.output_max),
        reason="unknown" if record.reason is None else record.reason.value,
        model_known=model_known,
    )


def _doubtful(record: UsageRecord) -> bool:
    """Whether a record may as well not be on the statement."""
    unlisted = record.state is State.FLAGGED and record.endpoint not in COUNTED
    return unlisted or record.billable is Billable.MAYBE


def _shape(record: UsageRecord, *, retried: bool) -> Shape:
    if retried:
        return Shape.RETRIED
    return Shape.UNANSWERED if record.reason in _UNANSWERED else Shape.UNREPORTED


def _absent_fields(record: UsageRecord, number: int) -> list[Unknown]:
    """What a measured line does not say: absent is not zero."""
    line = record.lines[number]
    if line.unit is not Unit.TOKENS:
        return []
    received, sent = line.counts.get(Quantity.INPUT), line.counts.get(Quantity.OUTPUT)
    if Quantity.INPUT_CACHED in line.counts and received is not None and sent is not None:
        return []
    cached = Interval() if Quantity.INPUT_CACHED in line.counts else Interval(0, received)
    return [
        Unknown(
            record_id=record.record_id,
            shape=Shape.NO_CACHED_FIELD if received is not None and sent is not None else Shape.UNREPORTED,
            certain=True,
            requests=0,
            input=Interval() if received is not None else Interval(0, None),
            cached=cached,
            output=Interval() if sent is not None else Interval(0, None),
            reason="no_usage_field",
        )
    ]


def _straddles(record: UsageRecord) -> list[Straddler]:
    if record.state is State.FLAGGED or record.ended_ns is None or record.time_uncertain:
        return []
    first, last = _day(record.started_ns), _day(record.ended_ns)
    line, *others = record.lines
    if first == last or line.model is None or others:
        return []
    return [
        Straddler(
            record.record_id,
            Key(first, line.model),
            Key(last, line.model),
            Vector(record.requests) + _counted(record, line),
        )
    ]


def _day(moment_ns: int) -> int:
    return day_of(moment_ns // SECOND_NS)
