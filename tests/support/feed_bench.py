"""Each adapter of the feeds' port in front of a market that moves by itself."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.machines.memory import Memory
from kangbot.model.ids import Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.ports import Feeds
from kangbot.runtime.world import World, real_world
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import VenueSpec
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperFeeds
from kangbot.sim.world.faults import Faults
from kangbot.sim.world.feeds import SimFeeds
from kangbot.sim.world.process import Process
from kangbot.sim.world.pump import Pump
from kangbot.venues.bybit.feed import BybitPublic
from kangbot.venues.bybit.venue import BybitVenue

NAMES = (Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT"))


@dataclass(frozen=True, slots=True)
class Bench:
    """The feeds, and two markets that they carry."""

    feeds: Feeds
    one: Instrument
    other: Instrument


@asynccontextmanager
async def _simulated(world: World) -> AsyncIterator[tuple[SimFeeds, Instrument, Instrument]]:
    """Open the simulation's own feeds, in real time."""
    markets = (linear("BTCUSDT"), linear("ETHUSDT"))
    spec = VenueSpec(markets=markets, start_ns=world.clock.now_ns(), rate=40.0, history_minutes=0)
    pump = Pump(SimVenue(spec, world.fork), world.clock.now_ns)
    feeds = SimFeeds(pump=pump, faults=Faults(world.fork("faults")), process=Process(lambda _: None))
    pump.start()
    try:
        yield feeds, markets[0].instrument, markets[1].instrument
    finally:
        pump.stop()
        feeds.close()


@asynccontextmanager
async def simulation() -> AsyncIterator[Bench]:
    """What a scenario subscribes to."""
    async with _simulated(real_world()) as (feeds, one, other):
        yield Bench(feeds, one, other)


@asynccontextmanager
async def paper() -> AsyncIterator[Bench]:
    """What paper trading puts in front of a venue's feeds; its account holds each market beside the asker."""
    world = real_world()
    account = PaperAccount(
        world=world, balance=Decimal(1000), memory=Memory(), ledger=Ledger(VenueName("bybit"), "USDT")
    )
    async with _simulated(world) as (feeds, one, other):
        for instrument in (one, other):
            account.add_market(instrument, None)
        follower = PaperFeeds(feeds, account)
        try:
            yield Bench(follower, one, other)
        finally:
            await follower.aclose()


@asynccontextmanager
async def bybit() -> AsyncIterator[Bench]:
    """Return the hub over the sandbox exchange's websockets."""
    world = real_world()
    clock = world.clock
    options = ServeOptions(symbols=("BTCUSDT", "ETHUSDT"), history_minutes=1, rate=40.0, enforce_limits=False)
    async with await serve(options, clock) as sandbox:
        venue = BybitVenue(
            key="sandbox",
            secret="sandbox",
            rest_url=sandbox.rest_url,
            now_ns=clock.now_ns,
            venue_now_ms=lambda: clock.now_ns() // 1_000_000,
        )
        try:
            found = await venue.instruments(NAMES)
        finally:
            await venue.aclose()
        hub = FeedHub(
            world=world,
            name="bybit",
            public=[lambda: BybitPublic(url=sandbox.ws_public_url, category="linear")],
            private=None,
            connects=ConnectBudget(clock),
            on_note=lambda *_: None,
        )
        async with hub:
            yield Bench(hub, found[NAMES[0]], found[NAMES[1]])


ADAPTERS: Mapping[str, Callable[[], AbstractAsyncContextManager[Bench]]] = {
    "bybit": bybit,
    "paper": paper,
    "simulation": simulation,
}
