"""A target is a share of the configured size, with a stop that is a price."""

import re
from decimal import Decimal
from typing import Any

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


@pytest.mark.parametrize("exposure", [1, 0.5, True, "1", None])
def test_an_exposure_of_another_kind_is_refused_by_its_name(exposure: Any) -> None:
    """A number that is no Decimal is the mistake that is made first."""
    with pytest.raises(TypeError, match=f"^exposure must be a Decimal, not {re.escape(repr(exposure))}$"):
        Target(exposure=exposure, reason="because")


@pytest.mark.parametrize("stop", [95, 95.5, "95"])
def test_a_stop_of_another_kind_is_refused_by_its_name(stop: Any) -> None:
    """Likewise."""
    with pytest.raises(TypeError, match=r"^stop must be a Decimal, not "):
        Target(exposure=Decimal(1), stop=stop, reason="because")


@pytest.mark.parametrize("reason", [None, 5, b"because", {"ema": 3}])
def test_a_reason_that_is_no_text_is_refused(reason: Any) -> None:
    """It would stand in the journal beside its order, where no start could read it again."""
    with pytest.raises(TypeError, match=r"^reason must be a str, not "):
        Target(exposure=Decimal(1), reason=reason)


def test_a_reason_that_cannot_be_written_down_is_refused() -> None:
    """Half of a character, as a file that was read wrongly has it."""
    with pytest.raises(ValueError, match=r"^reason must be text that can be written down: "):
        Target(exposure=Decimal(1), reason="\ud800")
