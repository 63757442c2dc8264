"""How the daemon reaches a venue in each mode: which adapter, which addresses, whose account.

    sandbox, testnet, live    the venue's adapter with its key, against the mode's own addresses
    paper                     the adapter without a key, for the markets; a simulated account for everything else

One module a venue composes its adapter. The addresses, and the second switch that live needs, are the settings'
business; what is done with a venue is the floor's.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from kangbot.execution.calls import turn
from kangbot.feed.bulletin import OnNote
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.feed.kept import Kept
from kangbot.feed.rules import Budgets, terms
from kangbot.feed.stream import Stream
from kangbot.machines.memory import Memory
from kangbot.model.ids import MarketId
from kangbot.modes import binance_usdm, bybit
from kangbot.modes.past import MODE_NOTED, Past, noted
from kangbot.modes.way import Way
from kangbot.ports import Feeds, Turn, Venue
from kangbot.runtime.world import World
from kangbot.settings import Settings
from kangbot.settings.feeds import FeedSettings
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue

__all__ = ["MODE_NOTED", "Connection", "Past", "connection", "noted"]

CONNECTS = "connects.json"  # in the state folder: what the venue's host counts against us

_WAYS: Mapping[str, Callable[[Settings, World, Turn], Way]] = {"bybit": bybit.way, "binance_usdm": binance_usdm.way}


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A way to trade. `hub` carries the data, for its counters; `way` says what the venue bears.

    `deaf` tells whether a market's stop is watched by nobody but us, and nothing of the market is heard.
    """

    venue: Venue
    feeds: Feeds
    hub: FeedHub
    way: Way
    deaf: Callable[[MarketId], bool] = lambda _market: False

    @property
    def streams(self) -> Sequence[Stream]:
        """The sockets there are."""
        return self.hub.streams


@asynccontextmanager
async def connection(
    settings: Settings, world: World, *, memory: Memory, past: Past, on_note: OnNote
) -> AsyncIterator[Connection]:
    """Open the way that the mode asks for; nothing is connected until something is asked for."""
    way = _WAYS[settings.venue](settings, world, turn)
    try:
        async with (
            Kept(settings.state_dir / CONNECTS) as kept,
            await _hub(way, world, on_note, kept, budgets(settings.feeds)) as hub,
        ):
            if settings.mode != "paper":
                yield Connection(venue=way.venue, feeds=hub, hub=hub, way=way)
                return
            account = PaperAccount(world=world, balance=settings.paper.balance, memory=memory, ledger=past.ledger)
            feeds = PaperFeeds(hub, account)
            try:
                paper = PaperVenue(way.venue, account, world.clock, way.rates)
                yield Connection(venue=paper, feeds=feeds, hub=hub, way=way, deaf=account.deaf)
            finally:
                await feeds.aclose()
    finally:
        await way.venue.aclose()


def budgets(feeds: FeedSettings) -> Budgets:
    """Return the silence that the settings allow."""
    return Budgets(
        quote=terms(feeds.quote_first_s, feeds.quote_least_s, feeds.quote_most_s),
        trade=terms(feeds.trade_first_s, feeds.trade_least_s, feeds.trade_most_s, witness=False),
        bar_grace_s=feeds.bar_grace_s,
    )


async def _hub(way: Way, world: World, on_note: OnNote, kept: Kept, silence: Budgets) -> FeedHub:
    connects = ConnectBudget(world.clock, most=way.connects_per_5_minutes, kept=kept)
    await connects.restore()
    return FeedHub(
        world=world,
        name=way.venue.name,
        public=way.public,
        private=way.private,
        venue_now_ns=way.clock.now_ns,
        connects=connects,
        on_note=on_note,
        budgets=silence,
    )
