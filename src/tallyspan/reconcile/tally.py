"""What rows of a statement come to, added up; and the UTC day that each belongs to."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
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


def day_of(moment: int) -> int:
    """Start of the UTC day of a moment, Unix seconds."""
    return moment - moment % DAY


def utc(moment: int) -> str:
    """The UTC date of a moment: `2025-04-23`."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
