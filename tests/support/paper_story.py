"""A floor of one market that trades on paper: the fake venue gives the market, and must never hear of an account."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate

from kangbot.journal.replay import Remembers, replay
from kangbot.machines.memory import Memory
from kangbot.market.floor import Floor
from kangbot.market.terms import Terms
from kangbot.model.data import Bar, FundingRate, Quote, Trade
from kangbot.model.events import Event
from kangbot.model.ids import VenueName
from kangbot.model.market import Instrument
from kangbot.model.orders import Side
from kangbot.ports import Journal
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperFeeds, PaperVenue
from kangbot.sim.world.loop import run
from tests.support.floor_story import BarVenue, Story, bar_at
from tests.support.order_disk import Disk, loop
from tests.support.trade_words import MARKET, START, instrument

BALANCE = Decimal(1000)
HOUR_NS = 3600 * SECOND_NS


class GroupedDisk(Disk):
    """A disk that knows where its atomic groups end: a crash leaves whole ones only."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: list[int] = []

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        self._sizes.append(len(events))
        return super().append(*events, reserve=reserve, later=later)

    def prefixes(self) -> Iterator[list[bytes]]:
        """Yield what a crash may have left, from nothing to everything."""
        for end in accumulate(self._sizes, initial=0):
            yield self.lines[:end]


async def remembered(journal: Journal, **others: Remembers) -> tuple[Memory, Ledger]:
    """Return what the journal knows of a paper account."""
    ledger = Ledger(VenueName("bybit"), "USDT")
    return await replay(journal, {"ledger": ledger, **others}), ledger


async def rebuilt(lines: list[bytes], world: World) -> tuple[Memory, PaperAccount]:
    """Return the memory and the account that a daemon has when only these lines of its journal are on disk."""
    disk = Disk()
    disk.lines = lines
    memory, ledger = await remembered(disk)
    account = PaperAccount(world=world, balance=BALANCE, memory=memory, ledger=ledger)
    account.add_market(instrument(), Decimal(100))
    return memory, account


@dataclass(slots=True)
class MarketVenue(BarVenue):
    """The real venue: its market is looked at, and nothing else."""

    printed: list[Trade] = field(default_factory=list)  # the newest trades
    closes: Callable[[int], int] = lambda _: 100  # of the candles of an hour, by how many came after it
    kept_hours: int = 1000
    late_hours: int = 0  # that the newest candles are missing
    rate: Decimal = Decimal("0.0001")  # that is settled every eight hours

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        if timeframe_s != HOUR_NS // SECOND_NS:
            return await BarVenue.bars(self, instrument, timeframe_s, limit)
        newest_ns = self.clock.now_ns() // HOUR_NS * HOUR_NS - HOUR_NS * (1 + self.late_hours)
        ages = reversed(range(min(limit, self.kept_hours)))
        return [bar_at(newest_ns - age * HOUR_NS, str(self.closes(age))) for age in ages]

    async def funding(self, instrument: Instrument, since_ns: int) -> Sequence[FundingRate]:
        """Return what was settled since then."""
        del instrument
        every_ns = 8 * HOUR_NS
        times = range((since_ns // every_ns + 1) * every_ns, self.clock.now_ns() + 1, every_ns)
        return [FundingRate(at_ns=at_ns, rate=self.rate) for at_ns in times]

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        return self.printed[-limit:]


class PaperStory(Story):
    """One life. `quote` and `trade` move the market for the daemon and for its account alike."""

    venue: MarketVenue
    account: PaperAccount
    paper: PaperVenue
    follower: PaperFeeds

    async def open(self) -> None:
        """Replay the disk and open the floor."""
        memory, ledger = await remembered(self.disk, risk=self.risk)
        self.account = PaperAccount(world=self.world, balance=BALANCE, memory=memory, ledger=ledger)
        self.paper = PaperVenue(self.venue, self.account, self.world.clock, self.venue.funding)
        self.follower = PaperFeeds(self.feeds, self.account)
        self.floor = Floor(
            world=self.world,
            journal=self.disk,
            memory=memory,
            gateway=self.gateway(self.paper, self.follower),
            risk=self.risk,
            roster=self.roster,
            specs=self.specs,
            terms=Terms(),
            deaf=self.account.deaf,
        )
        await self.floor.open()

    def quote(self, price: str = "100") -> None:
        """Move the top of the book."""
        self.venue.price = Decimal(price)
        quote = Quote(
            market=MARKET,
            bid=Decimal(price),
            bid_quantity=Decimal(9),
            ask=Decimal(price) + instrument().tick,
            ask_quantity=Decimal(9),
            at_ns=self.world.clock.now_ns(),
        )
        for sink in self.feeds.sinks:
            sink.offer(quote, 1)

    def trade(self, price: str, quantity: str = "1", side: Side = Side.SELL) -> None:
        """Have somebody trade."""
        printed = trade(price, quantity, side, at_ns=self.world.clock.now_ns())
        for sink in self.feeds.sinks:
            sink.offer(printed, 1)

    @property
    def net(self) -> Decimal:
        """What the account holds."""
        return self.account.engine.account.holding(MARKET).net


def trade(price: str, quantity: str = "1", side: Side = Side.SELL, *, at_ns: int = START) -> Trade:
    """Return a public trade."""
    return Trade(market=MARKET, trade_id="t", side=side, price=Decimal(price), quantity=Decimal(quantity), at_ns=at_ns)


def play_on_paper(
    story: Callable[[PaperStory], Coroutine[None, None, None]], disk: Disk | None = None, *, later_s: int = 0
) -> None:
    """Run `story` on virtual time; `disk` is what a life left that began `later_s` before."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START + later_s * SECOND_NS)
        world = World(clock=clock, seed=b"paper")
        told = PaperStory(venue=MarketVenue(clock=clock), disk=disk or Disk(), world=world)
        try:
            await story(told)
        finally:
            await told.floor.close()
            assert_public(told.venue)

    run(main())


def assert_public(venue: BarVenue) -> None:
    """Nothing that concerns an account was asked of the real venue."""
    assert venue.submits == []
    assert venue.canceled == []
    assert venue.asked == []
