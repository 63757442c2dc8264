"""The strategy of the simulation whose stop follows the price."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kangbot.model.data import Bar
from kangbot.model.ids import MarketId
from kangbot.model.position import Position
from kangbot.scenario.trailing import Trailing
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossParameters
from tests.support.instruments import instrument_of

D = Decimal
MARKET = MarketId("bybit:BTC-USDT:USDT")
PARAMETERS = EmaCrossParameters(fast=1, slow=3, stop_percent=D(2))


def seen(strategy: EmaCross, closes: Sequence[int], net: int = 0) -> View[Any]:
    """Return what it sees after bars of a minute that close there, with a position that was entered at 100."""
    memory = strategy.indicators()
    bars = [
        Bar(
            market=MARKET,
            timeframe_s=60,
            open_ns=number * 60 * 10**9,
            open=D(close),
            high=D(close),
            low=D(close),
            close=D(close),
            volume=D(1),
        )
        for number, close in enumerate(closes)
    ]
    for bar in bars:
        memory.update(bar)
    return View(
        instrument=instrument_of(tick=D("0.01")),
        now_ns=bars[-1].close_ns,
        bars=bars[-1:],
        quote=None,
        position=Position(market=MARKET, net=D(net), entered=D(abs(net)), entry_value=D(abs(net)) * 100),
        target=None,
        indicators=memory,
    )


def test_the_stop_is_of_the_newest_bar_whatever_is_held() -> None:
    """All else is as the strategy decides that leaves its stop where the entry put it."""
    trailing, resting = Trailing(PARAMETERS), EmaCross(PARAMETERS)
    for closes, net, stop in (((100, 100, 101, 104), 3, "101.92"), ((100, 100, 99, 96), -3, "97.92")):
        target, usual = trailing.decide(seen(trailing, closes, net)), resting.decide(seen(resting, closes, net))
        assert target is not None
        assert usual is not None
        assert (target.exposure, target.reason) == (usual.exposure, usual.reason)
        assert target.stop == D(stop)
        assert usual.stop == D(98 if net > 0 else 102)


def test_where_nothing_is_wanted_it_wants_no_stop() -> None:
    """Neither before there are enough bars, nor where it is to be flat."""
    trailing = Trailing(PARAMETERS)
    assert trailing.decide(seen(trailing, (100,))) is None
    flat = Trailing(EmaCrossParameters(fast=1, slow=3, allow_short=False))
    target = flat.decide(seen(flat, (100, 100, 99, 96)))
    assert target is not None
    assert (target.exposure, target.stop) == (D(0), None)
