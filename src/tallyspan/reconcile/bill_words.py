"""Figures in words: one spelling of money, counts and days for notes and screens."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tallyspan.reconcile.tally import DAY, utc

_SHOWN = Decimal("1E-10")
"""Finest part of a sum that a screen shows; JSON carries all digits."""
_CONTEXT = Context(prec=130, rounding=ROUND_HALF_EVEN)

MEASURES: Mapping[str, tuple[str, int]] = {
    "input_uncached": ("input tokens", 1_000_000),
    "input_cached": ("cached input tokens", 1_000_000),
    "input_cache_write": ("cache write tokens", 1_000_000),
    "output": ("output tokens", 1_000_000),
    "characters": ("characters", 1_000_000),
    "images": ("images", 1),
    "seconds": ("seconds", 60),
}
"""What each billed measure is called, and how many units its price is quoted for."""


def plain(amount: Decimal) -> str:
    """All digits, at least two decimals, no exponent, thousands separated."""
    text = f"{amount.normalize(_CONTEXT):,f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def dollars(amount: Decimal, currency: str = "usd") -> str:
    """Money; `≈` marks a sum that has more decimals than are shown."""
    shown = amount.quantize(_SHOWN, context=_CONTEXT)
    mark = "" if shown == amount else "≈ "
    sign = "-" if shown < 0 else ""
    figure = plain(abs(shown))
    return (
        f"{mark}{sign}${figure}" if currency == "usd" else f"{mark}{sign}{figure} {currency.upper() or '(no currency)'}"
    )


def money(amounts: Mapping[str, Decimal]) -> str:
    """Money in each currency."""
    return " + ".join(dollars(amount, currency) for currency, amount in amounts.items())


def stretches(days: Iterable[int]) -> Sequence[tuple[int, int]]:
    """Runs of UTC days that follow each other: first and last, Unix seconds."""
    runs: list[tuple[int, int]] = []
    for day in sorted(set(days)):
        if runs and day == runs[-1][1] + DAY:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def span(first: int, last: int) -> str:
    """`2025-04-23`, or `2025-03-24 to 2025-04-22`."""
    return utc(first) if first == last else f"{utc(first)} to {utc(last)}"


def spans(days: Sequence[int]) -> str:
    """All runs of days, and how many days they are."""
    runs = ", ".join(span(first, last) for first, last in stretches(days))
    return f"{runs} ({len(days)} day{'s' if len(days) > 1 else ''})"


def quoted_price(measure: str, per_unit: Decimal) -> str:
    """A unit price as lists quote it: `$15.00 per 1,000,000`."""
    _, quantity = MEASURES[measure]
    figure = dollars(_CONTEXT.multiply(per_unit, Decimal(quantity)))
    return f"{figure} each" if quantity == 1 else f"{figure} per {quantity:,}"
