"""What rows of a statement come to, added up; and the UTC day that each belongs to."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from tallyspan.reconcile.money import total
from tallyspan.reconcile.statement import StatementRow

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Tally:
    """
    Sums. A name that no row had is absent, not zero.

    Attributes:
        counts: By measure, as in `StatementRow.counts`.
        amounts: Money by currency, exactly as written in the rows.
        quantities: Billed quantity by unit (an empty unit where the file has none).
    """

    counts: Mapping[str, int]
    amounts: Mapping[str, Decimal]
    quantities: Mapping[str, Decimal]

    def per_request(self) -> Mapping[str, Decimal]:
        """Averages to two decimals of all that is counted; empty if no request was."""
        requests = self.counts.get("requests", 0)
        if not requests:
            return {}
        return {
            name: (Decimal(count) / requests).quantize(Decimal("0.01"))
            for name, count in self.counts.items()
            if name != "requests" and count
        }


def tally(rows: Iterable[StatementRow]) -> Tally:
    """Add rows up. They must not overlap: rows of one statement, or of one day and key of it."""
    counts: defaultdict[str, int] = defaultdict(int)
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    quantities: defaultdict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        for name, count in row.counts.items():
            counts[name] += count
        if row.amount is not None:
            amounts[row.currency or ""].append(row.amount)
        if row.quantity is not None:
            quantities[row.quantity_unit or ""].append(row.quantity)
    return Tally(
        dict(sorted(counts.items())),
        {currency: total(values) for currency, values in sorted(amounts.items())},
        {unit: total(values) for unit, values in sorted(quantities.items())},
    )


Name = TypeVar("Name", bound=Hashable)


def grouped(rows: Iterable[StatementRow], name: Callable[[StatementRow], Name]) -> Mapping[Name, list[StatementRow]]:
    """Rows by what `name` says of each, in the order in which the names came."""
    groups: dict[Name, list[StatementRow]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    return groups


Key = tuple[object, ...]
"""All that names a row: two rows of one key are parts of one figure."""


def name_of(row: StatementRow) -> Key:
    """What a row is about, whatever its time."""
    return (
        row.project_id,
        row.user_id,
        row.api_key_id,
        row.model,
        row.batch,
        row.service_tier,
        row.api_source,
        row.line_item,
        row.currency,
        row.quantity_unit,
        tuple(sorted(row.dimensions.items())) if row.dimensions else (),
    )


def collapse(
    rows: Iterable[StatementRow], bucket: Callable[[StatementRow], tuple[int, int]]
) -> dict[Key, StatementRow]:
    """
    Add up the rows that have one name and fall into one bucket, by bucket and name.

    Args:
        rows: Of one statement.
        bucket: Start and end of the bucket that a row falls into.
    """
    groups = grouped(rows, lambda row: (*bucket(row), *name_of(row)))
    return {key: _one(parts, *bucket(parts[0])) for key, parts in groups.items()}


def day_bucket(row: StatementRow) -> tuple[int, int]:
    """The UTC day of a row; a row that is longer than a day keeps its length."""
    day = day_of(row.start)
    return day, max(day + DAY, row.end)


def _one(parts: Sequence[StatementRow], start: int, end: int) -> StatementRow:
    first = parts[0]
    if len(parts) == 1 and (first.start, first.end) == (start, end):
        return first
    sums = tally(parts)
    return replace(
        first,
        start=start,
        end=end,
        counts=sums.counts,
        amount=next(iter(sums.amounts.values()), None),
        quantity=next(iter(sums.quantities.values()), None),
    )


def day_of(moment: int) -> int:
    """Start of the UTC day of a moment, Unix seconds."""
    return moment - moment % DAY


def utc(moment: int) -> str:
    """The UTC date of a moment: `2025-04-23`."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
