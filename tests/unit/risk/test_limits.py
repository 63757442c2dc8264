"""Limits that make no sense are refused at once."""

from decimal import Decimal

import pytest

from kangbot.risk.limits import Limits

D = Decimal


def test_every_senseless_limit_is_named() -> None:
    """All of them in one message."""
    with pytest.raises(ValueError, match="total_notional must be above zero, not -1; open_positions must be") as caught:
        Limits(total_notional=D(-1), open_positions=0, leverage=D("NaN"))
    assert "leverage must be above zero, not NaN" in str(caught.value)


def test_no_slippage_and_no_limit_are_allowed() -> None:
    """Zero slippage values a market order at its reference; None switches a rule off; booleans are not amounts."""
    limits = Limits(slippage_percent=D(0), leverage=None, require_stop=False)
    assert limits.slippage_percent == 0
    assert limits.leverage is None
    with pytest.raises(ValueError, match="slippage_percent"):
        Limits(slippage_percent=D("-0.1"))


def test_a_limit_of_loss_that_is_reached_says_what_ends_it() -> None:
    """The day by itself at its end; the fall from the peak when equity is back, or when a person accepts it."""
    limits = Limits(daily_loss=D(10), drawdown_percent=D(20))
    assert [limits.day_lost(D("9.99")), limits.peak_lost(D("19.99"))] == ["", ""]
    assert limits.day_lost(D(10)).endswith("; entries resume at 00:00 UTC")
    said = limits.peak_lost(D(20))
    assert said.endswith("; entries resume once equity is back, or after `kangbot reset-drawdown`")
