"""The part of a bill's screen that says which lines equal the sum charged, and what they leave."""

from collections.abc import Iterable, Sequence

from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.bill_words import MEASURES, dollars, plain, quoted_price, span
from tallyspan.reconcile.charge import Charge, Choice, sum_of
from tallyspan.reconcile.money import minus, to_cent

_TIMES = "\N{MULTIPLICATION SIGN}"
_FEW = 3
_LINES = 10


def charge_lines(charge: Charge) -> Iterable[str]:
    """The explanation, line by line."""
    if not charge.search.tells:
        yield from _without_match(charge)
        return
    first = charge.search.matches[0]
    alone = "alone equals" if len(first) == 1 else "together equal"
    yield f"{_named(first)} {alone} the charge of {_sum(charge)} to the cent ({dollars(sum_of(first))})"
    for choice in first:
        yield from _reckoned(choice)
    yield from _rivals(charge)
    yield from _left(charge)


def priced(offer: Offer) -> str:
    """`$1.00`, with its conditions: `$1.00 if standard quality`."""
    return dollars(offer.amount) + "".join(f" if {condition}" for condition in offer.conditions)


def _sum(charge: Charge) -> str:
    return f"${plain(charge.charged)}"


def _reckoned(choice: Choice) -> Iterable[str]:
    line = choice.line
    requests = line.tally.counts.get("requests")
    each = [
        f"{average:,.0f} {MEASURES[name][0]} a request"
        for name, average in line.tally.per_request().items()
        if name in MEASURES
    ]
    counts = ", ".join([f"{requests:,} requests", *each]) + ", " if requests else ""
    if choice.offer is None:
        yield f"  {line.label}: {counts}{span(line.first, line.last)}, {dollars(choice.amount)} as exported"
        return
    yield f"  {line.label}: {counts}{span(line.first, line.last)}"
    yield f"    {_product(choice.offer)}"
    yield f"    list price, not in the file: {choice.offer.source}"


def _product(offer: Offer) -> str:
    products = [
        f"{p.count:,} {MEASURES[p.measure][0]} {_TIMES} {quoted_price(p.measure, p.per_unit)}" for p in offer.parts
    ]
    return f"{' + '.join(products) or 'each day at its price'} = {priced(offer)}"


def _rivals(charge: Charge) -> Iterable[str]:
    search = charge.search
    chance = f"{search.by_chance:.1g} would match by pure chance"
    tried = f"{search.combinations:,} combinations of lines"
    if not search.complete:
        tried += f" (all of up to {search.looked_at} of the {search.lines})"
    rivals = search.matches[1:]
    if rivals:
        yield f"  {len(rivals)} other of {tried} fit, too ({chance}): which one it was is not in these files"
        yield from (f"    {_named(match)}" for match in rivals[:_FEW])
    else:
        yield f"  no other of {tried} does ({chance})"


def _named(match: Iterable[Choice]) -> str:
    return " + ".join(choice.line.label for choice in match)


def _left(charge: Charge) -> Iterable[str]:
    if charge.same_days:
        everything = sum_of([*charge.search.matches[0], *charge.same_days])
        more = plain(to_cent(minus(everything, charge.charged)))
        yield f"  left on the same days: {dollars(sum_of(charge.same_days))}; with it, ${more} more than was charged;"
        yield "  when and how that was charged is not in these files"
        yield from (f"    {_short(choice)}{_otherwise(choice.line)}" for choice in charge.same_days)
    if charge.other_days:
        yield f"  left on other days: {dollars(sum_of(charge.other_days))}"
        yield from (f"    {_short(choice)}{_otherwise(choice.line)}" for choice in charge.other_days)


def _short(choice: Choice) -> str:
    if choice.offer is None:
        return f"{choice.line.label}: {dollars(choice.amount)} as exported, {_days(choice.line)}"
    return f"{choice.line.label}: {_product(choice.offer)}, list price"


def _days(line: BillLine) -> str:
    return span(line.first, line.last)


def _otherwise(line: BillLine) -> str:
    others: Sequence[Offer] = line.offers[1:] if isinstance(line.offers, tuple) else ()
    return "".join(f" ({priced(offer)})" for offer in others)


def _without_match(charge: Charge) -> Iterable[str]:
    if not charge.other_days:
        yield f"nothing in these files can be held against the charge of {_sum(charge)}: no line has money or a price"
        return
    everything = sum_of(charge.other_days)
    gap = minus(everything, charge.charged)
    direction = "more" if gap > 0 else "less"
    search = charge.search
    few = "" if search.complete else f" of up to {search.looked_at}"
    if search.matches:
        yield f"combinations of {len(search.matches[0])} lines and more equal the charge of {_sum(charge)} to the cent,"
        yield f"  but about {search.by_chance:,.0f} would by chance alone: that tells nothing"
    else:
        yield f"no combination{few} of lines equals the charge of {_sum(charge)} to the cent"
    yield f"  all lines together: {dollars(everything)}, {dollars(abs(gap))} {direction} than was charged"
    yield from (f"    {_short(choice)}{_otherwise(choice.line)}" for choice in charge.other_days[:_LINES])
