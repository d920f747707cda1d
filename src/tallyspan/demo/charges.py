"""What does an attempt cost, line item by line item?"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tallyspan.demo.billing import LedgerRow
from tallyspan.demo.buckets import View
from tallyspan.demo.models import Model, model_of
from tallyspan.demo.tokens import Usage

_MILLION: Final = Decimal(1_000_000)
_SEARCH: Final = Decimal(10) / 1000  # dollars a web search, genai-prices 0.2 web_searches_kcount
# Factor on the list price, and the prefix of the line item (research: cost files of 2026).
_TIERS: Final = {
    "default": (Decimal(1), ""),
    "scale": (Decimal(1), ""),
    "flex": (Decimal("0.5"), "flex | "),
    "priority": (Decimal(2), "priority | "),
}
# What is counted, how the line item ends, at which price.
_PARTS: Final[tuple[tuple[Callable[[Usage], int], str, Callable[[Model], Decimal | None]], ...]] = (
    (
        lambda u: u.input - u.cached - u.cache_write - u.audio_input,
        ", input",
        lambda m: m.price_input,
    ),
    (lambda u: u.cached, ", cached input", lambda m: m.price_cached),
    (lambda u: u.cache_write, ", cache writes", lambda m: m.price_cache_write),
    (lambda u: u.output - u.audio_output, ", output", lambda m: m.price_output),
    (lambda u: u.audio_input, " audio, input", lambda m: m.price_audio_input),
    (lambda u: u.audio_output, " audio, output", lambda m: m.price_audio_output),
)


@dataclass(frozen=True, slots=True)
class Charge:
    """A part of the bill: US dollars, exact."""

    line_item: str
    quantity: int
    unit: str
    amount: Decimal


def charges(row: LedgerRow) -> Iterator[Charge]:
    """Yield what one billed attempt is charged for."""
    model = model_of(row.model_served)
    factor, prefix = _TIERS[row.service_tier]
    for counted, ending, priced in _PARTS:
        quantity = counted(row.usage)
        price = priced(model)
        if not quantity:
            continue
        if price is None:
            message = f"{model.served}: no price for {quantity} tokens of '{ending}'"
            raise LookupError(message)
        amount = quantity * price * factor / _MILLION
        yield Charge(f"{prefix}{model.served}{ending}", quantity, "tokens", amount)
    if row.usage.searches:
        count = row.usage.searches
        yield Charge("web search tool calls", count, "", count * _SEARCH)


CostGroup = tuple[object, ...]


def costs(
    ledger: Iterable[LedgerRow], view: View, dimensions: tuple[str, ...]
) -> Mapping[int, Mapping[CostGroup, Charge]]:
    """Return bucket start → group → sum; `line_item` may be one of the dimensions.

    Without `line_item` a sum has no line item, quantity or unit of its own ("" and 0).
    """
    by_item = "line_item" in dimensions
    found: dict[int, dict[CostGroup, Charge]] = {start: {} for start in view.starts()}
    for row in view.rows(ledger, costs=True):
        groups = found[view.start_of(row)]
        caller = view.group_of(row)
        for charge in charges(row):
            item = charge.line_item if by_item else ""
            before = groups.get((*caller, item), Charge(item, 0, "", Decimal(0)))
            groups[*caller, item] = Charge(
                item,
                before.quantity + charge.quantity if by_item else 0,
                charge.unit if by_item else "",
                before.amount + charge.amount,
            )
    return {
        start: dict(sorted(groups.items(), key=lambda item: [str(part) for part in item[0]]))
        for start, groups in found.items()
    }
