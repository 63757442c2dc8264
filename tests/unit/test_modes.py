"""Each mode reaches the venue that it names, with the key that belongs there."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal

from kangbot.machines.memory import Memory
from kangbot.modes import Connection, Past, connection
from kangbot.runtime.world import Clock, World
from kangbot.settings import Mode, Settings
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Paper
from kangbot.settings.venues import Bybit, Venues
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue
from kangbot.venues.bybit.venue import BybitVenue

BYBIT = Bybit(key=Secret("the-key"), secret=Secret("the-secret"))


def settings(mode: Mode, bybit: Bybit = BYBIT) -> Settings:
    """Return settings of that mode with a key."""
    return Settings(mode=mode, venues=Venues(bybit=bybit), paper=Paper(balance=Decimal(777)))


def opened(chosen: Settings, past: Past | None = None) -> AbstractAsyncContextManager[Connection]:
    """Open the way that the settings ask for."""
    world = World(clock=Clock(), seed=b"modes")
    return connection(chosen, world, memory=Memory(), past=past or Past(chosen.venue), on_note=lambda *_: None)


async def test_on_paper_there_is_no_key_and_no_private_stream() -> None:
    """Whatever is configured: what is not there signs nothing and asks for no account."""
    async with opened(settings("paper")) as way:
        assert isinstance(way.venue, PaperVenue)
        assert isinstance(way.feeds, PaperFeeds)
        real = way.venue._real
        assert isinstance(real, BybitVenue)
        exchange = real._client._exchange
        assert (exchange.apiKey, exchange.secret) == ("", "")
        assert set(exchange.urls["api"].values()) == {"https://api.bybit.com"}
        assert way.hub._private is None
        assert [balance.equity for balance in await way.venue.balances()] == [Decimal(777)]
