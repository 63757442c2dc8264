"""Timeframes as they are configured."""

import pytest

from kangbot.model.market import timeframe_seconds


def test_timeframes_are_read() -> None:
    """A number and a unit."""
    assert [timeframe_seconds(text) for text in ("1s", "15m", "4h", "1d")] == [1, 900, 14400, 86400]


@pytest.mark.parametrize("text", ["", "m", "1", "1x", "0m", "-1m", "1.5m", "1m "])
def test_nonsense_is_no_timeframe(text: str) -> None:
    """Anything else is refused in words."""
    with pytest.raises(ValueError, match="is not a timeframe"):
        timeframe_seconds(text)
