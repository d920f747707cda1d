"""The one interpreter of the layouts: the cells of one line in, a bucket and its row out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TypedDict, cast

from tallyspan.reconcile.statement import StatementRow
from tallyspan.statements.cells import CellError, boolean, number, pseudonym, seconds, whole, words
from tallyspan.statements.errors import StatementError
from tallyspan.statements.layouts import Layout, Reads

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


class RowReader:
    """
    Reads the lines of one file; made once for its columns.

    Attributes:
        floats: Columns in which a whole number was written with a decimal point.
    """

    def __init__(self, layout: Layout, columns: Sequence[str]) -> None:
        self.floats: set[str] = set()
        self._layout = layout
        self._at = {column: index for index, column in enumerate(columns)}
        known = [(index, column, layout.columns.get(column)) for index, column in enumerate(columns)]
        self._plan = [(index, column, spec) for index, column, spec in known if spec and spec.reads is not Reads.SKIP]
        self._texts: dict[str, str] = {}

    def read(self, cells: Sequence[str], place: str) -> Bucket:
        """
        Read one line.

        Args:
            cells: Text by column, in the order of the columns; empty text is a blank cell.
            place: File and line, for messages.

        Raises:
            StatementError: A cell can not be read.
        """
        start, end = self._times(cells, place)
        counts: dict[str, int] = {}
        dimensions: dict[str, str] = {}
        fields: dict[str, object] = {}
        for index, column, spec in self._plan:
            text = cells[index].strip()
            if not text:
                continue
            try:
                if spec.reads is Reads.COUNT:
                    counts[spec.name] = self._count(column, text)
                elif spec.reads is Reads.DIMENSION:
                    dimensions[spec.name] = self._text(text)
                else:
                    fields[spec.name] = self._text(text) if spec.reads is Reads.FIELD else _VALUES[spec.reads](text)
            except CellError as bad:
                raise _refused(place, column, bad) from None
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

    def _count(self, column: str, text: str) -> int:
        if "." in text:
            self.floats.add(column)
        return whole(text)

    def _text(self, text: str) -> str:
        """The same text is one object in all rows: files repeat few names very often."""
        found = self._texts.get(text)
        if found is None:
            found = self._texts[text] = words(text)
        return found

    def _times(self, cells: Sequence[str], place: str) -> tuple[int, int]:
        layout = self._layout
        start = self._time(layout.start, cells, place)
        if layout.end is not None:
            end = self._time(layout.end, cells, place)
            if end <= start:
                found, expected = f"an end of {end} for a start of {start}", "a bucket that ends after it starts"
                raise StatementError(place, found=found, expected=expected, do="export it again", column=layout.end)
            return start, end
        if start % DAY:
            do = "export it again, by day"
            raise StatementError(place, found=str(start), expected="midnight UTC", do=do, column=layout.start)
        return start, start + DAY

    def _time(self, column: str, cells: Sequence[str], place: str) -> int:
        at = self._at.get(column)
        try:
            return seconds("" if at is None else cells[at].strip())
        except CellError as bad:
            raise _refused(place, column, bad) from None


_VALUES: Mapping[Reads, Callable[[str], object]] = {
    Reads.FLAG: boolean,
    Reads.NUMBER: number,
    Reads.PERSON: pseudonym,
}


def _refused(place: str, column: str, bad: CellError) -> StatementError:
    return StatementError(place, found=bad.found, expected=bad.expected, do=bad.do, column=column)
