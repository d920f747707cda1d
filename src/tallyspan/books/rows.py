"""An entry of the books as flat rows of attributes, one row a line, and back.

A row is what OpenTelemetry calls a log record. The header of a record stands on each of its rows, so that a row can be
queried alone; what must not be added up twice stands on line 0.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import TypeVar

from tallyspan.books.fields import (
    ATTRIBUTION,
    ATTRIBUTION_FIELD,
    COUNT_FIELDS,
    LINE,
    LINE_FIELDS,
    LINES,
    MARK,
    RECORD_FIELDS,
    SEQUENCE,
    USAGE_EVENT,
    WRITER_EVENT,
    WRITER_ID,
    Attributes,
    Field,
    Misfit,
    Value,
    is_ours,
    read_fields,
)
from tallyspan.books.quantities import QUANTITIES, Quantity
from tallyspan.books.record import Bounds, Entry, Mark, Phase, UsageLine, UsageRecord
from tallyspan.books.sink import CallStart


@dataclass(frozen=True, slots=True)
class Row:
    """A log record of ours; `time_ns` is Unix nanoseconds."""

    event_name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class PartKey:
    """What the rows of one record have in common."""

    record_id: str
    phase: Phase
    writer_id: str
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """
    A row of a record that has more than one line.

    Attributes:
        header: The record with this one line; None on all rows but line 0.
        lines: How many lines the record has; None on all rows but line 0.
    """

    key: PartKey
    line: int
    content: UsageLine
    header: UsageRecord | None = None
    lines: int | None = None


_Source = TypeVar("_Source", UsageRecord, CallStart)


def writer_of(fields: Iterable[Field], _source: type[_Source]) -> Callable[[_Source], Attributes]:
    """Give the function that names these fields of a record, or of a call that starts."""
    paths, names = zip(*((field.path, field.attribute) for field in fields), strict=True)
    values: Callable[[_Source], tuple[Value | None, ...]] = attrgetter(*paths)

    def write(source: _Source) -> Attributes:
        return {
            name: value
            for name, value in zip(names, values(source), strict=True)
            if value is not None and value is not False and value != ()
        }

    return write


_header_attributes = writer_of(RECORD_FIELDS, UsageRecord)
_repeated_attributes = writer_of((field for field in RECORD_FIELDS if not field.once), UsageRecord)
_MODEL, _ITEM, _UNIT = (field.attribute for field in LINE_FIELDS)
_COUNTS: Mapping[Quantity, str] = {quantity: spec.attribute for quantity, spec in QUANTITIES.items()}


def count_attributes(line: UsageLine) -> Attributes:
    """Name the model and the counts of a line."""
    attributes: Attributes = {} if line.model is None else {_MODEL: line.model}
    for quantity, count in line.counts.items():
        attributes[_COUNTS[quantity]] = count
    return attributes


def to_rows(entry: Entry) -> tuple[Row, ...]:
    """Give one row for each line of a record, line 0 first, or the one row of a mark."""
    stamp: Attributes = {WRITER_ID.attribute: entry.writer_id}
    if entry.sequence is not None:
        stamp[SEQUENCE.attribute] = entry.sequence
    item = entry.item
    if isinstance(item, Mark):
        return (Row(WRITER_EVENT, item.time_ns, stamp | {MARK.attribute: item.kind}),)
    first = _row(item, item.lines[0], 0, stamp, _header_attributes(item))
    first.attributes[LINES.attribute] = len(item.lines)
    if len(item.lines) == 1:
        return (first,)
    repeated = _repeated_attributes(item)
    return (first, *(_row(item, line, at, stamp, repeated) for at, line in enumerate(item.lines[1:], 1)))


def _row(record: UsageRecord, line: UsageLine, number: int, stamp: Attributes, header: Attributes) -> Row:
    attributes: Attributes = {}
    if record.attributes:
        attributes.update(record.attributes)
        attributes[ATTRIBUTION] = tuple(record.attributes)
    attributes.update(stamp)
    attributes[LINE.attribute] = number
    attributes.update(header)
    attributes[_UNIT] = line.unit
    if line.item is not None:
        attributes[_ITEM] = line.item
    attributes.update(count_attributes(line))
    return Row(USAGE_EVENT, record.started_ns, attributes)


_KEY_FIELDS = (WRITER_ID, SEQUENCE, LINE, *(field for field in RECORD_FIELDS if field.path in {"record_id", "phase"}))
_MARK_FIELDS = (WRITER_ID, SEQUENCE, MARK)
_LIMITS = {
    field.path: field.path.removeprefix("bounds.") for field in RECORD_FIELDS if field.path.startswith("bounds.")
}
_FIRST_FIELDS = (*RECORD_FIELDS, LINES, ATTRIBUTION_FIELD)
_new_key: Callable[..., PartKey] = PartKey
_new_part: Callable[..., Part] = Part
_new_line: Callable[..., UsageLine] = UsageLine
_new_record: Callable[..., UsageRecord] = UsageRecord
_new_bounds: Callable[..., Bounds] = Bounds
_new_mark: Callable[..., Mark] = Mark
_new_entry: Callable[..., Entry] = Entry


def from_row(event_name: str, time_ns: int, attributes: Mapping[str, object]) -> Entry | Part | Misfit:
    """
    Read a row of ours.

    A mark and a record of one line come back whole, a line of a longer record as a part. Attributes that are not in the
    table, and not named as attribution, are left alone: a collector may add its own, a later version its new ones.
    """
    return _read_mark(time_ns, attributes) if event_name == WRITER_EVENT else _read_usage(time_ns, attributes)


def _read_mark(time_ns: int, attributes: Mapping[str, object]) -> Entry | Misfit:
    found = read_fields(_MARK_FIELDS, attributes)
    if isinstance(found, Misfit):
        return found
    mark = _new_mark(kind=found.pop("kind"), time_ns=time_ns)
    return _new_entry(item=mark, **{"sequence": None, **found})


def _read_usage(time_ns: int, attributes: Mapping[str, object]) -> Entry | Part | Misfit:
    found = read_fields(_KEY_FIELDS, attributes)
    if isinstance(found, Misfit):
        return found
    content = _read_line(attributes)
    if isinstance(content, Misfit):
        return content
    number = found.pop("line")
    key = _new_key(**{"sequence": None, **found})
    if number:
        return _new_part(key=key, line=number, content=content)
    return _read_first(key, content, time_ns, attributes)


def _read_line(attributes: Mapping[str, object]) -> UsageLine | Misfit:
    line = read_fields(LINE_FIELDS, attributes)
    if isinstance(line, Misfit):
        return line
    counts = read_fields(COUNT_FIELDS, attributes)
    if isinstance(counts, Misfit):
        return counts
    return _new_line(counts=MappingProxyType({Quantity(name): count for name, count in counts.items()}), **line)


def _read_first(
    key: PartKey, content: UsageLine, time_ns: int, attributes: Mapping[str, object]
) -> Entry | Part | Misfit:
    found = read_fields(_FIRST_FIELDS, attributes)
    if isinstance(found, Misfit):
        return found
    lines = found.pop("lines")
    if lines == 0:
        return Misfit(LINES.attribute, "0", "1 or more")
    named = found.pop("attributes", ())
    limits = {name: found.pop(path) for path, name in _LIMITS.items() if path in found}
    record = _new_record(
        started_ns=time_ns,
        bounds=_new_bounds(**limits),
        attributes=_attribution(named if isinstance(named, tuple) else (), attributes),
        lines=(content,),
        **{"ended_ns": None, **found},
    )
    if lines == 1:
        return Entry(key.writer_id, key.sequence, record)
    return _new_part(key=key, line=0, content=content, header=record, lines=lines)


def _attribution(names: tuple[str, ...], attributes: Mapping[str, object]) -> Mapping[str, str]:
    pairs = ((name, attributes.get(name)) for name in names if not is_ours(name))
    return MappingProxyType({name: value for name, value in pairs if isinstance(value, str)})
