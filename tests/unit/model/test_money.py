"""The roundings of prices and quantities."""

from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.money import BEYOND, ceil_to, floor_to, nearest_to


@given(st.decimals("0.001", "1e6", places=3), st.sampled_from([Decimal("0.001"), Decimal("0.5"), Decimal(10)]))
def test_roundings_stay_on_their_side(value: Decimal, step: Decimal) -> None:
    """Down is not above, up is not below, nearest is within half a step; all are multiples."""
    assert floor_to(value, step) <= value <= ceil_to(value, step)
    assert abs(nearest_to(value, step) - value) <= step / 2
    assert all(
        rounded % step == 0 for rounded in (floor_to(value, step), ceil_to(value, step), nearest_to(value, step))
    )


def test_a_loss_is_rounded_to_the_same_side_as_a_profit() -> None:
    """Down is down below zero too."""
    assert (floor_to(Decimal("-0.15"), Decimal("0.1")), ceil_to(Decimal("-0.15"), Decimal("0.1"))) == (
        Decimal("-0.2"),
        Decimal("-0.1"),
    )


def test_what_is_in_the_middle_goes_to_the_even_side() -> None:
    """Up as often as down, so that no side is favoured."""
    assert [nearest_to(Decimal(value), Decimal(1)) for value in ("0.5", "1.5", "2.5", "-0.5")] == [0, 2, 2, 0]


@pytest.mark.parametrize("text", ["1E+18", "Infinity", "NaN"])
def test_what_is_no_price_and_no_quantity_passes_no_comparison(text: str) -> None:
    """It is not less than that, or cannot be compared at all."""
    assert Decimal("9.99E+17") < BEYOND
    with pytest.raises((AssertionError, InvalidOperation)):
        assert Decimal(text) < BEYOND
