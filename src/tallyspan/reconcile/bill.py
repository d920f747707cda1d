"""A bill explained from statements alone: what was used, what was charged, what fits and what is missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from tallyspan.reconcile.bill_lines import BillLine, lines_of
from tallyspan.reconcile.charge import Charge, explain
from tallyspan.reconcile.price import PriceList
from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import DAY, Tally, collapse, day_bucket, day_of, grouped, tally


class Topic(StrEnum):
    """What a note is about."""

    COVERAGE = "coverage"
    IDENTITY = "identity"
    PRECISION = "precision"
    UNPRICED = "unpriced"
    FILE = "file"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence that the reader needs beside the figures."""

    topic: Topic
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """What belongs to one key, or one model; None where the export leaves it blank."""

    subject: str
    name: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class BillDay:
    """
    One UTC day.

    Attributes:
        start: Unix seconds.
        tallies: By subject; a subject without a row on that day is absent.
        missing: Subjects whose statement does not cover the day.
    """

    start: int
    tallies: Mapping[str, Tally]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """
    The whole report. Usage, activity and costs say the same thing in other units: they are never added up.

    Attributes:
        start: Start of the window, Unix seconds, inclusive; `end` is exclusive.
        statements: One a subject, cut to the window.
        totals: By subject.
        charge: None if the user named no sum.
    """

    start: int
    end: int
    statements: tuple[Statement, ...]
    totals: Mapping[str, Tally]
    lines: tuple[BillLine, ...]
    days: tuple[BillDay, ...]
    keys: tuple[Share, ...]
    models: tuple[Share, ...]
    charge: Charge | None


def build(
    statements: Sequence[Statement],
    prices: PriceList,
    charged: Decimal | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Bill:
    """
    Explain, by UTC day: finer buckets are added up first.

    Args:
        statements: One a subject (`statements.merge`), at least one.
        prices: List prices, for usage that no cost statement covers.
        charged: What the user was charged, in US dollars.
        since: Start of the window, Unix seconds; None for the start of the statements' period.
        until: End of the window, exclusive; None for the end of that period.
    """
    start = day_of(min(s.start for s in statements)) if since is None else since
    end = max(s.end for s in statements) if until is None else until
    cut = tuple(_cut(statement, start, end) for statement in statements)
    daily = tuple(_by_day(statement) for statement in cut)
    return Bill(
        start=start,
        end=end,
        statements=cut,
        totals={statement.subject: tally(statement.rows) for statement in daily},
        lines=tuple(line for statement in daily for line in lines_of(statement, statement.rows, prices)),
        days=tuple(_days(daily, start, end)),
        keys=_shares(daily, key_of),
        models=_shares(daily, lambda row: row.model),
        charge=None if charged is None else _charge(daily, prices, charged),
    )


def covers(statement: Statement, day: int) -> bool:
    """Whether a statement says what happened on a UTC day, be it nothing."""
    inside = statement.start < day + DAY and day < statement.end
    return inside and not any(start <= day and day + DAY <= end for start, end in statement.gaps)


def key_of(row: StatementRow) -> str | None:
    """The key of a row as people know it: its id, or its masked form."""
    return row.api_key_id or row.dimensions.get("api_key_redacted")


def _cut(statement: Statement, start: int, end: int) -> Statement:
    return replace(statement, rows=tuple(row for row in statement.rows if start <= row.start < end))


def _by_day(statement: Statement) -> Statement:
    return replace(statement, rows=tuple(collapse(statement.rows, day_bucket).values()))


def _days(statements: Sequence[Statement], start: int, end: int) -> Iterable[BillDay]:
    by_day = {s.subject: grouped(s.rows, lambda row: day_of(row.start)) for s in statements}
    for day in range(day_of(start), end, DAY):
        tallies = {subject: tally(rows[day]) for subject, rows in by_day.items() if day in rows}
        missing = tuple(s.subject for s in statements if not covers(s, day))
        yield BillDay(day, tallies, missing)


def _shares(statements: Sequence[Statement], name: Callable[[StatementRow], str | None]) -> tuple[Share, ...]:
    """Shares of the statements in which any row has a name."""
    shares: list[Share] = []
    for statement in statements:
        groups = grouped(statement.rows, name)
        if set(groups) - {None}:
            found = [Share(statement.subject, each, tally(rows)) for each, rows in groups.items()]
            shares += sorted(found, key=lambda share: share.name or "")
    return tuple(shares)


def _charge(statements: Sequence[Statement], prices: PriceList, charged: Decimal) -> Charge:
    """Try whole lines; if none fit, the lines of single days."""
    settled = _money_rows(statements)
    whole = explain([line for statement, rows in settled for line in lines_of(statement, rows, prices)], charged)
    if whole.search.tells:
        return whole
    daily = [
        line
        for statement, rows in settled
        for day_rows in grouped(rows, lambda row: day_of(row.start)).values()
        for line in lines_of(statement, day_rows, prices)
    ]
    finer = explain(daily, charged)
    return finer if finer.search.tells else whole


def _money_rows(statements: Sequence[Statement]) -> Sequence[tuple[Statement, Sequence[StatementRow]]]:
    """
    Rows that do not overlap: the costs as exported, and usage at list price on days that no costs cover.

    The activity export repeats the usage exports, so it counts on days that none of those covers.
    """
    found: list[tuple[Statement, Sequence[StatementRow]]] = []
    settled: list[Statement] = []
    for kind in (StatementKind.COST, StatementKind.USAGE, StatementKind.ACTIVITY):
        ours = [statement for statement in statements if statement.kind is kind]
        for statement in ours:
            rows = [row for row in statement.rows if not any(covers(s, day_of(row.start)) for s in settled)]
            found.append((statement, rows))
        settled += ours
    return found
