"""The colours that boards share."""

from decimal import Decimal

import pytest

from kangbot.cli.paint import STATES, signed
from kangbot.model.events import RunState


def test_every_state_of_a_market_has_its_colour() -> None:
    """By the word that a report has for it."""
    assert set(STATES) == {state.value for state in RunState}


@pytest.mark.parametrize(("value", "style"), [("0.01", "green"), ("-0.01", "red"), ("0", "dim")])
def test_a_gain_is_told_from_a_loss(value: str, style: str) -> None:
    """The text is whatever it was written as."""
    shown = signed(Decimal(value), "about nothing")
    assert (shown.plain, shown.style) == ("about nothing", style)
