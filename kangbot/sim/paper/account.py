"""The account of paper trading: a simulated one, moved by a real venue's quotes and trades.

Orders fill as `exchange/matching.py` says: a taker walks the quoted level and the synthetic ones behind it, a resting
order waits its turn at its price, a stop is triggered by the trades. While these do not flow, the middle of each quote
stands for them: one that is asked for by REST while a connection is down triggers a stop as well. What an order of this
size would have done to the real market, and how long it would have been on its way, is not simulated: it arrives at
once. Funding is what the real venue has settled: see `funding.py`.

After a restart the account is what the journal knows: see `ledger.py`. What it could not see while the daemon was
away it cannot know: a stop that was passed meanwhile triggers at the first price it hears of, at that price, and a
resting order waits again for all that is quoted before it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import structlog

from kangbot.machines.cover import Covering
from kangbot.machines.memory import MarketMemory, Memory
from kangbot.machines.order import Order
from kangbot.machines.warmup import AHEAD_NS
from kangbot.model.data import FundingRate, MarketData, Quote, Trade
from kangbot.model.ids import MarketId, VenueOrderId, stop_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import AccountEvent, Fill, OrderKind, OrderStatus, Side, TimeInForce
from kangbot.ports import Channel, Sink, Topic
from kangbot.runtime.world import SECOND_NS, World
from kangbot.sim.exchange.events import Executed, account_event
from kangbot.sim.exchange.orders import Cause, Direction, OrderRequest, SimOrder
from kangbot.sim.exchange.position import Holding
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.spec import MarketSpec, VenueSpec
from kangbot.sim.paper.ledger import Ledger

log = structlog.get_logger(__name__)

_KEPT_NS = 24 * 3600 * SECOND_NS  # as long as the house asks for executions and orders that are over, and longer
_NEVER_S = 1000 * 365 * 86_400  # between two payments of the simulated venue's own
_MAX_LEVERAGE = Decimal(100)  # what a configuration may ask for


class PaperAccount:
    """One account with `balance` at its beginning; implements `ports.Sink` for the data that move it.

    `memory` and `ledger` are what the journal knows of it.
    """

    def __init__(self, *, world: World, balance: Money, memory: Memory, ledger: Ledger) -> None:
        clock = world.clock
        self._clock = clock
        self._memory = memory
        self._ledger = ledger
        self._instruments: dict[MarketId, Instrument] = {}
        self._known_ns: dict[MarketId, int] = {}
        self._flows: dict[tuple[MarketId, Channel], None] = {}  # what is heard of which market
        self._sink: Sink | None = None
        spec = VenueSpec(
            markets=(),
            start_ns=clock.now_ns(),
            seed=world.seed,
            balance=balance,
            minutes_kept=1,
            trades_kept=1,
            funding_interval_s=_NEVER_S,
        )
        self.engine = SimVenue(spec, world.fork, live=False)
        coins = self.engine.account.coins
        for currency, change in ledger.coins.items():
            coins[currency] = coins.get(currency, ZERO) + change

    # ------------------------------------------------------------------------------------------------------- markets
    @property
    def occupied(self) -> Sequence[Instrument]:
        """The markets with a position or an open order."""
        return [one for name, one in self._instruments.items() if self._occupies(name)]

    def _occupies(self, market: MarketId) -> bool:
        return bool(self.engine.account.holding(market).net) or self.engine.orders.any_open(market)

    def entry(self, market: MarketId) -> Price | None:
        """Return the entry of the position that waits to be taken up with its market; None where there is none."""
        waits = market not in self._instruments
        return self._ledger.holdings.get(market, Holding()).entry if waits else None

    def add_market(self, instrument: Instrument, price: Price | None) -> None:
        """Let a market be traded, and take up what was left in it. `price` values that until the first quote.

        One that is traded already keeps to these rules from now on.
        """
        market = instrument.market
        if market in self._instruments:
            if instrument != self._instruments[market]:
                self._instruments[market] = instrument
                self.engine.change_rules(instrument)
            return
        self._instruments[market] = instrument
        rules = MarketSpec(
            instrument=instrument, price=price or instrument.tick, level=ZERO, max_leverage=_MAX_LEVERAGE
        )
        self.engine.add_market(rules)
        left = self._memory.market(market)
        holding = self._ledger.holdings.get(market, Holding())
        stood = (*map(_as_it_stood, left.orders), _beside(left, instrument, self._clock.now_ns()))
        orders = [order for order in stood if order is not None]
        self.engine.take_up(market, holding, orders, left.stop, self._clock.now_ns())
        self._known_ns[market] = left.last_execution_ns if holding.net else self._clock.now_ns()
        self.engine.drain()  # the first comparison of everything tells it

    # ------------------------------------------------------------------------------------------------------- funding
    @property
    def contracts(self) -> Sequence[Instrument]:
        """The markets that pay funding."""
        return [one for one in self._instruments.values() if one.kind is InstrumentKind.LINEAR]

    def known_ns(self, market: MarketId) -> int:
        """Return until when all that the market owed is booked: its last fill or payment, or when it joined."""
        return self._known_ns[market]

    def held_after(self, market: MarketId, at_ns: int) -> bool:
        """Whether something was held in the market at any time after that."""
        return bool(self.engine.account.holding(market).net) or any(self._fills(market, at_ns))

    def net_at(self, market: MarketId, at_ns: int) -> Quantity:
        """Return what was held then, in this life of the daemon or before it."""
        since = sum((fill.side.sign * fill.quantity for fill in self._fills(market, at_ns)), ZERO)
        return self.engine.account.holding(market).net - since

    def fund(self, market: MarketId, price: Price, settled: FundingRate) -> None:
        """Book what the market's position of then owes or gets, valued at that price."""
        self.engine.fund_late(market, self.net_at(market, settled.at_ns), price, settled)

    def _fills(self, market: MarketId, after_ns: int) -> Iterator[Fill]:
        for told in self.engine.executions:
            if isinstance(told, Executed) and told.fill.market == market and told.fill.at_ns > after_ns:
                yield told.fill

    # ---------------------------------------------------------------------------------------------------------- data
    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Let a real market move; what follows from it is told at once. One that nobody trades moves nothing."""
        if not isinstance(event, Quote | Trade) or event.market not in self._instruments:
            return
        now_ns = self._clock.now_ns()
        if isinstance(event, Trade) and event.at_ns > now_ns + AHEAD_NS:
            return  # its time is wrong: the candles of all minutes until then would be made at once
        self.engine.advance(now_ns)
        if isinstance(event, Quote):
            self.engine.push(event, (), now_ns)
            if (event.market, Channel.TRADE) not in self._flows:
                self.engine.pass_by(event.market, event.mid, now_ns)
        else:
            self.engine.trade(event.market, (event,), now_ns)
        self.tell(received_ns)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:  # noqa: ARG002 -- the port's signature
        """Learn whether something of a market flows. While its quotes do not, its last one stands."""
        if topic.market is None:
            return
        if live:
            self._flows[topic.market, topic.channel] = None
        else:
            self._flows.pop((topic.market, topic.channel), None)

    def garbled(self, topic: Topic) -> None:
        """Do nothing: what a market says next moves it from there."""

    def deaf(self, market: MarketId) -> bool:
        """Whether something is held or rests there while nothing is heard of it: no stop would trigger."""
        if (market, Channel.TRADE) in self._flows or (market, Channel.QUOTE) in self._flows:
            return False
        return market in self._instruments and self._occupies(market)

    # ------------------------------------------------------------------------------------------------------- account
    def listen(self, sink: Sink | None) -> None:
        """Tell what happens in the account to `sink` from now on; None: to nobody."""
        self._sink = sink

    def tell(self, received_ns: int = 0) -> None:
        """Tell what happened since the last time. `received_ns`: when the frame that caused it was read."""
        for happened in self.engine.drain():
            event = account_event(happened)
            if event is not None and self._sink is not None:
                self._sink.offer(event, received_ns)

    def forget(self) -> None:
        """Forget what was over a day ago."""
        self.engine.forget(self._clock.now_ns() - _KEPT_NS)


def _as_it_stood(order: Order) -> SimOrder | None:
    """Return an order of an earlier life as this one knows it; None for one that has ended, or never arrived.

    A limit order rests on. What takes at once or not at all took what the journal knows, and the rest expired.
    """
    intent = order.intent
    if order.venue_order_id is None or order.status.terminal:
        return None
    rests = intent.kind is OrderKind.LIMIT and intent.time_in_force is not TimeInForce.IOC
    request = OrderRequest.of(intent)
    status = (OrderStatus.PARTIAL if order.executed else OrderStatus.ACKED) if rests else OrderStatus.EXPIRED
    return SimOrder(
        order_id=order.venue_order_id,
        request=request,
        status=status,
        quantity=intent.quantity,
        price=intent.price,
        filled=order.executed,
        value=order.executed_value,
        cause=Cause.NONE if rests else Cause.NO_LIQUIDITY,
        created_ns=intent.at_ns,
        updated_ns=order.changed_ns,
    )


def _beside(left: MarketMemory, instrument: Instrument, now_ns: int) -> SimOrder | None:
    """Return the stop that rested beside coins in an earlier life; None where none did.

    It is an order of the venue's that the journal knows by its price alone. Were it forgotten, the house would find its
    coins bare at each start, at a venue that has no price yet to hold another one against, and would sell them.
    """
    quantity = Covering(mine="", instrument=instrument).needed(left.position.net, left.holding, left.position.entry)
    if instrument.kind is not InstrumentKind.SPOT or left.stop is None or not left.orders or not quantity:
        return None
    name = stop_id(left.orders[-1].client_id, 0)
    request = OrderRequest(
        market=instrument.market,
        side=Side.SELL,
        kind=OrderKind.MARKET,
        quantity=quantity,
        client_id=name,
        trigger=left.stop,
        direction=Direction.FALL,
    )
    return SimOrder(
        order_id=VenueOrderId(name),
        request=request,
        untriggered=True,
        quantity=quantity,
        price=None,
        trigger=left.stop,
        created_ns=now_ns,
        updated_ns=now_ns,
    )
