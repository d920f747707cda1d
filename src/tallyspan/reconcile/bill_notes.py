"""What a reader must know beside the figures of a bill, and the export that would tell more."""

from collections.abc import Iterable, Sequence

from tallyspan.reconcile.bill import Bill, Note, Topic, covers
from tallyspan.reconcile.bill_words import dollars, money, plain, spans
from tallyspan.reconcile.line_item import compare_tokens
from tallyspan.reconcile.money import is_printed_float, meant, total
from tallyspan.reconcile.price import Unpriced
from tallyspan.reconcile.statement import Statement, StatementKind, StatementRow
from tallyspan.reconcile.tally import Tally, day_of, grouped, tally

_COST = StatementKind.COST
_EXAMPLES = 3


def notes(bill: Bill) -> tuple[Note, ...]:
    """All notes, what matters most first."""
    return (
        *_coverage(bill),
        *_one_sided_days(bill),
        *_identity(bill),
        *_precision(bill),
        *_unpriced(bill),
        *(Note(Topic.FILE, f"{s.name}: {note}") for s in bill.statements for note in s.notes),
        *(Note(Topic.NEXT, text) for text in next_exports(bill)),
    )


def next_exports(bill: Bill) -> tuple[str, ...]:
    """What to export next, each with what for."""
    costs = [s for s in bill.statements if s.kind is _COST]
    usage = [s for s in bill.statements if s.kind is not _COST]
    uncharged = _days_without(bill, usage, costs)
    unused = _days_without(bill, costs, usage)
    ungrouped = _days_of(row for s in costs for row in s.rows if row.line_item is None)
    nameless = _days_of(row for s in usage for row in s.rows if row.model is None)
    keyless = [s for s in bill.statements if s.rows and "api_key_id" not in s.groupings]
    rules = (
        (uncharged, "costs for {}, grouped by line item: they hold what was charged for this usage"),
        (ungrouped, "costs for {} again, grouped by line item: this file has one sum a day"),
        (unused, "completions usage for {}, grouped by model and API key: it tells what these costs were for"),
        (nameless, "usage for {} again, grouped by model: without it nothing can be priced"),
    )
    texts = [text.format(spans(days)) for days, text in rules if days]
    if keyless and not texts:
        texts.append(f"{keyless[0].subject} again, grouped by API key: this file does not tell who used it")
    if bill.charge is not None and bill.charge.same_days:
        texts.append(
            "the receipts of the days after: they tell when the lines that are not in this charge were charged"
        )
    return tuple(texts)


def _days_of(rows: Iterable[StatementRow]) -> list[int]:
    return sorted({day_of(row.start) for row in rows})


def _days_without(bill: Bill, have: Sequence[Statement], lack: Sequence[Statement]) -> list[int]:
    """Days with figures in one side that no statement of the other side covers."""
    inside = {day.start for day in bill.days}
    days = _days_of(row for statement in have for row in statement.rows)
    return [day for day in days if day in inside and not any(covers(s, day) for s in lack)]


def _coverage(bill: Bill) -> Iterable[Note]:
    for statement in bill.statements:
        missing = [day.start for day in bill.days if statement.subject in day.missing]
        if not missing:
            continue
        others = [s for s in bill.statements if s is not statement]
        there = "; ".join(
            f"{other.subject} there: {figure}"
            for other in others
            if (figure := _figure(tally(row for row in other.rows if day_of(row.start) in set(missing))))
        )
        yield Note(
            Topic.COVERAGE,
            f"{statement.subject}: nothing about {spans(missing)}{'; ' if there else ''}{there}",
        )


def _figure(sums: Tally) -> str:
    requests = sums.counts.get("requests")
    figures = [money(sums.amounts), f"{requests:,} requests" if requests else ""]
    return ", ".join(figure for figure in figures if figure)


def _one_sided_days(bill: Bill) -> Iterable[Note]:
    """Days that costs and usage both cover and only one has anything on."""
    costs = {s.subject for s in bill.statements if s.kind is _COST}
    for money_side, text in ((True, "money and no usage"), (False, "usage and no money")):
        days = [
            day.start
            for day in bill.days
            if costs and len(bill.statements) > len(costs) and not day.missing and day.tallies
            if all((subject in costs) is money_side for subject in day.tallies)
        ]
        if days:
            yield Note(Topic.COVERAGE, f"{text} on {spans(days)}, though both exports cover it")


def _identity(bill: Bill) -> Iterable[Note]:
    costs = [s for s in bill.statements if s.kind is _COST]
    usage = [s for s in bill.statements if s.kind is StatementKind.USAGE]
    if not costs or not usage:
        return
    subjects = {s.subject for s in (*costs, *usage)}
    both = {day.start for day in bill.days if not subjects.intersection(day.missing)}
    sides = [[row for s in side for row in s.rows if day_of(row.start) in both] for side in (costs, usage)]
    found = compare_tokens(*sides)
    if found is None:
        if both:
            yield Note(Topic.IDENTITY, "usage and costs cannot be compared: no tokens by line item on both sides")
        return
    text = f"usage = costs, in tokens: exact on {found.exact} of {found.cells} lines (UTC day, model, kind of token)"
    examples = [
        f"{spans([day])} {model} {measure}: charged {charged or 0:,f}, counted {counted or 0:,f}"
        for (day, model, measure), charged, counted in found.different[:_EXAMPLES]
    ]
    yield Note(Topic.IDENTITY, "; ".join([text, *examples]))
    if found.unmatched:
        models = ", ".join(found.unmatched)
        yield Note(Topic.IDENTITY, f"tokens charged for models that are not in the usage export: {models}")


def _precision(bill: Bill) -> Iterable[Note]:
    for statement in bill.statements:
        for currency, rows in grouped(statement.rows, lambda row: row.currency or "").items():
            amounts = [row.amount for row in rows if row.amount is not None]
            floats = sum(1 for amount in amounts if is_printed_float(amount))
            if floats:
                yield Note(
                    Topic.PRECISION,
                    f"{statement.subject}: {floats} of {len(amounts)} amounts are binary floats printed in full; "
                    f"as written they sum to {plain(total(amounts))} {currency}, "
                    f"as the decimals that they stand for to {plain(total(meant(amount) for amount in amounts))}",
                )


def _unpriced(bill: Bill) -> Iterable[Note]:
    for line in bill.lines:
        if isinstance(line.offers, Unpriced) and not any(s.kind is _COST for s in bill.statements):
            yield Note(Topic.UNPRICED, f"{line.label}: {line.offers.reason}")
    if bill.charge is not None:
        for line in bill.charge.unpriced:
            if isinstance(line.offers, Unpriced):
                yield Note(
                    Topic.UNPRICED,
                    f"{line.label} could not be tried against {dollars(bill.charge.charged)}: {line.offers.reason}",
                )
