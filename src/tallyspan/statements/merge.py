"""
Several files of one subject made one statement, without counting anything twice.

Rows with the same key inside one file add up. Across files: identical counts once, disjoint is united, different is
restated and the newest pull wins. Files of another grouping or width are never added: they are read instead of each
other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tallyspan.reconcile.statement import Statement, StatementRow
from tallyspan.reconcile.tally import Key, Tally, collapse, day_of, grouped, tally, utc
from tallyspan.statements.errors import StatementError

Rows = Mapping[Key, StatementRow]


def merge(statements: Iterable[Statement], newest: str | None = None) -> tuple[Statement, ...]:
    """
    One statement for each subject, in the order in which the subjects came.

    Args:
        statements: Files as they were read.
        newest: Name of the file that the user says is the newest.

    Raises:
        StatementError: Two files differ and neither is newer.
    """
    by_subject: defaultdict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_subject[statement.subject].append(statement)
    return tuple(_merge_subject(files, newest) for files in by_subject.values())


def add_up(rows: Iterable[StatementRow]) -> Rows:
    """Rows of one file by key; the same key adds up, as exports repeat a key where a column is not shown."""
    return collapse(rows, lambda row: (row.start, row.end))


def _merge_subject(files: Sequence[Statement], newest: str | None) -> Statement:
    different = list({file.sha256: file for file in files}.values())
    repeated = [f"{len(files) - len(different)} of the files repeats another, byte for byte: counted once"]
    ordered = sorted(different, key=lambda file: _age(file, newest))
    by_day: defaultdict[int, list[tuple[Statement, Rows]]] = defaultdict(list)
    for file in ordered:
        for day, part in _days(add_up(file.rows)).items():
            by_day[day].append((file, part))
    notes: list[str] = repeated if len(different) < len(files) else []
    rows = [row for day in sorted(by_day) for row in _day(day, by_day[day], newest, notes)]
    first = ordered[0]
    if len(ordered) == 1:
        return replace(first, rows=tuple(rows), notes=(*first.notes, *notes))
    said = [f"{file.name}: {note}" for file in ordered for note in file.notes]
    return replace(
        first,
        variant=", ".join(dict.fromkeys(file.variant for file in ordered)),
        name=", ".join(file.name for file in ordered),
        sha256=", ".join(file.sha256 for file in ordered),
        start=min(file.start for file in ordered),
        end=max(file.end for file in ordered),
        gaps=_gaps(ordered),
        width=max((file.width for file in ordered if file.width is not None), default=None),
        groupings=frozenset[str]().union(*(file.groupings for file in ordered)),
        rows=tuple(rows),
        notes=(*said, *notes),
    )


def _age(file: Statement, newest: str | None) -> tuple[bool, int]:
    return (file.name == newest, file.end if file.pulled_at is None else file.pulled_at)


def _days(rows: Rows) -> Mapping[int, Rows]:
    days: defaultdict[int, dict[Key, StatementRow]] = defaultdict(dict)
    for key, row in rows.items():
        days[day_of(row.start)][key] = row
    return days


def _day(
    day: int, parts: Sequence[tuple[Statement, Rows]], newest: str | None, notes: list[str]
) -> Iterable[StatementRow]:
    """The rows of one UTC day, from all files that have any, oldest file first."""
    shapes: defaultdict[tuple[int, int, tuple[str, ...]], list[tuple[Statement, Rows]]] = defaultdict(list)
    for file, rows in parts:
        shape = (-(file.width or 0), len(file.groupings), tuple(sorted(file.groupings)))
        shapes[shape].append((file, rows))
    merged = [(_names(shapes[shape]), shape[2], _unite(shapes[shape], newest, notes)) for shape in sorted(shapes)]
    coarse_name, coarse_groups, coarse = merged[0]
    chosen = coarse
    for name, groups, fine in merged[1:]:
        difference = _disagreement(coarse.values(), fine.values(), [one for one in groups if one in coarse_groups])
        if difference is None:
            chosen = fine
        else:
            notes.append(
                f"{utc(day)}: {name} is grouped more finely than {coarse_name} and does not add up to it "
                f"({difference}); the coarser one is used"
            )
    return chosen.values()


def _unite(parts: Sequence[tuple[Statement, Rows]], newest: str | None, notes: list[str]) -> Rows:
    held: dict[Key, tuple[Statement, StatementRow]] = {}
    for file, rows in parts:
        for key, row in rows.items():
            if key not in held or _same(held[key][1], row):
                held.setdefault(key, (file, row))
                continue
            older, old = held[key]
            difference = _difference(tally([old]), tally([row])) or "other measures"
            if _age(older, newest) == _age(file, newest):
                raise StatementError(
                    row.source,
                    found=f"another figure than {old.source} has ({difference})",
                    expected="the same, as neither file is newer",
                    do="say which one is right: --newest FILE",
                )
            notes.append(f"restated: {row.source} instead of {old.source} ({difference})")
            held[key] = (file, row)
    return {key: row for key, (_, row) in held.items()}


def _disagreement(coarse: Iterable[StatementRow], fine: Iterable[StatementRow], common: Sequence[str]) -> str | None:
    """The first group of those that both files show whose sums differ; opposite errors of two models do not cancel."""

    def name(row: StatementRow) -> tuple[object, ...]:
        return tuple(row.dimensions.get(one) if one in row.dimensions else getattr(row, one, None) for one in common)

    sums = [{group: tally(rows) for group, rows in grouped(side, name).items()} for side in (coarse, fine)]
    for group in dict.fromkeys(group for side in sums for group in side):
        olds, news = (side.get(group) for side in sums)
        named = " ".join(str(value) for value in group if value is not None)
        if olds is None or news is None:
            return f"{named} in one of them alone"
        difference = _difference(olds, news)
        if difference is not None:
            return f"{named} {difference}".strip()
    return None


def _difference(old: Tally, new: Tally) -> str | None:
    """The first measure that both have and that differs."""
    for name in sorted(old.counts.keys() & new.counts.keys()):
        if old.counts[name] != new.counts[name]:
            return f"{name} {old.counts[name]:,} and {new.counts[name]:,}"
    for currency in sorted(old.amounts.keys() & new.amounts.keys()):
        if old.amounts[currency] != new.amounts[currency]:
            return f"{old.amounts[currency]} and {new.amounts[currency]} {currency}"
    return None


def _names(parts: Sequence[tuple[Statement, Rows]]) -> str:
    return ", ".join(file.name for file, _ in parts)


def _same(left: StatementRow, right: StatementRow) -> bool:
    return (dict(left.counts), left.amount, left.quantity) == (dict(right.counts), right.amount, right.quantity)


def _gaps(files: Sequence[Statement]) -> tuple[tuple[int, int], ...]:
    gaps: list[tuple[int, int]] = []
    reached: int | None = None
    for file in sorted(files, key=lambda file: file.start):
        if reached is not None and file.start > reached:
            gaps.append((reached, file.start))
        reached = file.end if reached is None else max(reached, file.end)
    return tuple(gaps)
