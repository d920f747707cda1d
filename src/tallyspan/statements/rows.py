"""The one interpreter of the layouts: named cells of one line in, a bucket and its row out."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TypedDict, cast

from tallyspan.reconcile.statement import StatementRow
from tallyspan.statements.cells import CellError, boolean, number, pseudonym, seconds, whole, words
from tallyspan.statements.errors import StatementError
from tallyspan.statements.layouts import Column, Layout, Reads

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time in a file, and its row if anything was used in it."""

    start: int
    end: int
    row: StatementRow | None


class _Fields(TypedDict, total=False):
    """The fields of a row that a layout may name."""

    project_id: str
    user_id: str
    api_key_id: str
    api_source: str
    model: str
    service_tier: str
    batch: bool
    line_item: str
    currency: str
    quantity_unit: str
    amount: Decimal
    quantity: Decimal


def read_row(layout: Layout, cells: Mapping[str, str], place: str) -> Bucket:
    """
    Read one line.

    Args:
        layout: What the columns mean.
        cells: Text by column name; empty text is a blank cell, a missing name is a column that the file does not have.
        place: File and line, for messages.

    Raises:
        StatementError: A cell can not be read.
    """
    start, end = _times(layout, cells, place)
    counts: dict[str, int] = {}
    dimensions: dict[str, str] = {}
    fields: dict[str, object] = {}
    for column, text in cells.items():
        spec = layout.columns.get(column)
        if spec is None or not text:
            continue
        try:
            _put(spec, text, counts, dimensions, fields)
        except CellError as bad:
            raise StatementError(place, found=bad.found, expected=bad.expected, do=bad.do, column=column) from None
    if not (counts or dimensions or fields):
        return Bucket(start, end, None)
    row = StatementRow(
        start=start,
        end=end,
        counts=MappingProxyType(counts),
        dimensions=MappingProxyType(dimensions),
        source=place,
        **cast("_Fields", fields),
    )
    return Bucket(start, end, row)


def _put(
    spec: Column, text: str, counts: dict[str, int], dimensions: dict[str, str], fields: dict[str, object]
) -> None:
    match spec.reads:
        case Reads.COUNT:
            counts[spec.name] = whole(text)
        case Reads.DIMENSION:
            dimensions[spec.name] = words(text)
        case Reads.FIELD:
            fields[spec.name] = words(text)
        case Reads.FLAG:
            fields[spec.name] = boolean(text)
        case Reads.NUMBER:
            fields[spec.name] = number(text)
        case Reads.PERSON:
            fields[spec.name] = pseudonym(text)
        case Reads.SKIP:
            pass


def _times(layout: Layout, cells: Mapping[str, str], place: str) -> tuple[int, int]:
    start = _time(layout.start, cells, place)
    if layout.end is not None:
        end = _time(layout.end, cells, place)
        if end <= start:
            raise StatementError(
                place,
                found=f"an end of {end} for a start of {start}",
                expected="a bucket that ends after it starts",
                do="export it again",
                column=layout.end,
            )
        return start, end
    if start % DAY:
        raise StatementError(
            place,
            found=str(start),
            expected="midnight UTC",
            do="export it again, by day",
            column=layout.start,
        )
    return start, start + DAY


def _time(column: str, cells: Mapping[str, str], place: str) -> int:
    try:
        return seconds(cells.get(column, ""))
    except CellError as bad:
        raise StatementError(place, found=bad.found, expected=bad.expected, do=bad.do, column=column) from None
