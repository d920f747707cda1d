"""The dashboard's CSV files: text in, buckets out."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from tallyspan.reconcile.statement import Statement, StatementKind
from tallyspan.statements.assemble import Source, assemble
from tallyspan.statements.cells import AGAIN
from tallyspan.statements.errors import StatementError, quoted
from tallyspan.statements.layouts import TIMES, Layout
from tallyspan.statements.rows import RowReader

Line = tuple[int, list[str]]
"""Number of a record's first line in the file, and its cells."""


def read_csv(source: Source, text: str, layout: Layout) -> Statement:
    """
    Read a file whose layout is known.

    Raises:
        StatementError: The file, its header or a cell is not what the layout says.
    """
    lines = _lines(source.name, text)
    first = next(lines, None)
    if first is None:
        raise StatementError(
            source.name, found="an empty file", expected="an export with a header", do="export it again"
        )
    header = [name.strip() for name in first[1]]
    _check_header(source.name, first[0], header, layout)
    reader = RowReader(layout, header)
    buckets = [reader.read(cells, f"{source.name}:{number}") for number, cells in _full(source.name, header, lines)]
    notes = [
        *_note("columns that are not known and not read", [name for name in header if name not in _known(layout)]),
    ]
    if reader.floats:
        notes.append(
            f"whole numbers are written as floats (4.0) in {len(reader.floats)} of the columns: read as whole numbers"
        )
    variant = f"{_title(layout)}, {len(header)} columns"
    return assemble(source, layout, variant, buckets, notes)


def header_of(text: str) -> frozenset[str]:
    """Names in the first line, whatever separates them: so that a damaged file is still recognised, then refused."""
    first = text.lstrip("\ufeff").partition("\n")[0].strip()
    return frozenset(name.strip(' "') for name in first.replace(";", ",").replace("\t", ",").split(","))


def _title(layout: Layout) -> str:
    return f"{layout.subject} usage" if layout.kind is StatementKind.USAGE else layout.subject


def _known(layout: Layout) -> set[str]:
    return {*layout.columns, *TIMES, layout.start}


def _note(text: str, columns: Sequence[str]) -> list[str]:
    return [f"{text}: {', '.join(columns)}"] if columns else []


def _lines(name: str, text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        # line_num counts lines, not records: a quoted cell may hold line ends.
        number = reader.line_num + 1
        place = f"{name}:{number}"
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            raise StatementError(
                place, found=f"a broken line ({fault})", expected="comma-separated cells", do=AGAIN
            ) from None
        if cells is None:
            return
        if cells:
            yield number, cells


def _check_header(name: str, number: int, header: list[str], layout: Layout) -> None:
    place = f"{name}:{number}"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise StatementError(place, found="columns separated by ';' or tabs", expected="commas", do=AGAIN)
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise StatementError(place, found=f"column {quoted(twice[0])} twice", expected="each column once", do=AGAIN)
    times = {layout.start, layout.end} - {None}
    required = times if times <= set(header) <= set(TIMES) else layout.required
    missing = sorted(str(column) for column in required if column not in header)
    if missing:
        raise StatementError(
            place,
            found=f"no column {missing[0]}",
            expected=f"the columns of {_title(layout)}",
            do="export it again, or say what it is with --kind FILE=KIND",
        )


def _full(name: str, header: list[str], lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, each known to have a cell for every column."""
    for number, cells in lines:
        if len(cells) != len(header):
            place, found = f"{name}:{number}", f"{len(cells)} cells"
            expected = f"{len(header)}, as in the header"
            raise StatementError(place, found=found, expected=expected, do="export it again")
        yield number, cells
