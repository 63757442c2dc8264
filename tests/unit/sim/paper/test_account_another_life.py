"""A restart at any moment makes no difference to a paper account: the same market finds the same money in it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kangbot.errors import Refused, Retryable
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.data import MarketData, Quote
from kangbot.model.events import CashFlowApplied, Event, FillApplied, OrderChanged, OrderIntended, Record, StopSet
from kangbot.model.ids import client_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import floor_to
from kangbot.model.orders import AccountEvent, CashFlow, Fill, OrderKind, OrderReport, Purpose, Side
from kangbot.ports import Topic
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperVenue
from tests.support.instruments import instrument_of
from tests.support.paper_story import BALANCE, MarketVenue
from tests.support.trade_words import START, TAG, intent

D = Decimal
CONTRACT, COINS = instrument_of("BTC"), instrument_of("BTC", InstrumentKind.SPOT)
MARKETS = (CONTRACT, COINS)

Quoted = tuple[Instrument, int]
Ordered = tuple[Instrument, Side, OrderKind, int, int]
Step = Quoted | Ordered

PRICES = st.integers(97, 103)
QUOTED = st.tuples(st.sampled_from(MARKETS), PRICES)
ORDERED = st.tuples(
    st.sampled_from(MARKETS), st.sampled_from(Side), st.sampled_from(OrderKind), st.integers(1, 30), PRICES
)
STEPS = st.lists(QUOTED | ORDERED, min_size=6, max_size=25)


@dataclass
class Life:
    """One life of the account, on a clock that is set by hand; implements `ports.Sink` for what it tells."""

    events: list[Event] = field(default_factory=list)  # what a daemon would have journalled, of this life and before
    prices: dict[Instrument, Decimal] = field(default_factory=dict)  # that were traded last
    now_ns: int = START
    account: PaperAccount = field(init=False)
    paper: PaperVenue = field(init=False)

    def __post_init__(self) -> None:
        ledger, recollection = Ledger(CONTRACT.venue, "USDT"), Recollection()
        for sequence, event in enumerate(self.events, 1):
            ledger.observe(event)
            recollection.add(Record(journal="abcdefgh", sequence=sequence, event=event))
        clock = Clock(monotonic_ns=lambda: self.now_ns, anchor_ns=self.now_ns)
        memory: Memory = recollection.memory()
        world = World(clock=clock, seed=len(self.events).to_bytes(4))
        self.account = PaperAccount(world=world, balance=BALANCE, memory=memory, ledger=ledger)
        for instrument in MARKETS:
            self.account.add_market(instrument, self.prices.get(instrument))
        self.account.listen(self)
        real = MarketVenue(clock=clock)
        self.paper = PaperVenue(real, self.account, clock, real.funding)

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Journal it, as the house does."""
        del received_ns
        if isinstance(event, Fill):
            self.events.append(FillApplied(fill=event, net=D(0), at_ns=event.at_ns))
        elif isinstance(event, CashFlow):
            self.events.append(CashFlowApplied(flow=event, at_ns=event.at_ns))
        elif isinstance(event, OrderReport) and event.client_id is not None:
            self.events.append(
                OrderChanged(
                    market=event.market,
                    client_id=event.client_id,
                    status=event.status,
                    evidence=event.evidence,
                    filled=event.filled,
                    average=event.average,
                    venue_order_id=event.venue_order_id,
                    at_ns=event.at_ns,
                )
            )

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Hear nothing of it."""

    def garbled(self, topic: Topic) -> None:
        """Hear nothing of it."""

    def quote(self, instrument: Instrument, price: int) -> None:
        """Move the market, three hours and two minutes later."""
        self.now_ns += (3 * 3600 + 120) * SECOND_NS
        bid, nine = D(price), D(9)
        self.prices[instrument] = bid
        self.account.offer(
            Quote(
                market=instrument.market,
                bid=bid,
                bid_quantity=nine,
                ask=bid + instrument.tick,
                ask_quantity=nine,
                at_ns=self.now_ns,
            ),
            0,
        )

    async def order(self, number: int, ordered: Ordered) -> None:
        """Ask for an order; one that is against what is held only takes from it."""
        instrument, side, kind, tenths, price = ordered
        quantity, holding = D(tenths) / 10, self.account.engine.account.holding(instrument.market).net
        if instrument is COINS:
            holding = self.account.engine.account.coins.get("BTC", D(0))
        exits = holding * side.sign < 0
        meant = msgspec.structs.replace(
            intent(number, at_ns=self.now_ns),
            client_id=client_id(TAG, number),
            market=instrument.market,
            purpose=Purpose.EXIT if exits else Purpose.ENTRY,
            side=side,
            kind=kind,
            quantity=floor_to(min(quantity, abs(holding)), instrument.step) if exits else quantity,
            price=D(price) if kind is OrderKind.LIMIT else None,
            stop=D(100 - 30 * side.sign) if not exits else None,
            reduce_only=exits,
        )
        intended = OrderIntended(intent=meant, at_ns=self.now_ns)
        self.events.append(intended)
        try:
            await self.paper.submit(instrument, meant)
        except (Refused, Retryable):
            self.events.remove(intended)

    async def go(self, steps: Sequence[Step], first: int = 1) -> None:
        """Live through these."""
        for number, step in enumerate(steps, first):
            if len(step) == 2:
                self.quote(*step)
            else:
                await self.order(number, step)
            await self.paper.executions(0)
            stop = self.account.engine.stop(CONTRACT.market)
            self.events.append(StopSet(market=CONTRACT.market, price=stop, at_ns=self.now_ns))

    @property
    def money(self) -> tuple[Mapping[str, Decimal], Decimal]:
        """What the account has, in coins and in contracts."""
        engine = self.account.engine
        coins = {coin: round(amount, 12) for coin, amount in engine.account.coins.items() if amount}
        return coins, engine.account.holding(CONTRACT.market).net


@given(STEPS, STEPS)
def test_the_same_market_finds_the_same_money_after_a_restart(before: Sequence[Step], after: Sequence[Step]) -> None:
    """Resting orders fill, stops are triggered and funding is paid as if the daemon had never ended."""

    async def main() -> None:
        one = Life()
        one.quote(CONTRACT, 100)
        one.quote(COINS, 100)
        await one.go(before)
        other = Life(events=[*one.events], prices=dict(one.prices), now_ns=one.now_ns)
        assert other.money == one.money
        for life in (one, other):
            life.quote(CONTRACT, 100)
            life.quote(COINS, 100)
            await life.go(after, first=100)
        assert other.money == one.money

    asyncio.run(main())
