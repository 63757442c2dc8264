"""Where a market's bars come from, while history does not come."""

from collections import deque

import pytest

from kangbot.errors import Refused
from kangbot.machines.warmup import MOST
from kangbot.market.bars import TradeBars, VenueBars
from kangbot.market.inbox import Batch
from kangbot.model.data import Bar, Trade
from kangbot.model.orders import Side
from tests.support.trade_words import MARKET, SECOND, START, dec, instrument

KEPT = 50


def trade(number: int) -> Trade:
    """Return a trade; four of them come in a second."""
    at_ns = START + number * SECOND // 4
    return Trade(
        market=MARKET, trade_id=f"t{number}", side=Side.BUY, price=dec(100 + number), quantity=dec(1), at_ns=at_ns
    )


def batch(first: int, until: int) -> Batch:
    """Return these trades as they come to the market."""
    return Batch(trades=deque(trade(number) for number in range(first, until)))


def opened(bars: object) -> list[int]:
    """Return in which second each of them opened, since the start."""
    assert isinstance(bars, list)
    return [(one.open_ns - START) // SECOND for one in bars if isinstance(one, Bar)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep few."""
    monkeypatch.setattr("kangbot.market.bars.TRADES_KEPT", KEPT)


def test_a_history_that_does_not_come_for_hours_costs_a_bound_of_trades() -> None:
    """And once it comes, the bars go on behind the hole; the second in which it ends is given up, not told falsely."""
    bars = TradeBars(instrument(), 1, 3)
    assert opened(list(bars.join([trade(number) for number in range(40)], 0))) == [5, 6, 7, 8]
    bars.broken()
    for first in range(40, 4_000, 10):
        assert bars.take(batch(first, first + 10)) == ()
        assert len(bars._streamed or ()) <= KEPT
    joined = list(bars.join([trade(number) for number in range(3_960, 3_990)], 0))
    assert bars.joined
    # 3,950 is the oldest that was kept: in the middle of second 987.
    assert opened(joined) == list(range(988, 999))
    assert all(isinstance(one, Bar) and one.volume == 4 for one in joined)
    assert opened(list(bars.take(batch(4_000, 4_005)))) == [999, 1_000]


def test_a_history_that_comes_soon_closes_the_hole() -> None:
    """Every trade is kept until then, and no bar is missing."""
    bars = TradeBars(instrument(), 1, 3)
    bars.join([trade(number) for number in range(40)], 0)
    bars.broken()
    bars.take(batch(60, 60 + KEPT))
    joined = list(bars.join([trade(number) for number in range(30, 70)], 0))
    assert opened(joined) == list(range(9, 27))
    assert all(isinstance(one, Bar) and one.volume == 4 for one in joined)


def candle(minute: int) -> Bar:
    """Return the candle of that minute of the epoch."""
    price = dec(100)
    return Bar(
        market=MARKET,
        timeframe_s=60,
        open_ns=minute * 60 * SECOND,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=dec(1),
    )


def test_a_candle_with_a_wrong_time_costs_no_more_than_a_look_at_history() -> None:
    """The candles go on behind it: none is told twice, and none is missing."""
    first, bars = START // (60 * SECOND), VenueBars(instrument(), 60, 2)
    past = [candle(first + minute) for minute in range(4)]
    assert bars.join(past, past[-1].close_ns + 6 * SECOND) == past
    assert bars.take(Batch(bars=[candle(first + 10**7)])) == []
    assert not bars.joined
    past.append(candle(first + 4))
    assert bars.join(past, past[-1].close_ns + 6 * SECOND) == past[4:]
    assert bars.take(Batch(bars=[candle(first + 5)])) == [candle(first + 5)]


@pytest.mark.parametrize(("needed", "requests"), [(1, 1), (994, 1), (995, 2), (1200, 2), (MOST, 6)])
def test_a_long_look_back_is_several_requests(needed: int, requests: int) -> None:
    """A thousand candles come at once, and the one that runs is among them."""
    assert VenueBars(instrument(), 60, needed).requests == requests


def test_a_look_back_has_its_bound() -> None:
    """It is said in words, and met before anything is asked."""
    with pytest.raises(Refused, match="looks back 5001 bars; a market begins with at most 5000"):
        VenueBars(instrument(), 60, MOST + 1)
