"""The part of a bill's screen that says which lines equal the sum charged, and what they leave."""

from collections.abc import Iterable, Sequence

from tallyspan.reconcile.bill_lines import BillLine, Offer
from tallyspan.reconcile.bill_words import MEASURES, dollars, plain, quoted_price, span
from tallyspan.reconcile.charge import Charge, Choice, sum_of
from tallyspan.reconcile.money import minus, to_cent

_TIMES = "\N{MULTIPLICATION SIGN}"
_FEW = 3
_LIKELY = 1
"""From this many fits by chance on, a fit says nothing."""


def charge_lines(charge: Charge) -> Iterable[str]:
    """The explanation, line by line."""
    matches = charge.search.matches
    if not matches:
        yield from _without_match(charge)
        return
    first = matches[0]
    named = " + ".join(choice.line.label for choice in first)
    alone = "alone equals" if len(first) == 1 else "together equal"
    yield f"{named} {alone} the charge of {_sum(charge)} to the cent ({dollars(sum_of(first))})"
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
    tried = f"{search.combinations:,} combinations of lines"
    rivals = len(search.matches) - 1
    if rivals:
        at_least = "" if search.complete else "at least "
        yield f"  {at_least}{rivals} other combinations do too, so this fit alone proves nothing:"
        yield from (
            f"    {' + '.join(choice.line.label for choice in match)}" for match in search.matches[1 : _FEW + 1]
        )
    elif not search.complete:
        yield f"  the search was stopped before it had seen all {tried}: others may fit too"
    else:
        yield f"  no other of {tried} does (by chance {search.by_chance} would)"
    if search.by_chance >= _LIKELY:
        yield f"  with {tried}, about {search.by_chance:,} would fit by chance: this fit alone proves nothing"


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
    seen = "" if charge.search.complete else " that could be tried"
    yield f"no combination of lines{seen} equals the charge of {_sum(charge)} to the cent"
    yield f"  all lines together: {dollars(everything)}, {dollars(abs(gap))} {direction} than was charged"
    yield from (f"    {_short(choice)}{_otherwise(choice.line)}" for choice in charge.other_days[:10])
