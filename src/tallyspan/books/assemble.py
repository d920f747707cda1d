"""Records whose lines came apart on the way: put together again, or named as incomplete.

A record with several lines is several log records, and a batch may end between them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tallyspan.books.record import Entry, UsageLine
from tallyspan.books.rows import Part, PartKey


@dataclass(frozen=True, slots=True)
class Incomplete:
    """
    A record of which not all lines are there, or whose lines contradict each other.

    Attributes:
        found: Numbers of the lines that are there.
        lines: How many there should be; None if line 0, which says so, is missing.
        contradictory: Two rows with the same number differ.
    """

    key: PartKey
    found: tuple[int, ...]
    lines: int | None
    contradictory: bool
    parts: tuple[Part, ...]


def assemble(parts: Iterable[Part]) -> tuple[Entry | Incomplete, ...]:
    """Put together what belongs together, in the order of first appearance. The same row twice is one row."""
    by_key: dict[PartKey, list[Part]] = {}
    for part in parts:
        by_key.setdefault(part.key, []).append(part)
    return tuple(_assemble_one(key, tuple(group)) for key, group in by_key.items())


def _assemble_one(key: PartKey, parts: tuple[Part, ...]) -> Entry | Incomplete:
    lines: dict[int, UsageLine] = {}
    contradictory = False
    for part in parts:
        contradictory |= lines.setdefault(part.line, part.content) != part.content
    headers = [part for part in parts if part.header is not None]
    contradictory |= any(part != headers[0] for part in headers)
    found = tuple(sorted(lines))
    expected = headers[0].lines if headers else None
    header = headers[0].header if headers else None
    if header is None or contradictory or found != tuple(range(expected or 0)):
        return Incomplete(key, found, expected, contradictory, parts)
    return Entry(key.writer_id, key.sequence, replace(header, lines=tuple(lines[number] for number in found)))
