"""Binance USD-M, as the settings say of it."""

from contextlib import AbstractAsyncContextManager

from kangbot.machines.memory import Memory
from kangbot.modes import Connection, Past, connection
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.settings import Settings
from kangbot.settings.trading import Market
from kangbot.settings.venues import BinanceUsdm, Venues
from kangbot.sim.paper.ports import PaperVenue
from kangbot.venues.binance_usdm.venue import BinanceVenue


def opened(chosen: Settings, past: Past | None = None) -> AbstractAsyncContextManager[Connection]:
    """Open the way that the settings ask for."""
    world = World(clock=Clock(), seed=b"modes")
    return connection(chosen, world, memory=Memory(), past=past or Past(chosen.venue), on_note=lambda *_: None)


async def test_binance_gives_the_markets_of_a_paper_account() -> None:
    """Its own addresses and budgets are those that were set; there is no private stream."""
    own = BinanceUsdm(
        rest_url="http://127.0.0.1:1/",
        ws_public_url="ws://127.0.0.1:1",
        connects_per_5_minutes=7,
        requests_per_second=3,
    )
    market = Market(symbol="BTC/USDT:USDT", venue="binance_usdm")
    async with opened(Settings(mode="paper", markets=(market,), venues=Venues(binance_usdm=own))) as way:
        assert isinstance(way.venue, PaperVenue)
        real = way.venue._real
        assert isinstance(real, BinanceVenue)
        assert (way.venue.name, real._rest_url) == ("binance_usdm", "http://127.0.0.1:1")
        assert [dialect().url for dialect in way.way.public] == [
            "ws://127.0.0.1:1/public/stream",
            "ws://127.0.0.1:1/market/stream",
        ]
        assert way.hub._private is None
        assert way.way.rates == real.funding
        assert way.way.connects_per_5_minutes == 7
        assert [(window.most, window.span_ns // SECOND_NS) for window in way.way.data_windows] == [(3, 1), (120, 60)]
        assert [(window.most, window.span_ns // SECOND_NS) for window in way.way.account_windows] == [(3, 1)]
