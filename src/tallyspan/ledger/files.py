"""Files of books: spool files and what the collector's file exporter wrote; the same form."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tallyspan.books.assemble import Incomplete, assemble
from tallyspan.books.fields import Misfit
from tallyspan.books.otlp_json import Decoded, Foreign, decode
from tallyspan.books.record import Entry
from tallyspan.books.rows import Part
from tallyspan.ledger.lines import Torn, documents
from tallyspan.ledger.recognise import GZIP, ZSTD


class BooksError(Exception):
    """A file that can not be read at all; the text is one line: file, found, expected, what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """
    A line, or a piece of one, that does not count.

    Attributes:
        place: File as the user named it, and line: `books.jsonl:17`.
    """

    place: str
    found: str
    expected: str
    do: str

    def __str__(self) -> str:
        return f"{self.place}: found {self.found}, expected {self.expected}; {self.do}"


@dataclass(frozen=True, slots=True)
class BooksFile:
    """One file: how many lines with something on them, and how many entries of ours."""

    name: str
    lines: int
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """
    All files together.

    Attributes:
        entries: As delivered: copies, intents and results; merging is the books' own business.
        incomplete: Records of which lines are missing in all files.
        foreign: Log records and documents of others, skipped.
    """

    entries: tuple[Entry, ...]
    incomplete: tuple[Incomplete, ...]
    problems: tuple[Problem, ...]
    foreign: int
    files: tuple[BooksFile, ...]


def read_books(files: Iterable[str | Path | tuple[str, bytes]]) -> Books:
    """
    Read all files of books.

    Args:
        files: Paths, or names and the bytes that stand under them.

    Raises:
        BooksError: A file has something in it, and no readable record.
        OSError: A path can not be opened.
    """
    read = [_read(*_opened(file)) for file in files]
    parts = [part for one in read for part in one.parts]
    whole = assemble(parts)
    return Books(
        entries=(
            *(entry for one in read for entry in one.entries),
            *(entry for entry in whole if isinstance(entry, Entry)),
        ),
        incomplete=tuple(one for one in whole if isinstance(one, Incomplete)),
        problems=tuple(problem for one in read for problem in one.problems),
        foreign=sum(one.foreign for one in read),
        files=tuple(BooksFile(one.name, one.lines, len(one.entries)) for one in read),
    )


@dataclass(slots=True)
class _File:
    name: str
    lines: int = 0
    entries: list[Entry] = field(default_factory=list[Entry])
    parts: list[Part] = field(default_factory=list[Part])
    problems: list[Problem] = field(default_factory=list[Problem])
    foreign: int = 0


def _opened(file: str | Path | tuple[str, bytes]) -> tuple[str, bytes]:
    return file if isinstance(file, tuple) else (str(file), Path(file).read_bytes())


def _read(name: str, content: bytes) -> _File:
    read = _File(name)
    for number, line in enumerate(_lines(read, content), 1):
        read.lines += bool(line.strip())
        for document in documents(line):
            _take(read, f"{name}:{number}", document)
    if read.lines and not (read.entries or read.parts or read.foreign):
        first = read.problems[0] if read.problems else "no record"
        msg = f"{first} (nothing in {name} could be read)"
        raise BooksError(msg)
    return read


def _lines(read: _File, content: bytes) -> Iterator[bytes]:
    if content.startswith(ZSTD) or content[4:8] == ZSTD:
        msg = f"{read.name}: found zstd, expected plain or gzip lines; unpack it first: zstd -d {read.name}"
        raise BooksError(msg)
    if not content.startswith(GZIP):
        yield from io.BytesIO(content.removeprefix(codecs.BOM_UTF8))
        return
    try:
        yield from gzip.GzipFile(fileobj=io.BytesIO(content))
    except (EOFError, OSError, zlib.error) as fault:
        read.problems.append(Problem(read.name, f"a torn gzip file ({fault})", "its end", "what came before counts"))


_TORN = "one OTLP JSON document a line"
_MISFIT = "it does not count; was the file changed, or written by a later version?"


def _take(read: _File, place: str, document: object) -> None:
    if isinstance(document, Torn):
        read.problems.append(Problem(place, str(document), _TORN, "the rest of the file counts"))
    elif _is_other_signal(document):
        read.foreign += 1
    else:
        for item in decode(document):
            _keep(read, place, item)


def _is_other_signal(document: object) -> bool:
    """Spans and metrics may lie in the same folder; they are no books."""
    return isinstance(document, dict) and any(name in document for name in ("resourceSpans", "resourceMetrics"))


def _keep(read: _File, place: str, item: Decoded) -> None:
    match item:
        case Entry():
            read.entries.append(item)
        case Part():
            read.parts.append(item)
        case Foreign():
            read.foreign += 1
        case Misfit():
            where = f"{place} {item.where}"
            read.problems.append(Problem(where, item.found, item.expected, _MISFIT))


def named(incomplete: Sequence[Incomplete]) -> tuple[str, ...]:
    """Say what is missing of each, a sentence each."""
    return tuple(
        f"record {one.key.record_id} of writer {one.key.writer_id}: "
        + ("lines that contradict each other" if one.contradictory else f"{len(one.found)} of {one.lines or '?'} lines")
        for one in incomplete
    )
