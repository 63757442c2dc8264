"""The simulated venue: markets that move, and one account that trades on them. Pure: time is an argument.

    venue = SimVenue(spec, fork)          # fork(name) -> random.Random, such as World.fork
    venue.advance(now_ns)                 # prices move, resting orders fill, stops trigger, funding is paid
    venue.submit(request, now_ns)         # an order; RequestRefused says why not
    venue.drain()                         # what happened since the last call, in order

The same seed, the same start and the same calls give the same events; how often `advance` is called between two
instants makes no difference. A market whose prices come from elsewhere (a live feed for paper trading, recorded
candles for a backtest) is moved by `push`: build the venue with `live=False`, and `advance` only pays funding.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from kangbot.model.data import FundingRate, Quote, Trade
from kangbot.model.ids import ExecutionId, MarketId, TransferId, VenueOrderId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Money, Price, Quantity, floor_to
from kangbot.model.orders import Balance, CashFlow, OrderStatus, Transfer, VenuePosition
from kangbot.sim.exchange.account import Account, Standing
from kangbot.sim.exchange.entry import Entry
from kangbot.sim.exchange.events import Executed, Funded, SimEvent
from kangbot.sim.exchange.ids import Ids
from kangbot.sim.exchange.matching import Matching
from kangbot.sim.exchange.orders import Cause, OrderRequest, Origin, SimOrder
from kangbot.sim.exchange.position import Holding
from kangbot.sim.exchange.protection import Protection
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.store import OrderStore
from kangbot.sim.markets.arithmetic import exact
from kangbot.sim.markets.calendar import Calendar
from kangbot.sim.markets.desk import Desk
from kangbot.sim.markets.prices import PriceProcess
from kangbot.sim.markets.spec import SECOND_NS, MarketSpec, VenueSpec

if TYPE_CHECKING:
    import random  # noqa: TID251 -- the type only; the generators are forked by the caller's world


class SimVenue:
    """A venue in memory. Calls must not run backwards in time."""

    def __init__(self, spec: VenueSpec, fork: Callable[[str], "random.Random"], *, live: bool = True) -> None:
        self.spec = spec
        self._ids = Ids(spec.seed, spec.start_ns)
        self._events: list[SimEvent] = []
        self.executions: list[Executed | Funded] = []  # every fill and cash flow, oldest first
        self.transfers: list[Transfer] = []  # oldest first
        self.desks = {market.market: Desk(market, spec) for market in spec.markets}
        self.account = Account(spec)
        self.orders = OrderStore()
        self._matching = Matching(
            desks=self.desks,
            account=self.account,
            store=self.orders,
            ids=self._ids,
            tell=self._tell,
            filled=self._filled,
        )
        self._protection = Protection(
            desks=self.desks, account=self.account, store=self.orders, matching=self._matching, ids=self._ids
        )
        self._entry = Entry(
            desks=self.desks, account=self.account, store=self.orders, matching=self._matching, ids=self._ids
        )
        self._processes = {
            market.market: PriceProcess(market, fork(f"sim/price/{market.market}"), self._ids.prefix(market.market))
            for market in (spec.markets if live else ())
        }
        self._frame_s = spec.frame_ns / SECOND_NS
        self.frozen = False  # prices stand still; everything else goes on
        self._calendar = Calendar(tuple(self._processes), spec.start_ns, spec.frame_ns)
        self._funding_ns = self._next_funding(spec.start_ns)
        self._margin_ns = spec.start_ns
        self._begin()

    # --------------------------------------------------------------------------------------------------------- time
    @exact
    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due by `now_ns`."""
        if self.frozen:
            self._calendar.skip(now_ns)
        for at_ns, market in self._calendar.due(now_ns):
            self._keep_books(at_ns)
            frame = self._processes[market].frame(at_ns, self._frame_s)
            self.push(frame.quote, frame.trades, at_ns)
        self._keep_books(now_ns)

    def next_ns(self) -> int | None:
        """Return when the next frame is due; None where no market moves by itself."""
        return self._calendar.next_ns()

    def jump(self, market: MarketId, ratio: float, now_ns: int) -> None:
        """Move a market's price by a factor (> 0) at once, as news do; the next frame shows it."""
        self.advance(now_ns)
        self._entry.desk(market)
        self._processes[market].jump(ratio)

    @exact
    def push(self, quote: Quote, trades: Sequence[Trade], now_ns: int) -> None:
        """Move one market: its new quote, then the trades that came with it."""
        desk = self._entry.desk(quote.market)
        first = not desk.book.quoted
        desk.quoted(quote)
        if first:
            self._matching.line_up(quote.market)
        self._events.append(quote)
        self._events.extend(desk.klines.roll(now_ns))
        self.trade(quote.market, trades, now_ns)

    @exact
    def trade(self, market: MarketId, trades: Sequence[Trade], now_ns: int) -> None:
        """Print trades of one market on its book as it stands; before its first quote they meet no order."""
        desk = self._entry.desk(market)
        for trade in trades:
            desk.printed(trade)
        self._events.extend(trades)
        if self.orders.any_open(market) and desk.book.quoted:
            if trades:
                prices = [trade.price for trade in trades]
                self._entry.trigger(market, min(prices), max(prices), now_ns)
            self._matching.sweep(market, trades, now_ns)

    @exact
    def pass_by(self, market: MarketId, price: Price, now_ns: int) -> None:
        """Trigger what waits for that price, where nobody can see the trades that passed it."""
        if self.orders.any_open(market) and self._entry.desk(market).book.quoted:
            self._entry.trigger(market, price, price, now_ns)

    def drain(self) -> list[SimEvent]:
        """Return what has happened since the last call, in order."""
        events = self._events.copy()
        self._events.clear()  # the list itself is what the other parts tell into
        return events

    # ----------------------------------------------------------------------------------------------- a longer life
    @exact
    def change_rules(self, instrument: Instrument) -> None:
        """Demand other ticks, steps and minima of a market's orders from now on; what rests there is left alone."""
        desk = self.desks[instrument.market]
        level = desk.spec.level and max(instrument.step, floor_to(desk.spec.level, instrument.step))
        spec = msgspec.structs.replace(desk.spec, instrument=instrument, level=level)
        desk.ruled(spec)
        if (process := self._processes.get(instrument.market)) is not None:
            process.ruled(spec)

    def add_market(self, market: MarketSpec) -> None:
        """Let a further market be traded, one that is moved by `push`."""
        self.desks[market.market] = Desk(market, self.spec)
        self.account.add_market(market)

    @exact
    def take_up(
        self, market: MarketId, holding: Holding, orders: Sequence[SimOrder], stop: Price | None, now_ns: int
    ) -> None:
        """Go on where an earlier life of the venue ended: a position, its stop-loss, and orders as they stood."""
        self.account.take_up(market, holding)
        for order in orders:
            self.orders.put(order)
        if stop is not None and holding.net:
            self._protection.take_up(market, stop, now_ns)

    def forget(self, before_ns: int) -> None:
        """Forget executions, and orders that ended, from before that time."""
        self.orders.forget(before_ns)
        self.executions = [told for told in self.executions if _at_ns(told) >= before_ns]

    # ------------------------------------------------------------------------------------------------------- orders
    @exact
    def submit(self, request: OrderRequest, now_ns: int) -> SimOrder:
        """Take an order and return it as it is after meeting the book. RequestRefused: nothing happened."""
        self.advance(now_ns)
        order = self._entry.submit(request, now_ns)
        if not order.filled:  # a fill has told it already
            self._tell_balance(now_ns)
        return order

    @exact
    def amend(
        self,
        now_ns: int,
        *,
        order_id: str = "",
        client_id: str = "",
        quantity: Quantity | None = None,
        price: Price | None = None,
        trigger: Price | None = None,
    ) -> SimOrder:
        """Change an open order; what is None stays. RequestRefused: nothing happened."""
        self.advance(now_ns)
        order = self._entry.amend(order_id, client_id, quantity=quantity, price=price, trigger=trigger, now_ns=now_ns)
        self._tell_balance(now_ns)
        return order

    @exact
    def cancel(self, now_ns: int, *, order_id: str = "", client_id: str = "") -> SimOrder:
        """Cancel an open order. RequestRefused: there is none of that id."""
        self.advance(now_ns)
        return self._end(self._entry.open_order(order_id, client_id), now_ns)

    @exact
    def cancel_all(self, now_ns: int, orders: Sequence[SimOrder]) -> list[SimOrder]:
        """Cancel those of `orders` that are still open, and return them."""
        self.advance(now_ns)
        still = [self.orders.get(order.order_id) for order in orders]
        return [self._end(order, now_ns) for order in still if not order.status.terminal]

    # ----------------------------------------------------------------------------------------------------- settings
    @exact
    def set_stops(self, market: MarketId, stop: Price | None, target: Price | None, now_ns: int) -> None:
        """Set the position's stop-loss and take-profit; None removes. RequestRefused: nothing changed."""
        self.advance(now_ns)
        self._entry.desk(market)
        self._protection.set(market, stop, target, now_ns)
        self._events.append(self.position(market, now_ns))

    def stop(self, market: MarketId) -> Price | None:
        """Return the position's stop-loss."""
        return self._protection.price(market)

    def target(self, market: MarketId) -> Price | None:
        """Return the position's take-profit."""
        return self._protection.price(market, Origin.TAKE_PROFIT)

    @exact
    def set_leverage(self, market: MarketId, leverage: Decimal, now_ns: int) -> None:
        """Set the market's leverage. RequestRefused where it is out of range or not a change."""
        self.advance(now_ns)
        spec = self._entry.desk(market).spec
        if spec.instrument.kind is not InstrumentKind.LINEAR:
            raise RequestRefused(Reason.NOT_SUPPORTED, "spot has no leverage")
        if not 1 <= leverage <= spec.max_leverage:
            raise RequestRefused(Reason.LEVERAGE, f"leverage {leverage:f} is not in [1, {spec.max_leverage:f}]")
        if leverage == self.account.leverage(market):
            raise RequestRefused(Reason.NOT_MODIFIED, "leverage not modified")
        self.account.set_leverage(market, leverage)
        self._events.append(self.position(market, now_ns))

    @exact
    def transfer(self, amount: Money, now_ns: int, kind: str = "") -> Transfer:
        """Move money into the account, or out of it where it is negative. RequestRefused where there is not as much.

        `kind` is what the venue calls it where that is no plain transfer.
        """
        self.advance(now_ns)
        if amount < -self.standing().available:
            raise RequestRefused(Reason.BALANCE, "not as much is available")
        self.account.move(amount)
        made = Transfer(
            transfer_id=TransferId(self._ids.next("transfer")),
            amount=amount,
            currency=self.spec.currency,
            kind=kind,
            at_ns=now_ns,
        )
        self.transfers.append(made)
        self._tell_balance(now_ns)
        return made

    # ------------------------------------------------------------------------------------------------------ queries
    @exact
    def position(self, market: MarketId, now_ns: int) -> VenuePosition:
        """Return the position of the market, flat or not."""
        return self.account.position(market, self.desks[market].mark, self.stop(market), now_ns)

    @exact
    def balance(self, now_ns: int) -> Balance:
        """Return the account's money in the venue's currency."""
        return self.account.balance(self._entry.marks(), self.orders.open(), now_ns)

    @exact
    def standing(self) -> Standing:
        """Return the account's state in detail."""
        return self.account.standing(self._entry.marks(), self.orders.open())

    @property
    def funding_ns(self) -> int:
        """When funding is paid next."""
        return self._funding_ns

    # ------------------------------------------------------------------------------------------------------- inside
    def _tell(self, event: SimEvent) -> None:
        self._events.append(event)
        if isinstance(event, (Executed, Funded)):
            self.executions.append(event)

    @exact
    def _begin(self) -> None:
        """Live through the history and quote every market once."""
        start_ns = self.spec.start_ns
        for market, process in self._processes.items():
            desk = self.desks[market]
            desk.remember(process.history(start_ns, self.spec.history_minutes))
            desk.klines.roll(start_ns)
            desk.quoted(process.frame(start_ns, 0.0).quote)

    def _end(self, order: SimOrder, now_ns: int) -> SimOrder:
        ended = self._matching.end(order, OrderStatus.CANCELED, Cause.USER, now_ns)
        if order.protective:
            self._events.append(self.position(order.market, now_ns))
        self._tell_balance(now_ns)
        return ended

    def _filled(self, order: SimOrder, now_ns: int) -> None:
        """Keep the stops in step with the position, and tell the account."""
        if self.desks[order.market].spec.instrument.kind is InstrumentKind.LINEAR:
            self._protection.follow(order.market, now_ns)  # first: a position that turned around takes its stop along
            self._protection.attach(order, now_ns)
            self._events.append(self.position(order.market, now_ns))
        self._tell_balance(now_ns)

    def _tell_balance(self, now_ns: int) -> None:
        self._events.append(self.balance(now_ns))

    def _next_funding(self, after_ns: int) -> int:
        interval_ns = self.spec.funding_interval_s * SECOND_NS
        return (after_ns // interval_ns + 1) * interval_ns

    def _keep_books(self, now_ns: int) -> None:
        """Pay what is due, and look at the margin once a second: on the grid, not whenever somebody asks."""
        if now_ns >= self._funding_ns:
            self._fund(now_ns)
        if now_ns >= self._margin_ns:
            self._margin_ns = (now_ns // SECOND_NS + 1) * SECOND_NS
            self._liquidate(now_ns)

    def _fund(self, now_ns: int) -> None:
        while now_ns >= self._funding_ns:
            at_ns = self._funding_ns
            self._funding_ns = self._next_funding(at_ns)
            for market in self.account.open_markets():
                self.fund(market, self.desks[market].mark, at_ns)

    @exact
    def fund(self, market: MarketId, price: Price, at_ns: int) -> None:
        """Pay or take what the position owes now, valued at that price."""
        self._pay(market, self.account.holding(market).net, price, at_ns, self.spec.funding_rate)

    @exact
    def fund_late(self, market: MarketId, net: Quantity, price: Price, settled: FundingRate) -> None:
        """Pay or take what was owed for what was held then; it stands before what was executed since."""
        self._pay(market, net, price, settled.at_ns, settled.rate)
        self.executions.sort(key=_at_ns)

    def _pay(self, market: MarketId, net: Quantity, price: Price, at_ns: int, rate: Decimal) -> None:
        desk, amount = self.desks[market], -net * price * rate
        self.account.fund(amount)
        flow = CashFlow(
            market=market,
            execution_id=ExecutionId(self._ids.next("execution")),
            kind="Funding",
            amount=amount,
            currency=desk.spec.instrument.settle,
            at_ns=at_ns,
        )
        self._tell(Funded(flow=flow, quantity=net, price=price, rate=rate))
        self._tell_balance(at_ns)

    def _liquidate(self, now_ns: int) -> None:
        """Close everything once equity does not cover the maintenance margin."""
        markets = self.account.open_markets()
        if not markets or not all(self.desks[market].book.quoted for market in markets):
            return
        if self.account.covers(self._mark):
            return
        for order in self.orders.open():
            if order.origin is not Origin.LIQUIDATION:
                self._matching.end(order, OrderStatus.CANCELED, Cause.LIQUIDATION, now_ns)
        for market in markets:
            if not any(order.origin is Origin.LIQUIDATION for order in self.orders.open(market)):
                self._close(market, now_ns)

    def _mark(self, market: MarketId) -> Price:
        return self.desks[market].mark

    def _close(self, market: MarketId, now_ns: int) -> None:
        net = self.account.holding(market).net
        order = SimOrder(
            order_id=VenueOrderId(self._ids.next("order")),
            request=OrderRequest.closing(market, net),
            origin=Origin.LIQUIDATION,
            quantity=abs(net),
            price=None,
            last_price=self.desks[market].last,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        self._matching.enter(self._matching.keep(order), now_ns)


def _at_ns(told: Executed | Funded) -> int:
    return (told.fill if isinstance(told, Executed) else told.flow).at_ns
