"""Timeframes and Bybit's words for them."""

import pytest

from kangbot.model.market import timeframe_seconds
from kangbot.settings.kinds import KLINE_TIMEFRAMES
from kangbot.venues.bybit.intervals import FETCHED, STREAMED


@pytest.mark.parametrize(("seconds", "word"), FETCHED.items())
def test_each_word_is_as_long_as_it_says(seconds: int, word: str) -> None:
    """Minutes as a number; a day and a week by their letter. What is streamed begins with the epoch's days."""
    letters = {"D": 86_400, "W": 7 * 86_400}
    assert letters.get(word) == seconds or int(word) * 60 == seconds
    assert (seconds in STREAMED) is (86_400 % seconds == 0)


def test_every_timeframe_that_a_market_can_have_is_streamed() -> None:
    """Bars of a minute and more are the venue's own."""
    assert {timeframe_seconds(one) for one in KLINE_TIMEFRAMES} <= set(STREAMED)
    assert len(set(FETCHED.values())) == len(FETCHED)
