"""The form of the books on disk and on the wire: OTLP JSON, one `resourceLogs` document an entry.

Written as text straight from the attributes, because the durable road writes it while the application waits. Read from
any decoder's tree, in the form we write and in the forms that collectors write: 64-bit numbers as strings or numbers,
`"body":{}`, resource and scope with attributes of their own
(github.com/open-telemetry/opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring_ascii as quote
from typing import TypeGuard

from tallyspan.books.assemble import assemble
from tallyspan.books.fields import USAGE_EVENT, WRITER_EVENT, Misfit, Value
from tallyspan.books.record import Entry
from tallyspan.books.rows import Part, Row, from_row, to_rows

SCOPE = "tallyspan"
_SEVERITY_INFO = 9
_EVENTS = frozenset({USAGE_EVENT, WRITER_EVENT})
_PLAIN_KINDS = frozenset({"stringValue", "boolValue", "doubleValue"})
_INTEGER = re.compile(r"-?[0-9]{1,20}")
"""What an int64 can be as text; longer ones are no numbers of ours, and slow to convert."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The span that a log record belongs to; ids as OpenTelemetry holds them, never 0."""

    trace_id: int
    span_id: int
    flags: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """A log record in the same document that is not ours."""

    event_name: str | None


@dataclass(frozen=True, slots=True)
class Encoder:
    """Writes entries of one process; built once from its resource and our version."""

    head: str

    @classmethod
    def of(cls, resource: Mapping[str, str], version: str) -> "Encoder":
        attributes = _attributes(resource)
        scope = f'{{"name":{quote(SCOPE)},"version":{quote(version)}}}'
        return cls(
            f'{{"resourceLogs":[{{"resource":{{"attributes":[{attributes}]}},"scopeLogs":[{{"scope":{scope},"logRecords":['
        )

    def encode(self, entry: Entry, observed_ns: int, trace: TraceContext | None = None) -> bytes:
        """Write an entry as one document without a line break; `observed_ns` is Unix nanoseconds."""
        context = "" if trace is None else _trace(trace)
        rows = ",".join([_log_record(row, observed_ns, context) for row in to_rows(entry)])
        return f"{self.head}{rows}]}}]}}]}}".encode("ascii")


def _trace(trace: TraceContext) -> str:
    return f',"flags":{trace.flags},"traceId":"{trace.trace_id:032x}","spanId":"{trace.span_id:016x}"'


def _log_record(row: Row, observed_ns: int, context: str) -> str:
    return (
        f'{{"timeUnixNano":"{row.time_ns}","observedTimeUnixNano":"{observed_ns}","severityNumber":{_SEVERITY_INFO},'
        f'"eventName":"{row.event_name}","attributes":[{_attributes(row.attributes)}]{context}}}'
    )


def _attributes(attributes: Mapping[str, Value]) -> str:
    return ",".join([_attribute(name, value) for name, value in attributes.items()])


def _attribute(name: str, value: Value) -> str:
    # Text first: it is the most frequent, and this runs some thirty times while the application waits.
    if isinstance(value, str):
        return f'{_opening(name)}stringValue":{quote(value)}}}}}'
    if isinstance(value, bool):
        return f'{_opening(name)}boolValue":{"true" if value else "false"}}}}}'
    if isinstance(value, int):
        return f'{_opening(name)}intValue":"{value}"}}}}'
    texts = ",".join([f'{{"stringValue":{quote(text)}}}' for text in value])
    return f'{_opening(name)}arrayValue":{{"values":[{texts}]}}}}}}'


@cache
def _opening(name: str) -> str:
    """Give what comes before the kind of a value; the names are few: the table's, and those of the attribution."""
    return f'{{"key":{quote(name)},"value":{{"'


Decoded = Entry | Part | Foreign | Misfit


def decode(document: object) -> tuple[Decoded, ...]:
    """
    Read one document.

    A record whose lines are all in the document comes back whole; its lines come back as parts if some are missing or
    contradict each other. What is not ours is named as foreign, what does not fit as a misfit; neither stops the rest.
    """
    decoded: list[Decoded] = []
    parts: list[Part] = []
    for node in _walk(document, "document", ("resourceLogs", "scopeLogs", "logRecords")):
        item = node if isinstance(node, Misfit) else _read(*node)
        if isinstance(item, Part):
            parts.append(item)
        else:
            decoded.append(item)
    for whole in assemble(parts):
        decoded.extend((whole,) if isinstance(whole, Entry) else whole.parts)
    return tuple(decoded)


def _is_object(node: object) -> TypeGuard[dict[str, object]]:
    return isinstance(node, dict)


def _is_list(node: object) -> TypeGuard[list[object]]:
    return isinstance(node, list)


def _walk(node: object, where: str, keys: tuple[str, ...]) -> Iterator[tuple[object, str] | Misfit]:
    if not keys:
        yield node, where
    elif not _is_object(node):
        yield Misfit(where, _kind(node), "an object")
    else:
        # Protobuf leaves an empty list out; a document without its first list is something else.
        children = node.get(keys[0], None if where == "document" else [])
        if not _is_list(children):
            yield Misfit(f"{where}.{keys[0]}", _kind(children), "a list")
            return
        for number, child in enumerate(children):
            yield from _walk(child, f"{where}.{keys[0]}[{number}]", keys[1:])


def _read(record: object, where: str) -> Entry | Part | Foreign | Misfit:
    if not _is_object(record):
        return Misfit(where, _kind(record), "an object")
    name = record.get("eventName")
    if not isinstance(name, str) or name not in _EVENTS:
        return Foreign(name if isinstance(name, str) else None)
    time_ns = _whole(record.get("timeUnixNano"))
    if isinstance(time_ns, bool) or not isinstance(time_ns, int) or time_ns < 0:
        return Misfit(f"{where}.timeUnixNano", _kind(time_ns), "Unix nanoseconds")
    attributes = _read_attributes(record.get("attributes", []), where)
    return attributes if isinstance(attributes, Misfit) else from_row(name, time_ns, attributes)


def _read_attributes(pairs: object, where: str) -> dict[str, object] | Misfit:
    if not _is_list(pairs):
        return Misfit(f"{where}.attributes", _kind(pairs), "a list")
    attributes: dict[str, object] = {}
    for number, pair in enumerate(pairs):
        if not _is_object(pair) or not isinstance(key := pair.get("key"), str):
            return Misfit(f"{where}.attributes[{number}]", _kind(pair), "an object with a key")
        attributes[key] = _plain(pair.get("value"))
    return attributes


def _whole(raw: object) -> object:
    """Give the number that a string of digits stands for; anything else as it is, for the reader to judge."""
    if isinstance(raw, str) and _INTEGER.fullmatch(raw):
        return int(raw)
    return raw


def _plain(value: object) -> object:
    """Give what an OTLP value holds; None for nothing, and for kinds that the books do not use."""
    if not _is_object(value):
        return None
    for kind, raw in value.items():
        if kind in _PLAIN_KINDS:
            return raw
        if kind == "intValue":
            return _whole(raw)
        if kind == "arrayValue":
            values: object = raw.get("values", []) if _is_object(raw) else None
            return tuple(_plain(each) for each in values) if _is_list(values) else None
    return None


def _kind(node: object) -> str:
    return "nothing" if node is None else f"{type(node).__name__} {node!r:.60}"
