"""One line of a file of books: usually one document, and what can be saved of it if it is not.

A writer killed in mid-write leaves a torn document, which the next write of another process may continue on the same
line. So a line that does not decode whole is searched for documents that do.
"""

import json
import re
from collections.abc import Iterator

import msgspec

DOCUMENT = re.compile(r'\{\s*"resource(?:Logs|Spans|Metrics)"')
"""How every document of OTLP JSON begins."""

_PLAIN = json.JSONDecoder()
_SHOWN = 40


class Torn(str):
    """What stood where a document should be; a value, since the rest of the file still counts."""

    __slots__ = ()


def documents(line: bytes) -> Iterator[object]:
    """Give every document on the line, and a `Torn` for every piece that is none."""
    if not line.strip():
        return
    try:
        yield msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        yield from _saved(line.decode("utf-8", "replace"))


def _saved(text: str) -> Iterator[object]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        whole = _whole(text, at)
        if whole is None:
            found = DOCUMENT.search(text, at + 1)
            end = len(text) if found is None else found.start()
            yield Torn(f"column {at + 1}: {_piece(text[at:end])}")
        else:
            document, end = whole
            yield document
        at = end


def _whole(text: str, at: int) -> tuple[object, int] | None:
    """Decode the document that begins here; a scrap of one may be JSON as well, so its beginning must be there."""
    if DOCUMENT.match(text, at) is None:
        return None
    try:
        return _PLAIN.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def _piece(text: str) -> str:
    """Give its beginning and its size; what the books hold is no secret, but it is long."""
    shown = " ".join(text[:_SHOWN].split())
    return f"'{shown}…' ({len(text)} characters)" if len(text) > _SHOWN else f"'{shown}'"
