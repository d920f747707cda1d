"""What the bytes of an answer say, read while the application reads them.

A scan keeps no bytes that the application has not got: the caller hands in what is not yet whole, and gets the rest
back, so that held bytes live with the one who delivers them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tallyspan.books.record import UsageLine
from tallyspan.usage.document import Object, as_object, as_text
from tallyspan.usage.endpoints import Endpoint, Stream
from tallyspan.usage.extract import Extraction, extract
from tallyspan.usage.sse import each_event, payload, split_events

Loads = Callable[[bytes], object]
"""Decodes JSON; raises ValueError for what is none. A parameter, so that the plugin can use the SDK's own decoder."""

MAX_DOCUMENT = 64 * 1024 * 1024
"""Bytes of a body that are kept to be decoded at its end; about ten times the largest embeddings answer."""


@dataclass(slots=True)
class Seen:
    """
    What was seen of a body so far.

    Attributes:
        finished: A stream's last event came.
        final: The lines are the last word, not a running total.
        empty: Not one byte, or not one event.
        error_type: Code of an error that came with status 200: as an event of a stream, or inside a document.
    """

    response_id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    finish_reasons: tuple[str, ...] = ()
    lines: tuple[UsageLine, ...] | None = None
    final: bool = False
    finished: bool = False
    pending: bool = False
    unreadable: bool = False
    empty: bool = True
    error_type: str | None = None

    def take(self, extraction: Extraction, *, final: bool) -> None:
        """Add what one document says; later words win."""
        self.response_id = extraction.response_id or self.response_id
        self.model = extraction.model or self.model
        self.service_tier = extraction.service_tier or self.service_tier
        self.system_fingerprint = extraction.system_fingerprint or self.system_fingerprint
        self.finish_reasons += extraction.finish_reasons
        self.pending = extraction.pending
        self.unreadable = self.unreadable or extraction.problem is not None
        if extraction.lines is not None and not (self.final and not final):
            self.lines = extraction.lines
            self.final = final

    def note_error(self, document: object, kind: str | None) -> None:
        """Note the error that a document is (by its type), or holds."""
        found = as_object(document)
        error = found if found is None or kind == "error" else as_object(found.get("error"))
        if error is not None:
            self.error_type = as_text(error.get("code")) or as_text(error.get("type")) or "error"


NOTHING_SEEN = Seen()


def read_document(body: bytes, endpoint: Endpoint, loads: Loads) -> Seen:
    """Read a whole JSON body. An endpoint without a row is not decoded."""
    seen = Seen(empty=not body)
    if not body or not endpoint.sources:
        return seen
    try:
        document = loads(body)
    except (ValueError, RecursionError):
        seen.unreadable = True
        return seen
    seen.take(extract(document, endpoint), final=True)
    seen.note_error(document, None)
    return seen


@dataclass(slots=True)
class DocumentScan:
    """Collects a body that is read in pieces, and decodes it at its end."""

    endpoint: Endpoint
    loads: Loads
    _pieces: list[bytes] = field(default_factory=list[bytes])
    _size: int = 0

    def scan(self, data: bytes) -> tuple[bytes, bytes]:
        """Keep a piece; everything passes on at once."""
        self._size += len(data)
        if self._size > MAX_DOCUMENT:
            self._pieces.clear()
        elif self.endpoint.sources:
            self._pieces.append(data)
        return data, b""

    @property
    def finished(self) -> bool:
        """A body without events has no last one."""
        return False

    def seen(self) -> Seen:
        """Decode what came."""
        if self._size > MAX_DOCUMENT:
            return Seen(empty=False, unreadable=True)
        seen = read_document(b"".join(self._pieces), self.endpoint, self.loads)
        seen.empty = not self._size
        return seen


@dataclass(slots=True)
class EventScan:
    """
    Reads a stream of events.

    Attributes:
        hide: The usage was asked for by us: its event does not pass on.
    """

    endpoint: Endpoint
    stream: Stream
    loads: Loads
    hide: bool = False
    _seen: Seen = field(default_factory=Seen)
    _first: Object | None = None

    @property
    def finished(self) -> bool:
        """The last event came; what follows is of no interest."""
        return self._seen.finished

    def seen(self) -> Seen:
        """What the events said so far."""
        return self._seen

    def scan(self, data: bytes) -> tuple[bytes, bytes]:
        """Read the whole events of `data`: what may pass on, and the rest, to be handed in again with more."""
        whole, rest = split_events(data)
        if not whole or not (self._seen.empty or self.stream.tells(whole)):
            return whole, rest
        kept = [event for each in each_event(whole) if (event := self._meet(each))]
        return (b"".join(kept) if self.hide else whole), rest

    def _meet(self, event: bytes) -> bytes:
        """Read one event; return it as it may pass on, empty if it is ours."""
        if not (self._seen.empty or self.stream.tells(event)):
            return event
        data = payload(event)
        if not data:
            return event
        self._seen.empty = False
        if data == self.stream.sentinel:
            self._seen.finished = True
            return event
        try:
            document = as_object(self.loads(data))
        except (ValueError, RecursionError):
            self._seen.unreadable = True
            return event
        if document is None:
            return event
        if self._first is None:
            self._first = document
        return self._read(document, event)

    def _read(self, document: Object, event: bytes) -> bytes:
        kind = as_text(document.get("type"))
        ends = kind in self.stream.terminal
        self._seen.note_error(document, kind)
        inner: Object | None = document
        for step in self.stream.document:
            inner = None if inner is None else as_object(inner.get(step))
        if inner is not None:
            self._seen.note_error(inner, None)
            empty = self.stream.final_when_empty
            extraction = extract(inner, self.endpoint)
            self._seen.take(extraction, final=ends or (empty is not None and inner.get(empty) == []))
            if self.hide and inner.get("usage") is not None:
                event = _without_usage(inner, event, self._first or inner)
        self._seen.finished = self._seen.finished or ends
        return event


Scan: TypeAlias = EventScan | DocumentScan


def scan_of(
    endpoint: Endpoint, content_type: str | None, loads: Loads, *, streamed: bool = False, hide: bool = False
) -> Scan:
    """
    Begin to read a body: as events if it says that it is such, else as one document.

    Where a stream was asked for, the SDK reads events whatever the type; so do we, unless it is JSON.
    """
    told = (content_type or "").lower()
    if endpoint.stream is not None and ("text/event-stream" in told or (streamed and "json" not in told)):
        return EventScan(endpoint, endpoint.stream, loads, hide=hide)
    return DocumentScan(endpoint, loads)


_OF_EVERY_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "obfuscation"}
)


def _without_usage(chunk: Object, event: bytes, first: Object) -> bytes:
    """
    Take back the usage that we asked for: drop the extra event, or empty its usage where it carries something else.

    The extra event has no choices; Azure's and moderated ones may have keys of their own, which the caller must get,
    unless the stream's first event said the same: a gateway's name, say.
    """
    if chunk.get("choices") != []:
        return event
    if not any(value and value != first.get(key) for key, value in chunk.items() if key not in _OF_EVERY_CHUNK):
        return b""
    text = json.dumps({**chunk, "usage": None}, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + text.encode() + b"\n\n"
