"""Each adapter of the feeds' port in front of a market that moves by itself, and the hand that breaks it.

Which suite asks what of which of them is in `feed_adapters.py`. Benches begin a few seconds before a full minute.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import aiohttp
import msgspec

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub, MakeDialect
from kangbot.feed.rules import StreamRules, Wait
from kangbot.machines.memory import Memory
from kangbot.model.data import FundingRate
from kangbot.model.ids import MarketId, Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.model.orders import Intent
from kangbot.ports import Feeds, IdRule, Venue
from kangbot.runtime.world import Clock, World
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import Sandbox, serve
from kangbot.sim.exchange.front import Front
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import VenueSpec
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue
from kangbot.sim.world.faults import Faults
from kangbot.sim.world.feeds import SimFeeds
from kangbot.sim.world.loop import VirtualLoop
from kangbot.sim.world.network import Network
from kangbot.sim.world.port import SimPort
from kangbot.sim.world.process import Process, ProcessCarrier
from kangbot.sim.world.pump import Pump
from kangbot.venues.binance_usdm.feed import BinancePublic
from kangbot.venues.binance_usdm.venue import BinanceVenue
from kangbot.venues.bybit.feed import BybitPrivate, BybitPublic
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.leaping import LeapingTime
from tests.support.venue_bench import Intents
from tests.support.venue_sim_bench import Unwatched
from tests.wire.recorded import four_markets, four_markets_listing
from tests.wire.reel import Reel
from tests.wire.reel_venue import ReelVenue, beside

NAMES = (Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT"))
RECORDED = (Symbol("SUSHI/USDT:USDT"), Symbol("CTK/USDT:USDT"))
MINUTE_NS = 60_000_000_000
START_NS = 1_760_000_040_000_000_000 // MINUTE_NS * MINUTE_NS + 50_000_000_000

_SOON = StreamRules(others=Wait(first_s=0.05, most_s=0.2))  # a dial that waits proves nothing here
_SPEED = 10  # of the recording: its markets were quiet
_DOWN_S = 1.0  # how long the simulation's connections are away


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The feeds, and two markets that they carry. `cut` breaks every connection, without a word."""

    feeds: Feeds
    one: Instrument
    other: Instrument
    now_ns: Callable[[], int]  # the venue's clock
    cut: Callable[[], Awaitable[None]]
    close_minute: Callable[[], None]  # bring the end of a minute near, where it would be long to wait for


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBench(Bench):
    """A venue whose account trades as well."""

    venue: Venue
    intents: Intents

    async def enter(self) -> Intent:
        """Buy a little in the first market; return what was asked for."""
        quote = await self.venue.quote(self.one)
        entry = self.intents.entry(self.one, quote.bid, {})
        await self.venue.submit(self.one, entry)
        return entry


def unlisted(bench: Bench) -> Instrument:
    """Return a market that the venue does not know."""
    return msgspec.structs.replace(bench.one, market=MarketId("bybit:NOPE-USDT:USDT"), native="NOPEUSDT")


# --------------------------------------------------------------------------------------------------------- simulation
@asynccontextmanager
async def simulation() -> AsyncIterator[AccountBench]:
    """What a scenario subscribes to, and what it trades through. In virtual time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    world = World(clock=Clock(lambda: loop.now_ns, START_NS), seed=b"conformance")
    now_ns, markets = world.clock.now_ns, (linear("BTCUSDT"), linear("ETHUSDT"))
    engine = SimVenue(VenueSpec(markets=markets, start_ns=now_ns(), rate=20.0, history_minutes=0), world.fork)
    pump, faults, process = Pump(engine, now_ns), Faults(world.fork("faults")), Process(lambda _: None)
    feeds = SimFeeds(pump=pump, faults=faults, process=process)
    network = Network(faults=faults, venue_now_ns=now_ns, served=pump.flush, timeout_s=6.0)
    venue = SimPort(
        name=VenueName("bybit"),
        front=Front(engine),
        carrier=ProcessCarrier(network, process, Unwatched()),
        clock=world.clock,
        venue_now_ns=now_ns,
        id_rule=IdRule.FOR_EVER,
        window_ns=5_000_000_000,
    )

    async def cut() -> None:
        feeds.break_public()
        feeds.break_private()
        loop.call_later(_DOWN_S, feeds.heal)

    pump.start()
    try:
        yield AccountBench(
            feeds=feeds,
            one=markets[0].instrument,
            other=markets[1].instrument,
            now_ns=now_ns,
            cut=cut,
            close_minute=lambda: None,  # virtual time waits for nothing
            venue=venue,
            intents=Intents(now_ns),
        )
    finally:
        pump.stop()
        feeds.close()


# ---------------------------------------------------------------------------------------------------------------- hub
class _Exchange:
    """The sandbox exchange, and Bybit's adapter in front of it."""

    def __init__(self, sandbox: Sandbox, venue: BybitVenue, world: World, time: LeapingTime) -> None:
        self.sandbox = sandbox
        self.venue = venue
        self.world = world
        self._time = time

    def hub(self, *, private: bool) -> FeedHub:
        """Return the hub over the sandbox's websockets."""

        def account() -> BybitPrivate:
            return BybitPrivate(
                url=self.sandbox.ws_private_url, key="sandbox", secret="sandbox", markets=self.venue.market_of
            )

        def markets() -> BybitPublic:
            return BybitPublic(url=self.sandbox.ws_public_url, category="linear")

        return _hub(self.world, "bybit", [markets], account if private else None)

    async def cut(self) -> None:
        """Cut every websocket."""
        fault = [{"fault": "drop_sockets", "which": "all"}]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.sandbox.rest_url}/sandbox/faults", json=fault) as answer,
        ):
            assert answer.status == 200, await answer.text()

    def close_minute(self) -> None:
        """Leap to just before the end of the minute."""
        _leap(self._time, self.world.clock, 300_000_000)


def _leap(time: LeapingTime, clock: Clock, short_of_ns: int) -> None:
    """Leap to shortly before the end of the minute."""
    time.leap(MINUTE_NS - clock.now_ns() % MINUTE_NS - short_of_ns)


def _hub(world: World, name: str, public: list[MakeDialect], private: MakeDialect | None) -> FeedHub:
    return FeedHub(
        world=world,
        name=name,
        public=public,
        private=private,
        connects=ConnectBudget(world.clock),
        on_note=lambda *_: None,
        rules=_SOON,
    )


@asynccontextmanager
async def _exchange() -> AsyncIterator[_Exchange]:
    time = LeapingTime()
    clock = Clock(time, START_NS)
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
            yield _Exchange(sandbox, venue, World(clock=clock, seed=b"conformance"), time)
        finally:
            await venue.aclose()


@asynccontextmanager
async def bybit() -> AsyncIterator[AccountBench]:
    """Return the hub over the sandbox exchange's websockets."""
    async with _exchange() as exchange, exchange.hub(private=True) as hub:
        found = await exchange.venue.instruments(NAMES)
        yield _bench(exchange, hub, exchange.venue, [found[name] for name in NAMES])


async def _no_rates(_instrument: Instrument, _since_ns: int) -> Sequence[FundingRate]:
    return ()


@asynccontextmanager
async def paper() -> AsyncIterator[AccountBench]:
    """What paper trading puts in front of a venue's feeds; its account holds each market beside the asker."""
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(_exchange())
        hub = await stack.enter_async_context(exchange.hub(private=False))
        world = exchange.world
        ledger = Ledger(VenueName("bybit"), "USDT")
        account = PaperAccount(world=world, balance=Decimal(50_000), memory=Memory(), ledger=ledger)
        venue = PaperVenue(exchange.venue, account, world.clock, _no_rates)
        found = await venue.instruments(NAMES)
        feeds = PaperFeeds(hub, account)
        stack.push_async_callback(feeds.aclose)
        yield _bench(exchange, feeds, venue, [found[name] for name in NAMES])


def _bench(exchange: _Exchange, feeds: Feeds, venue: Venue, markets: list[Instrument]) -> AccountBench:
    one, other = markets
    now_ns = exchange.world.clock.now_ns
    return AccountBench(
        feeds=feeds,
        one=one,
        other=other,
        now_ns=now_ns,
        cut=exchange.cut,
        close_minute=exchange.close_minute,
        venue=venue,
        intents=Intents(now_ns),
    )


@asynccontextmanager
async def binance_usdm() -> AsyncIterator[Bench]:
    """Return the hub over a recording that has no end, some seconds before its candles close."""
    frames = four_markets()
    time = LeapingTime(_SPEED)
    clock = Clock(time, (frames[0].received_us + 12_000_000) * 1000)
    served = ReelVenue(Reel(frames), four_markets_listing(), now_ns=clock.now_ns, speed=_SPEED)

    async def cut() -> None:
        served.cut()

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beside(served))
        venue = BinanceVenue(rest_url=served.rest_url)
        stack.push_async_callback(venue.aclose)
        found = await venue.instruments(RECORDED)
        hub = _hub(
            World(clock=Clock(), seed=b"conformance"),
            "binance_usdm",
            [
                lambda: BinancePublic(url=served.ws_url, path="public"),
                lambda: BinancePublic(url=served.ws_url, path="market"),
            ],
            None,
        )
        await stack.enter_async_context(hub)
        yield Bench(
            feeds=hub,
            one=found[RECORDED[0]],
            other=found[RECORDED[1]],
            now_ns=clock.now_ns,
            cut=cut,
            close_minute=lambda: _leap(time, clock, _SPEED * 100_000_000),
        )
