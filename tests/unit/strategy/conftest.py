"""Bars and views for strategies and indicators: synthetic walks, and recorded candles of real venues."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from kangbot.model.data import Bar
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.orders import Side
from kangbot.model.position import Position, RoundTrip
from kangbot.strategy.base import Strategy, View
from tests.support.candles import candles
from tests.support.instruments import instrument_of

MARKET = MarketId("bybit:BTC-USDT:USDT")
MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_040 * 1_000_000_000  # when the first synthetic bar opens


@pytest.fixture
def bars_of() -> Callable[[Iterable[float]], list[Bar]]:
    """Return one-minute bars that close at the given prices, each opening at the close before."""

    def build(closes: Iterable[float]) -> list[Bar]:
        bars: list[Bar] = []
        for close in closes:
            end = Decimal(str(close))
            start = bars[-1].close if bars else end
            bars.append(
                Bar(
                    market=MARKET,
                    timeframe_s=60,
                    open_ns=START_NS + len(bars) * MINUTE_NS,
                    open=start,
                    high=max(start, end),
                    low=min(start, end),
                    close=end,
                    volume=Decimal(1),
                )
            )
        return bars

    return build


@pytest.fixture
def walk() -> Callable[[int, int], list[Bar]]:
    """Return `count` bars of a random walk with wicks and gaps, from a seed."""

    def build(count: int, seed: int) -> list[Bar]:
        draw, price, bars = Random(seed), 100.0, []
        for number in range(count):
            start = price * (1 + draw.gauss(0, 0.001))
            price = start * (1 + draw.gauss(0, 0.01))
            high, low = max(start, price) * (1 + draw.random() / 100), min(start, price) * (1 - draw.random() / 100)
            opened, top, bottom, close = (Decimal(f"{value:.4f}") for value in (start, high, low, price))
            bars.append(
                Bar(
                    market=MARKET,
                    timeframe_s=60,
                    open_ns=START_NS + number * MINUTE_NS,
                    open=opened,
                    high=top,
                    low=bottom,
                    close=close,
                    volume=Decimal(1),
                )
            )
        return bars

    return build


@pytest.fixture(
    params=["binance_btcusdt_day_2020.csv", "bitstamp_btcusd_day_2015.csv", "bitstamp_btcusd_min_2020_01_01.csv"]
)
def recorded(request: pytest.FixtureRequest) -> list[Bar]:
    """Return the candles of one recorded file."""
    name: str = request.param
    step_s = 60 if "_min_" in name else 86400
    return list(candles(name, MARKET, step_s))


@pytest.fixture
def instrument() -> Instrument:
    """A perpetual with fine steps."""
    return instrument_of(tick=Decimal("0.01"))


@pytest.fixture
def view_of(instrument: Instrument) -> Callable[..., View[Any]]:
    """Return what a strategy sees after these bars, with the fields that are given."""

    def build(strategy: Strategy[Any, Any], bars: list[Bar], net: int = 0, **fields: object) -> View[Any]:
        memory = strategy.indicators()
        for bar in bars:
            memory.update(bar)
        held = Decimal(net)
        position = Position(market=MARKET, net=held, entered=abs(held), entry_value=abs(held) * 100)
        view: View[Any] = View(
            instrument=instrument,
            now_ns=bars[-1].close_ns,
            bars=bars[-1:],
            quote=None,
            position=position,
            target=None,
            indicators=memory,
        )
        return msgspec.structs.replace(view, **fields)

    return build


@pytest.fixture
def trip() -> Callable[[Side, int], RoundTrip]:
    """Return a closed round trip of a side, opened after the bar of that number had closed."""

    def build(side: Side, bar: int) -> RoundTrip:
        return RoundTrip(
            market=MARKET,
            side=side,
            quantity=Decimal(1),
            entry=Decimal(100),
            exit=Decimal(98),
            profit=Decimal(-2),
            fees=Decimal(0),
            opened_ns=START_NS + (bar + 1) * MINUTE_NS + 1,
            closed_ns=START_NS + (bar + 2) * MINUTE_NS,
        )

    return build
