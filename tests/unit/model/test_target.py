"""A target is a share of the configured size, with a stop that is a price."""

from decimal import Decimal

import pytest

from kangbot.model.target import Target


@pytest.mark.parametrize("exposure", ["-1", "0", "0.25", "1"])
def test_a_share_of_the_size_is_a_target(exposure: str) -> None:
    """Long, flat and short; with a stop or without."""
    target = Target(exposure=Decimal(exposure), stop=Decimal(95), reason="because")
    assert target == Target(exposure=Decimal(exposure), stop=Decimal(95), reason="because")
    assert Target(exposure=Decimal(exposure), reason="because").stop is None


@pytest.mark.parametrize("exposure", ["1.01", "-2", "NaN", "Infinity"])
def test_what_is_no_share_is_refused(exposure: str) -> None:
    """More than the size, and what is no number."""
    with pytest.raises(ValueError, match="exposure must be a share"):
        Target(exposure=Decimal(exposure), reason="because")


@pytest.mark.parametrize("stop", ["0", "-1", "NaN", "Infinity", "1E+18"])
def test_what_is_no_price_is_refused(stop: str) -> None:
    """A stop that could never rest, or of which nobody could tell whether it is on the tick."""
    with pytest.raises(ValueError, match="stop must be a price above zero"):
        Target(exposure=Decimal(1), stop=Decimal(stop), reason="because")
