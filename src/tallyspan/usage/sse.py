"""Server-sent events: bytes to payloads, one event at a time.

The three ends of an event are those that the SDK's own decoder knows (openai/_streaming.py `_iter_chunks`), so that we
see the same events that the application does.
"""

import re

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")

LONGEST_SPLIT = 3
"""Bytes of the longest end that can have come with an earlier chunk."""


def split_events(buffered: bytes) -> tuple[bytes, bytes]:
    """Cut after the last whole event: what is whole, and the rest."""
    cut = buffered.rfind(b"\n\n") + 2 if b"\r" not in buffered else _last_end(buffered)
    return (buffered[:cut], buffered[cut:]) if cut > 1 else (b"", buffered)


def _last_end(buffered: bytes) -> int:
    end = 0
    for match in _END.finditer(buffered):
        end = match.end()
    return end


def each_event(whole: bytes) -> list[bytes]:
    """Cut whole events apart, each with the end that it came with; a further empty line goes with none, and is kept."""
    events: list[bytes] = []
    start = 0
    for match in _END.finditer(whole):
        events.append(whole[start : match.end()])
        start = match.end()
    return events if start == len(whole) else [*events, whole[start:]]


def payload(event: bytes) -> bytes:
    """Return the event's data: its `data:` lines joined by newlines; empty if there is none."""
    lines = event.splitlines()
    found = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return found[0] if len(found) == 1 else b"\n".join(found)
