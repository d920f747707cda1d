"""Prices as values: what a list says about a model, or why it says nothing. The list itself is an edge's business."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallyspan.reconcile.statement import StatementRow


@dataclass(frozen=True, slots=True)
class Rates:
    """
    List prices of a model on a day.

    Attributes:
        per_unit: US dollars for one of each billed measure (`input_uncached`, `input_cached`, `input_cache_write`,
            `output`, `characters`, `images`, `seconds`).
        source: Which list, its version or date, and the day it was asked for.
        condition: What must hold for these prices and is not in the export: `standard quality`.
        long_over: Tokens of input of one request above which the list has other prices; None if it has none.
    """

    per_unit: Mapping[str, Decimal]
    source: str
    condition: str | None = None
    long_over: int | None = None


@dataclass(frozen=True, slots=True)
class Unpriced:
    """No price is known, which is not a price of zero."""

    reason: str


PriceList = Callable[[StatementRow], tuple[Rates, ...] | Unpriced]
"""Prices of a row's model, day, tier and size: one, or one for each thing that the export does not show."""

BILLED = ("input_uncached", "input_cached", "input_cache_write", "output", "characters", "images", "seconds")
"""The measures that are billed and do not overlap."""

_WITH_PRICES_OF_THEIR_OWN = (
    "input_audio",
    "input_uncached_audio",
    "input_uncached_image",
    "input_cached_audio",
    "input_cached_image",
    "output_audio",
    "output_image",
)


def billed(counts: Mapping[str, int]) -> Mapping[str, int] | Unpriced:
    """
    The counts that are billed, without overlap and without zeros.

    Input that the export does not split is what was neither read from the cache nor written to it.
    """
    if any(counts.get(name) for name in _WITH_PRICES_OF_THEIR_OWN):
        return Unpriced("its audio or image tokens have prices of their own")
    parts = {name: counts[name] for name in BILLED if counts.get(name)}
    if "input" in counts and "input_uncached" not in counts:
        fresh = counts["input"] - counts.get("input_cached", 0) - counts.get("input_cache_write", 0)
        if fresh < 0:
            return Unpriced("more cached input than input")
        parts["input_uncached"] = fresh
    return {name: count for name, count in parts.items() if count} or Unpriced("nothing that is billed is counted")
