"""Books against statement, bucket by bucket: what differs, before anybody asks why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallyspan.reconcile.aggregate import Cell, Key, Straddler, Table
from tallyspan.reconcile.statement import Statement, StatementRow
from tallyspan.reconcile.tally import DAY, day_of
from tallyspan.reconcile.vector import Measure, Vector

_DATED = re.compile(r"^(?P<stem>.+)-\d{4}-\d{2}-\d{2}$")

ALL_MODELS = "(all models)"
"""Name of the bucket of a day if the statement is not grouped by model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """
    One day and model, both sides.

    Attributes:
        rows: The statement's rows.
        blank: Measures that the statement leaves blank here; they are not compared.
        provisional: The provider may still add to this day.
    """

    key: Key
    statement: Vector
    rows: tuple[StatementRow, ...]
    books: Cell
    blank: frozenset[Measure] = frozenset()
    provisional: bool = False

    @property
    def variance(self) -> Vector:
        """Statement minus books; 0 where the statement is blank."""
        difference = self.statement - self.books.measured
        return Vector.of({measure: n for measure, n in difference.items() if measure not in self.blank})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    Both sides of a window.

    Attributes:
        start: Unix seconds, inclusive.
        end: Unix seconds, exclusive.
        days: UTC days of the window that the statement covers.
        aliases: Names in the books that stand for another name of the statement.
        straddlers: Attempts over midnight, under the names that the statement uses.
        grouped: Whether the statement is grouped by model; if not, days alone are compared.
    """

    start: int
    end: int
    days: frozenset[int]
    buckets: Mapping[Key, Bucket]
    table: Table
    aliases: Mapping[str, str]
    straddlers: tuple[Straddler, ...] = ()
    grouped: bool = True


@dataclass(frozen=True, slots=True)
class Settling:
    """A day is settled `hours` after its end, seen from `now` (Unix seconds) or from when the export was pulled."""

    now: int
    hours: int = 24

    def provisional(self, day: int, pulled: int | None) -> bool:
        """Whether the provider may still add to the day; with 0 hours every day counts as settled."""
        if self.hours == 0:
            return False
        seen = self.now if pulled is None else min(self.now, pulled)
        return day + DAY + self.hours * 3600 > seen


def compare(table: Table, statement: Statement, start: int, end: int, settling: Settling) -> Comparison:
    """Join the books' table of [start, end) with the statement's rows of the same window."""
    rows = [row for row in statement.rows if start <= row.start and row.end <= end]
    grouped = any(row.model is not None for row in rows) or not rows
    sides: dict[Key, list[StatementRow]] = defaultdict(list)
    for row in rows:
        sides[Key(day_of(row.start), (row.model or "") if grouped else ALL_MODELS)].append(row)
    names = _aliases(table, {key.model for key in sides} if grouped else set[str]())
    covered = frozenset(covered_days(statement, start, end))
    cells: dict[Key, list[Cell]] = defaultdict(list)
    for key, cell in table.cells.items():
        if key.day not in covered:
            continue  # a day between two exports: the books can not be judged by what was not exported
        cells[_renamed(key, names, grouped=grouped)].append(cell)
    return Comparison(
        start=start,
        end=end,
        days=covered,
        buckets={
            key: _bucket(
                key,
                sides.get(key, []),
                cells.get(key, []),
                provisional=settling.provisional(key.day, statement.pulled_at),
            )
            for key in sorted({*sides, *cells})
        },
        table=table,
        aliases=names,
        straddlers=tuple(
            Straddler(
                one.record_id,
                _renamed(one.start, names, grouped=grouped),
                _renamed(one.end, names, grouped=grouped),
                one.counts,
            )
            for one in table.straddlers
        ),
        grouped=grouped,
    )


def covered_days(statement: Statement, start: int, end: int) -> Iterable[int]:
    """UTC days of [start, end) that the statement covers, wholly or in part, with usage or without."""
    for day in range(day_of(max(start, statement.start)), min(end, statement.end), DAY):
        if not any(first <= day and day + DAY <= last for first, last in statement.gaps):
            yield day


def _bucket(key: Key, rows: Sequence[StatementRow], cells: Sequence[Cell], *, provisional: bool) -> Bucket:
    return Bucket(
        key=key,
        statement=Vector.sum(Vector.of(row.counts) for row in rows),
        rows=tuple(rows),
        books=Cell(
            Vector.sum(cell.measured for cell in cells), tuple(unknown for cell in cells for unknown in cell.unknowns)
        ),
        blank=frozenset(measure for measure in Measure if any(measure not in row.counts for row in rows)),
        provisional=provisional,
    )


def _renamed(key: Key, names: Mapping[str, str], *, grouped: bool) -> Key:
    return Key(key.day, names.get(key.model, key.model) if grouped else ALL_MODELS)


def _aliases(table: Table, stated: set[str]) -> Mapping[str, str]:
    """
    Names of the books that the statement writes otherwise: with or without the date of the snapshot.

    Two different dates are two different models, and a name with two possible partners has none.
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in stated:
        by_stem[_stem(name)].append(name)
    names: dict[str, str] = {}
    for ours in {key.model for key in table.cells} - stated:
        partners = by_stem.get(_stem(ours), [])
        if len(partners) == 1 and (ours == _stem(ours)) != (partners[0] == _stem(ours)):
            names[ours] = partners[0]
    return dict(sorted(names.items()))


def _stem(model: str) -> str:
    dated = _DATED.match(model)
    return model if dated is None else dated["stem"]
