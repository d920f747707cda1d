"""Money is exact: nothing is rounded on the way."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallyspan.reconcile.money import is_printed_float, meant, minus, times, to_cent, total

amounts = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=40)


@given(st.lists(amounts), st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_order(found: list[Decimal], random: Random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert total(found) == total(shuffled)


@given(amounts, amounts)
def test_a_difference_undoes_a_sum(left: Decimal, right: Decimal) -> None:
    assert minus(total([left, right]), right) == left


@given(st.floats(0, 10**6).map(lambda value: round(value, 8)))
def test_a_printed_float_means_the_decimal_it_came_from(value: float) -> None:
    noisy = Decimal(repr(value * 3 / 3))
    assert abs(meant(noisy) - Decimal(repr(value))) <= Decimal("1e-8")


def test_float_noise_is_told_from_digits() -> None:
    assert meant(Decimal("0.019733999999999998")) == Decimal("0.019734")
    assert is_printed_float(Decimal("0.005705150000000001"))
    assert not is_printed_float(Decimal("0.003400000000000000000000000000000000"))
    assert not is_printed_float(Decimal("0.23616135"))


@pytest.mark.parametrize(
    ("exact", "cent"), [("132.42405", "132.42"), ("132.425", "132.43"), ("132.4249999", "132.42"), ("0.005", "0.01")]
)
def test_cents_round_half_up(exact: str, cent: str) -> None:
    assert to_cent(Decimal(exact)) == Decimal(cent)


def test_products_are_exact() -> None:
    assert times(8_828_270, Decimal("0.000015")) == Decimal("132.42405")
