"""Candles from trades."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.data import Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Side
from kangbot.sim.markets.klines import Klines, bucket_ns
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS

D = Decimal
M = MarketId("bybit:BTC-USDT:USDT")
START_NS = 1_760_000_400_000_000_000  # a whole hour


def trade(second: int, price: int, quantity: int = 1) -> Trade:
    """Return a trade so many seconds after the start."""
    return Trade(
        market=M,
        trade_id=str(second),
        side=Side.BUY,
        price=D(price),
        quantity=D(quantity),
        at_ns=START_NS + second * SECOND_NS,
    )


def test_a_candle_holds_the_trades_of_its_minute() -> None:
    """Open from the last close; high, low, close, volume and turnover from the trades."""
    klines = Klines(M, D(100), START_NS)
    for one in (trade(1, 105, 2), trade(30, 95), trade(59, 99)):
        assert klines.add(one) == ()
    (candle,) = klines.roll(START_NS + MINUTE_NS)
    assert (candle.open, candle.high, candle.low, candle.close) == (D(100), D(105), D(95), D(99))
    assert (candle.volume, candle.turnover, candle.closed) == (D(4), D(2 * 105 + 95 + 99), True)
    assert klines.current(60).open == 99


def test_minutes_without_trades_are_flat_candles() -> None:
    """A gap in trading is no gap in the candles."""
    klines = Klines(M, D(100), START_NS)
    klines.add(trade(5, 101))
    closed = klines.add(trade(185, 103))
    assert [(candle.open, candle.close, candle.volume) for candle in closed] == [
        (D(100), D(101), D(1)),
        (D(101), D(101), D(0)),
        (D(101), D(101), D(0)),
    ]
    assert closed[0].bar.close_ns == closed[1].open_ns


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 150)), min_size=1, max_size=200))
def test_longer_candles_are_the_sum_of_their_minutes(moves: list[tuple[int, int]]) -> None:
    """Whatever the trades, five-minute candles computed directly from trades equal the merged ones."""
    klines = Klines(M, D(100), START_NS)
    second, trades = 0, []
    for gap, price in moves:
        second += gap
        trades.append(trade(second, price))
        klines.add(trades[-1])
    merged = klines.candles(300, 1000)
    last = D(100)
    for candle in merged:
        inside = [one for one in trades if candle.open_ns <= one.at_ns < candle.open_ns + 5 * MINUTE_NS]
        assert candle.open == last
        assert candle.high == max([last, *(one.price for one in inside)])
        assert candle.low == min([last, *(one.price for one in inside)])
        assert candle.volume == len(inside)
        last = inside[-1].price if inside else last
        assert candle.close == last
    assert merged[-1] == klines.current(300)
    closed = klines.last(300)
    assert closed == (merged[-2] if len(merged) > 1 else None)


def test_a_page_begins_at_its_start_or_ends_at_its_end() -> None:
    """With a start alone the oldest from there, otherwise the newest."""
    klines = Klines(M, D(100), START_NS)
    klines.roll(START_NS + 10 * MINUTE_NS)
    start_ns = START_NS + 2 * MINUTE_NS
    opens = [
        [candle.open_ns for candle in klines.candles(60, 3, *bounds)]
        for bounds in ((start_ns, None), (None, start_ns), (None, None))
    ]
    assert opens[0] == [start_ns + index * MINUTE_NS for index in range(3)]
    assert opens[1] == [START_NS + index * MINUTE_NS for index in range(3)]
    assert opens[2][-1] == START_NS + 10 * MINUTE_NS


@pytest.mark.parametrize(("timeframe_s", "weekday"), [(7 * 86_400, 0)])
def test_weeks_open_on_monday(timeframe_s: int, weekday: int) -> None:
    """The epoch was a Thursday."""
    days = bucket_ns(START_NS, timeframe_s) // (86_400 * SECOND_NS)
    assert (days + 3) % 7 == weekday
