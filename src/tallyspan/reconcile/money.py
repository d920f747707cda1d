"""Exact arithmetic on money: no sum or product here is ever rounded."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, FloatOperation, Inexact, InvalidOperation

CENT = Decimal("0.01")

# Amounts have at most 15 digits and 60 decimals (statements/cells.py), prices 12 and counts 18: 130 digits hold any
# sum or product of them. If one should not fit, it raises instead of being rounded in silence.
_EXACT = Context(prec=130, traps=[Inexact, InvalidOperation, FloatOperation])
_FLOAT_DIGITS = (16, 17)
"""Digits of a binary float that was printed in full (IEEE 754 double: 17 are always enough)."""
_FLOAT_EXACT = Context(prec=15)
"""A double carries any decimal of 15 digits unchanged."""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def times(count: Decimal | int, price: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(Decimal(count), price)


def minus(left: Decimal, right: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(left, right)


def to_cent(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up, as cards are charged."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP, context=Context(prec=130))


def is_printed_float(amount: Decimal) -> bool:
    """Whether an amount looks like a binary float printed in full: `0.019733999999999998`."""
    return len(amount.normalize(_EXACT).as_tuple().digits) in _FLOAT_DIGITS


def meant(amount: Decimal) -> Decimal:
    """The decimal that a printed float stands for (`0.019734`); any other amount as it is."""
    return _FLOAT_EXACT.plus(amount).normalize(_FLOAT_EXACT) if is_printed_float(amount) else amount
