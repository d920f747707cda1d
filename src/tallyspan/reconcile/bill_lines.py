"""The lines of a bill: what was used by model or charged by line item, and what a price list says where no money is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallyspan.reconcile.money import times, total
from tallyspan.reconcile.price import PriceList, Rates, Unpriced, billed
from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import Tally, day_of, grouped, tally


@dataclass(frozen=True, slots=True)
class Part:
    """A count times a price; in US dollars for one unit."""

    measure: str
    count: int
    per_unit: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What a line would cost at list price.

    Attributes:
        amount: Exact, in US dollars.
        parts: What was multiplied; empty if the price changed within the line.
        source: The price list and the day.
        conditions: What must hold and is not in the export.
    """

    amount: Decimal
    parts: tuple[Part, ...]
    source: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BillLine:
    """
    One line.

    Attributes:
        label: Line item as exported; for usage the model with tier, batch and size. Blank groupings are said in words.
        first: First UTC day with a row, Unix seconds; `last` the last one.
        tally: Sums of its rows; the money of a cost line is here, as exported.
        offers: List prices of a line without money, the first is the usual one; None for a line that has money.
    """

    kind: StatementKind
    subject: str
    label: str
    model: str | None
    line_item: str | None
    first: int
    last: int
    tally: Tally
    offers: tuple[Offer, ...] | Unpriced | None


def lines_of(statement: Statement, rows: Iterable[StatementRow], prices: PriceList) -> tuple[BillLine, ...]:
    """The lines of some rows of a statement, largest money first."""
    lines = [_line(statement, label, part, prices) for label, part in grouped(rows, label_of).items()]
    return tuple(sorted(lines, key=lambda line: (-worth(line), line.label)))


def worth(line: BillLine) -> Decimal:
    """Money to sort by, whatever its source; zero where none is known."""
    if isinstance(line.offers, tuple):
        return line.offers[0].amount
    return total(line.tally.amounts.values())


def label_of(row: StatementRow) -> str:
    """What a row is called on a bill."""
    if row.amount is not None or row.line_item is not None:
        return row.line_item or "(not grouped by line item)"
    tier = row.service_tier if row.service_tier not in (None, "default") else None
    size = row.dimensions.get("image_size") or row.dimensions.get("size")
    words = [row.model or "(not grouped by model)", size, tier, "batch" if row.batch else None]
    return " ".join(word for word in words if word)


def _line(statement: Statement, label: str, rows: Sequence[StatementRow], prices: PriceList) -> BillLine:
    money = statement.kind is StatementKind.COST
    return BillLine(
        kind=statement.kind,
        subject=statement.subject,
        label=label,
        model=rows[0].model,
        line_item=rows[0].line_item,
        first=day_of(min(row.start for row in rows)),
        last=day_of(max(row.end for row in rows) - 1),
        tally=tally(rows),
        offers=None if money else _offers(rows, prices),
    )


def _offers(rows: Sequence[StatementRow], prices: PriceList) -> tuple[Offer, ...] | Unpriced:
    """One offer for each condition that the list has on every row."""
    by_condition: dict[str | None, list[tuple[Rates, Mapping[str, int], bool]]] = {}
    for row in rows:
        counts, told = billed(row.counts), prices(row)
        if isinstance(told, Unpriced):
            return told
        if isinstance(counts, Unpriced):
            return counts
        for rates in told:
            missing = sorted(counts.keys() - rates.per_unit.keys())
            if missing:
                return Unpriced(f"no list price of {missing[0]} for {row.model}")
            long = rates.long_over is not None and row.counts.get("input", 0) > rates.long_over
            by_condition.setdefault(rates.condition, []).append((rates, counts, long))
    offers = [_offer(priced) for priced in by_condition.values() if len(priced) == len(rows)]
    return tuple(offers) or Unpriced("the list has another condition on each day")


def _offer(priced: Sequence[tuple[Rates, Mapping[str, int], bool]]) -> Offer:
    first = priced[0][0]
    amount = total(times(n, rates.per_unit[name]) for rates, counts, _ in priced for name, n in counts.items())
    steady = all(rates.per_unit == first.per_unit for rates, _, _ in priced)
    names = dict.fromkeys(name for _, counts, _ in priced for name in counts)
    parts = [Part(name, sum(counts.get(name, 0) for _, counts, _ in priced), first.per_unit[name]) for name in names]
    conditions = [first.condition] if first.condition else []
    if any(long for _, _, long in priced):
        conditions.append(f"no request had more than {first.long_over:,} tokens of input")
    return Offer(amount, tuple(parts) if steady else (), first.source, tuple(conditions))
