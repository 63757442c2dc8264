"""A whole floor of one market on virtual time: a fake venue, fake feeds and a strategy that a test steers."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kangbot.errors import Refused, Retryable
from kangbot.execution.budget import Budget
from kangbot.execution.venue_clock import VenueClock
from kangbot.journal.replay import replay
from kangbot.machines.guard import StopTerms
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.limiter import Window
from kangbot.machines.slowness import Bounds
from kangbot.market.floor import Floor
from kangbot.market.gateway import Gateway
from kangbot.market.roster import Command, Roster
from kangbot.market.spec import MarketSpec
from kangbot.market.task import MarketTask
from kangbot.market.terms import Terms
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.events import RunState
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import Balance
from kangbot.model.target import Target
from kangbot.ports import Channel, Feeds, Sink, Subscription, Topic, Venue
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.tasks import OnCrash
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.world.loop import run
from kangbot.strategy.base import Parameters, Strategy, View
from tests.support.order_disk import Disk, loop
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARKET, START, instrument

MINUTE_NS = 60 * SECOND_NS
LOOKBACK = 3


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameters."""


class Closes:
    """Remembers the times of the bars it was shown."""

    def __init__(self) -> None:
        self.opened: list[int] = []
        self.busy: Callable[[], None] | None = None

    def update(self, bar: Bar) -> None:
        self.opened.append(bar.open_ns)
        if self.busy is not None:
            self.busy()


class Steered(Strategy[Nothing, Closes]):
    """Wants what the test wants; `decide` may be made to raise."""

    name = "steered"
    parameters_type = Nothing
    __slots__ = ("busy", "busy_closes", "closes", "error", "made", "once", "target")

    def __init__(self) -> None:
        super().__init__(Nothing())
        self.target: Target | None = None
        self.error: Exception | None = None
        self.once = False  # the error comes once
        self.busy: Callable[[], None] | None = None  # what it does before it decides
        self.busy_closes: Callable[[], None] | None = None  # the same of its indicators
        self.made: list[Closes] = []
        self.closes = Closes

    @property
    def lookback(self) -> int:
        return LOOKBACK

    def indicators(self) -> Closes:
        self.made.append(self.closes())
        self.made[-1].busy = self.busy_closes
        return self.made[-1]

    def decide(self, view: View[Closes]) -> Target | None:
        if self.busy is not None:
            self.busy()
        if (error := self.error) is not None:
            if self.once:
                self.error = None
            raise error
        return self.target

    def want(self, exposure: int | str, stop: str | None = "90") -> None:
        """Want that exposure from the next bar on."""
        price = None if stop is None or not exposure else Decimal(stop)
        self.target = Target(exposure=Decimal(exposure), stop=price, reason="the test wants it")


class Hold:
    """A subscription that is live at once, or when the test says so."""

    def __init__(self, feeds: "FakeFeeds") -> None:
        self._feeds = feeds
        self.closed = False

    async def live(self) -> None:
        if self._feeds.denied:
            raise Refused(self._feeds.denied)
        await self._feeds.up.wait()

    async def aclose(self) -> None:
        self.closed = True


class FakeFeeds:
    """Implements `ports.Feeds`: the test says what arrives."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.denied = ""
        self.sinks: list[Sink] = []
        self.holds: list[Hold] = []
        self.channels: list[Mapping[Channel, int | None]] = []
        self.eager: list[bool] = []

    def subscribe(
        self, instrument: Instrument, channels: Mapping[Channel, int | None], sink: Sink, *, eager: bool = True
    ) -> Subscription:
        self.eager.append(eager)
        self.sinks.append(sink)
        self.channels.append(channels)
        self.holds.append(Hold(self))
        for channel in channels:
            self.tell(channel, instrument, live=True)
        return self.holds[-1]

    def tell(self, channel: Channel, instrument: Instrument, *, live: bool) -> None:
        """Tell the market that a stream of its flows, or does not."""
        topic = Topic(market=instrument.market, channel=channel, native=channel.value)
        self.sinks[-1].feed_changed(topic, live=live, reason="" if live else "silent: the test wants it")

    def account(self, sink: Sink) -> Subscription:
        sink.feed_changed(Topic(market=None, channel=Channel.ACCOUNT, native="order"), live=True, reason="")
        return Hold(self)


@dataclass(slots=True)
class BarVenue(FakeVenue):
    """The fake venue with a history of minute bars up to now; `hidden_bars` of the newest are not there yet."""

    kind: InstrumentKind = InstrumentKind.LINEAR
    hidden_bars: int = 0
    untold_ns: int = -1  # the bar that opens then is in no history, ever
    lists_market: bool = True
    fetches: int = 0
    no_bars: Exception | None = None  # what it answers instead
    absences_of_instruments: int = 0
    tells_time: bool = True
    times: int = 0
    beside_coins: Decimal = Decimal(0)  # that came to the account, or left it, without an execution

    async def server_time_ns(self) -> int:
        self.times += 1
        if not self.tells_time:
            raise Retryable("the venue does not tell its time")
        return self.clock.now_ns()

    async def instruments(self, symbols: Sequence[Any]) -> Mapping[Any, Instrument]:
        if self.absences_of_instruments:
            self.absences_of_instruments -= 1
            raise Retryable("the venue is away")
        return {
            symbol: instrument(self.kind) for symbol in symbols if self.lists_market and symbol == instrument().symbol
        }

    async def balances(self) -> Sequence[Balance]:
        money = await FakeVenue.balances(self)
        if self.kind is not InstrumentKind.SPOT:
            return money
        coins = self.net + self.beside_coins
        return [*money, Balance(currency="BTC", equity=coins, available=coins, at_ns=self.clock.now_ns())]

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        self.fetches += 1
        return ()

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        self.fetches += 1
        if self.no_bars is not None:
            raise self.no_bars
        newest_ns = self.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        opened = [newest_ns - number * MINUTE_NS for number in reversed(range(limit))]
        return [bar_at(open_ns) for open_ns in opened[: limit - self.hidden_bars] if open_ns != self.untold_ns]


def bar_at(open_ns: int, price: str = "100") -> Bar:
    """Return a flat minute bar."""
    value = Decimal(price)
    return Bar(
        market=MARKET, timeframe_s=60, open_ns=open_ns, open=value, high=value, low=value, close=value, volume=value
    )


class Story:
    """One life of a floor; `bar` lets a minute pass."""

    def __init__(self, *, venue: BarVenue, disk: Disk, world: World, specs: Sequence[MarketSpec] | None = None) -> None:
        self.venue = venue
        self.disk = disk
        self.world = world
        self.feeds = FakeFeeds()
        self.strategy = Steered()
        self.risk = AccountRisk(Limits(leverage=None))
        self.stops = StopTerms()
        self.foreign = ForeignPolicy.REPORT
        self.venue_clock = VenueClock(world.clock, most_ns=SECOND_NS)
        self.decisions: Bounds | None = None
        self.alarm: Alarm | None = None
        self.cancel_entries = True
        self.on_paper = False
        self.specs = list(specs) if specs is not None else [spec(self.strategy)]
        self.roster = Roster(clock=world.clock, journal=disk, draw=lambda: 0.0, interval_s=0.1, jitter_s=0.0)
        self.died: OnCrash | None = None

    async def open(self) -> None:
        """Replay the disk and open the floor."""
        self.floor = Floor(
            world=self.world,
            journal=self.disk,
            memory=await replay(self.disk, {"risk": self.risk}),
            gateway=self.gateway(self.venue, self.feeds),
            risk=self.risk,
            roster=self.roster,
            specs=self.specs,
            died=self.died,
            terms=Terms(
                restarts=2,
                restarts_within_s=3600.0,
                first_wait_s=1.0,
                longest_wait_s=5.0,
                stops=self.stops,
                foreign=self.foreign,
                decisions=self.decisions,
                cancel_entries=self.cancel_entries,
                on_paper=self.on_paper,
            ),
            alarm=self.alarm,
        )
        self.venue.sink = lambda event: self.floor.account.offer(event, 0)
        await self.floor.open()

    def gateway(self, venue: Venue, feeds: Feeds) -> Gateway:
        """Return the way to the account, with budgets that no test spends."""
        clock, windows = self.world.clock, (Window(most=50, span_ns=SECOND_NS),)
        return Gateway(
            venue=venue,
            feeds=feeds,
            budget=Budget(clock=clock, venue="orders", windows=windows),
            data_budget=Budget(clock=clock, venue="data", windows=windows),
            clock=self.venue_clock,
        )

    @property
    def task(self) -> MarketTask:
        return self.floor.markets[MARKET]

    @property
    def state(self) -> RunState:
        return self.roster[MARKET].state

    def quote(self, price: str = "100") -> None:
        """Move the top of the book."""
        self.venue.price = Decimal(price)
        self.task.inbox.offer(
            Quote(
                market=MARKET,
                bid=Decimal(price),
                bid_quantity=Decimal(9),
                ask=Decimal(price),
                ask_quantity=Decimal(9),
                at_ns=self.world.clock.now_ns(),
            ),
            1,
        )

    async def live(self) -> None:
        """Open, start, and wait until the market is live."""
        await self.open()
        self.roster.command(MARKET, Command.START, "test")
        await self.reach(RunState.LIVE)

    async def wants_in(self, **changes: Any) -> None:
        """Go live, on other terms than the usual where `changes` name some, and have the strategy want in by a bar."""
        if changes:
            self.specs = [spec(self.strategy, **changes)]
        await self.live()
        self.quote()
        self.strategy.want(1)
        await self.bar()

    async def reach(self, *states: RunState) -> None:
        """Wait until the market is in one of the states."""
        async with asyncio.timeout(120):
            await self.roster.reached([MARKET], *states)

    async def bar(self) -> None:
        """Wait for the next minute, and have its bar and a quote arrive; then a moment for what follows."""
        now_ns = self.venue.clock.now_ns()
        close_ns = (now_ns // MINUTE_NS + 1) * MINUTE_NS
        await asyncio.sleep((close_ns - now_ns) / SECOND_NS)
        self.quote(str(self.venue.price))
        self.task.inbox.offer(bar_at(close_ns - MINUTE_NS), 1)
        await asyncio.sleep(5)


def spec(strategy: Strategy[Any, Any], **changes: Any) -> MarketSpec:
    """Return a market of minute bars with a size of 200."""
    fields = {
        "market": MARKET,
        "symbol": instrument().symbol,
        "strategy": strategy,
        "timeframe": "1m",
        "timeframe_s": 60,
        "size": Decimal(200),
        "leverage": 1,
    }
    return MarketSpec(**{**fields, **changes})


def play(story: Callable[[Story], Coroutine[Any, Any, None]]) -> None:
    """Run `story` on virtual time."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        told = Story(venue=BarVenue(clock=clock), disk=Disk(), world=World(clock=clock, seed=b"story"))
        try:
            await story(told)
        finally:
            await told.floor.close()

    run(main())
