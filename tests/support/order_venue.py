"""A venue for one market's orders, in memory and on virtual time, that misbehaves on demand.

It is a world, not a mock: it has its own truth (orders, executions, a position), and what the executor believes is
compared with it. Everything is decided by the test, nothing by chance.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import TypeVar

import msgspec

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    KangbotError,
    Misstamped,
    NotFound,
    PartlyRead,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import ClientId, ExecutionId, MarketId, Symbol, VenueName, VenueOrderId, stop_id
from kangbot.model.market import Instrument
from kangbot.model.orders import (
    AccountEvent,
    Balance,
    CashFlow,
    Evidence,
    Fill,
    FillCause,
    Intent,
    OrderKind,
    OrderReport,
    OrderStatus,
    Side,
    Transfer,
    Unclear,
    VenuePosition,
)
from kangbot.ports import IdRule, Lookup
from kangbot.runtime.world import SECOND_NS, Clock
from tests.support.trade_words import MARKET, dec, instrument

S = OrderStatus
T = TypeVar("T")


class Fate(Enum):
    """What becomes of one request to place an order."""

    NORMAL = auto()
    LOST_BEFORE = auto()  # never arrives; the connection breaks
    LOST_AFTER = auto()  # accepted; the connection breaks before the answer
    HANGS_BEFORE = auto()  # never arrives, and no answer ever comes
    HANGS_AFTER = auto()  # accepted, and no answer ever comes
    LATE = auto()  # accepted only after `late_s`; the connection breaks at once
    REFUSED = auto()  # a definitive code
    BROKE = auto()  # no money for it
    LIMITED = auto()  # too many requests
    MISSTAMPED = auto()  # outside the receive window, by the venue's clock
    UNREACHED = auto()  # Retryable without a code: nothing was sent, says the transport
    UNMAPPED = auto()  # an error that no table names
    TWICE = auto()  # a proxy below us sends it twice: the second copy's answer is what we get


_NEVER_ARRIVES: dict[Fate, Callable[[], Exception]] = {
    Fate.LOST_BEFORE: lambda: Ambiguous("the connection broke"),
    Fate.REFUSED: lambda: Refused("not enough money", code="110007"),
    Fate.BROKE: lambda: InsufficientFunds("too little", code="110007"),
    Fate.LIMITED: lambda: RateLimited("too many visits", code="10006", retry_after_ns=2 * SECOND_NS),
    Fate.MISSTAMPED: lambda: Misstamped("check your server timestamp", code="10002"),
    Fate.UNREACHED: lambda: Retryable("no route to host"),
    Fate.UNMAPPED: lambda: ValueError("no table names this"),
}


@dataclass(slots=True)
class VenueOrder:
    """An order as the venue knows it."""

    intent: Intent | None  # None: by hand
    client_id: ClientId | None
    venue_order_id: VenueOrderId
    side: Side
    quantity: Decimal
    at_ns: int
    trigger: Decimal | None = None  # of a stop beside a holding
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    status: OrderStatus = S.ACKED
    changed_ns: int = 0
    withdrawn: bool = False  # somebody asked for its cancellation


@dataclass(slots=True)
class FakeVenue:
    """Implements `ports.Venue` in memory."""

    clock: Clock
    id_rule: IdRule = IdRule.FOR_EVER
    name: VenueName = field(default=VenueName("bybit"))
    answer_s: float = 0.05
    push_s: float = 0.02
    late_s: float = 3.0
    fates: deque[Fate] = field(default_factory=deque)  # of the next requests to place; NORMAL where it is empty
    unreachable: bool = False  # every question fails
    questions_hang: bool = False
    unread: dict[str, str] = field(default_factory=dict)  # markets of which nobody can read what it says, and why
    unread_alone: dict[str, str] = field(default_factory=dict)  # the same, of executions that are asked for by market
    misstamps: bool = False  # questions are outside the receive window
    limits_ns: int = 0  # questions are refused as too many, with this Retry-After
    cancels: deque[str] = field(default_factory=deque)  # of the next: "ok", "lost", "hang", "denied"
    stops: deque[str] = field(default_factory=deque)  # of the next: "ok", "lost", "unheard", "refused", "none"
    deaf: bool = False  # pushes are dropped
    unsaid: tuple[type, ...] = ()  # pushes of these kinds are dropped
    twice: bool = False  # each push comes twice
    told_ns: Callable[[], int] | None = None  # its own clock, where its answers tell that
    lag_s: float = 0.0  # so long what happened does not show in `find` and the lists
    market_part: Decimal = Decimal(1)  # how much of a market order is filled
    price: Decimal = Decimal(100)
    leverage: int = 0  # as it was set last
    prepared: int = 0
    quotes: int = 0  # how often it was asked for one
    no_quotes: Exception | None = None  # what it answers instead
    takes_stop: bool = True  # an order's stop becomes the position's
    fees: Decimal = Decimal(0)
    sink: Callable[[AccountEvent], None] | None = None
    before_submit: Callable[[Intent], None] | None = None
    orders: list[VenueOrder] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    flows: list[CashFlow] = field(default_factory=list)  # listed beside them
    moved: list[Transfer] = field(default_factory=list)
    unclear: list[Unclear] = field(default_factory=list)
    transfers_since: list[int] = field(default_factory=list)  # from when on it was asked for them
    submits: list[ClientId] = field(default_factory=list)
    tells_mark: bool = True
    marked: Decimal | None = None  # its mark price; None: nobody knows it
    no_mark: KangbotError = field(default_factory=lambda: Retryable("nobody knows"))
    marks: int = 0  # how often it was asked
    sent_ns: list[int | None] = field(default_factory=list)  # when each of them was noted to leave
    canceled: list[ClientId] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
    stop: Decimal | None = None
    money: Decimal = Decimal(1000)
    hidden: Decimal = Decimal(0)  # of the position, that no execution explains

    # ------------------------------------------------------------------------------------------------------ truth
    @property
    def net(self) -> Decimal:
        """What we hold, as the venue knows it."""
        return sum((fill.signed for fill in self.fills), self.hidden)

    def of(self, client_id: ClientId) -> VenueOrder:
        """Return the order under that id."""
        return next(order for order in self.orders if order.client_id == client_id)

    def trade(self, order: VenueOrder, quantity: Decimal, *, cause: FillCause = FillCause.TRADE) -> None:
        """Fill some of an order, and push what happened."""
        order.filled += quantity
        order.value += quantity * self.price
        order.status = S.FILLED if order.filled == order.quantity else S.PARTIAL
        order.changed_ns = self.clock.now_ns()
        fill = Fill(
            market=MARKET,
            execution_id=ExecutionId(f"x{len(self.fills) + 1}"),
            client_id=None if order.trigger is not None else order.client_id,
            venue_order_id=order.venue_order_id,
            side=order.side,
            price=self.price,
            quantity=quantity,
            fee=self.fees * quantity,
            fee_currency="USDT",
            cause=cause,
            at_ns=self.clock.now_ns(),
        )
        self.fills.append(fill)
        if not self.net:
            self.stop = None
        elif self.takes_stop and order.intent is not None and order.intent.stop is not None:
            self.stop = order.intent.stop
        self.push(fill)
        self.push(self.report(order))
        self.push(self.position())

    def by_hand(
        self, quantity: str, *, side: Side = Side.BUY, client: str | None = None, filled: bool = True
    ) -> VenueOrder:
        """Somebody trades at the venue, past us."""
        order = VenueOrder(
            intent=None,
            client_id=None if client is None else ClientId(client),
            venue_order_id=self._next_id(),
            side=side,
            quantity=dec(quantity),
            at_ns=self.clock.now_ns(),
            changed_ns=self.clock.now_ns(),
        )
        self.orders.append(order)
        if filled:
            self.trade(order, order.quantity)
        else:
            self.push(self.report(order))
        return order

    def close(self, order: VenueOrder, status: OrderStatus) -> None:
        """End an order, and push it."""
        order.status = status
        order.changed_ns = self.clock.now_ns()
        self.push(self.report(order))

    def withdraw(self, order: VenueOrder) -> None:
        """Cancel an order because somebody asks for it, and push it."""
        order.withdrawn = True
        self.close(order, S.CANCELED)

    def report(self, order: VenueOrder, evidence: Evidence = Evidence.STREAM) -> OrderReport:
        """Return what the venue says of the order."""
        return OrderReport(
            market=MARKET,
            client_id=order.client_id,
            venue_order_id=order.venue_order_id,
            status=order.status,
            side=order.side,
            quantity=order.quantity,
            filled=order.filled,
            average=order.value / order.filled if order.filled else None,
            protective=order.trigger is not None,
            trigger=order.trigger,
            withdrawn=order.withdrawn,
            at_ns=order.changed_ns,
            evidence=evidence,
        )

    def position(self) -> VenuePosition:
        """Return what the venue says of the position."""
        return VenuePosition(
            market=MARKET,
            net=self.net,
            entry=self.price if self.net else None,
            stop=self.stop,
            mark=self.price,
            leverage=dec(self.leverage) or None,
            at_ns=self.clock.now_ns(),
        )

    def push(self, event: AccountEvent) -> None:
        """Say it on the private stream."""
        if self.deaf or self.sink is None or isinstance(event, self.unsaid):
            return
        for _ in range(1 + self.twice):
            asyncio.get_running_loop().call_later(self.push_s, self._say, event)

    def _say(self, event: AccountEvent) -> None:
        if self.sink is not None:
            self.sink(event)

    def _next_id(self) -> VenueOrderId:
        return VenueOrderId(f"v{len(self.orders) + 1}")

    def _accept(self, intent: Intent) -> VenueOrder:
        same = [order for order in self.orders if order.client_id == intent.client_id]
        if same and (self.id_rule is IdRule.FOR_EVER or any(not order.status.terminal for order in same)):
            raise DuplicateId("OrderLinkedID is duplicate", code="110072")
        order = VenueOrder(
            intent=intent,
            client_id=intent.client_id,
            venue_order_id=self._next_id(),
            side=intent.side,
            quantity=intent.quantity,
            at_ns=self.clock.now_ns(),
            changed_ns=self.clock.now_ns(),
        )
        self.orders.append(order)
        self.push(self.report(order))
        if intent.kind is OrderKind.MARKET:
            self.trade(order, intent.quantity * self.market_part)
            if order.status is S.PARTIAL:
                self.close(order, S.CANCELED)
        return order

    # --------------------------------------------------------------------------------------------------- requests
    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        self.submits.append(intent.client_id)
        self.sent_ns.append(sent_ns)
        if self.before_submit is not None:
            self.before_submit(intent)
        fate = self.fates.popleft() if self.fates else Fate.NORMAL
        await asyncio.sleep(self.answer_s / 2)
        if fate in _NEVER_ARRIVES:
            error = _NEVER_ARRIVES[fate]()
            raise error
        if fate is Fate.HANGS_BEFORE:
            await asyncio.Event().wait()
        if fate is Fate.LATE:
            asyncio.get_running_loop().call_later(self.late_s, self._accept, intent)
            raise Ambiguous("the gateway timed out", code="504")
        order = self._accept(intent)
        answer = msgspec.structs.replace(
            self.report(order, Evidence.ANSWER), status=S.ACKED, filled=dec(0), average=None
        )
        if fate is Fate.LOST_AFTER:
            raise Ambiguous("the connection broke")
        if fate is Fate.HANGS_AFTER:
            await asyncio.Event().wait()
        if fate is Fate.TWICE:
            self._accept(intent)
        await asyncio.sleep(self.answer_s / 2)
        return answer

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        self.canceled.append(client_id)
        how = self.cancels.popleft() if self.cancels else "ok"
        await asyncio.sleep(self.answer_s)
        if how == "lost":
            raise Ambiguous("the connection broke")
        if how == "limited":
            raise RateLimited("too many visits", retry_after_ns=SECOND_NS)
        if how == "hang":
            await asyncio.Event().wait()
        order = next((one for one in self.orders if one.client_id == client_id and not one.status.terminal), None)
        if how == "denied" or order is None:
            raise NotFound("order not exists or too late to cancel", code="110001")
        self.withdraw(order)

    async def protect(self, instrument: Instrument, stop: Decimal | None) -> None:
        how = self.stops.popleft() if self.stops else "ok"
        self.asked.append((f"protect {stop}", self.clock.now_ns()))
        await asyncio.sleep(self.answer_s)
        if how == "lost":
            raise Ambiguous("the connection broke")
        if how == "refused":
            raise Refused("the stop would trigger at once", code="110012")
        if how == "none" or not self.net:
            raise NotFound("there is no position", code="110009")
        self.stop = stop
        self.push(self.position())

    @property
    def beside(self) -> list[VenueOrder]:
        """The stops that rest beside a holding."""
        return [order for order in self.orders if order.trigger is not None and not order.status.terminal]

    async def cover(
        self, instrument: Instrument, stop: Decimal | None, quantity: Decimal, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        how = self.stops.popleft() if self.stops else "ok"
        self.asked.append((f"cover {stop} {quantity}{' fresh' if fresh else ''}", self.clock.now_ns()))
        await asyncio.sleep(self.answer_s)
        if how == "lost":
            raise Ambiguous("the connection broke")
        if how == "refused":
            raise Refused("the stop is not below the last price")
        resting = self.beside
        kept = resting[0] if resting and stop is not None else None
        for one in resting:
            if one is not kept:
                self.close(one, S.CANCELED)
        if stop is None:
            return None
        if kept is None:
            used = [one.client_id for one in self.orders]
            name = next(name for name in (stop_id(order, number) for number in range(9)) if name not in used)
            now_ns = self.clock.now_ns()
            kept = VenueOrder(None, name, self._next_id(), Side.SELL, quantity, now_ns, changed_ns=now_ns)
            self.orders.append(kept)
        kept.trigger, kept.quantity = stop, quantity
        self.push(self.report(kept))
        if how == "unheard":
            raise Ambiguous("the connection broke before the answer")
        return kept.client_id

    # -------------------------------------------------------------------------------------------------- questions
    async def _question(self, name: str) -> None:
        self.asked.append((name, self.clock.now_ns()))
        if self.questions_hang:
            await asyncio.Event().wait()
        await asyncio.sleep(self.answer_s)
        if self.unreachable:
            raise Retryable("no route to host")
        if self.misstamps:
            raise Misstamped("check your server timestamp", code="10002")
        if self.limits_ns:
            raise RateLimited("too many visits", code="10006", retry_after_ns=self.limits_ns)

    def _shown(self) -> list[VenueOrder]:
        return [order for order in self.orders if order.at_ns + self.lag_s * SECOND_NS <= self.clock.now_ns()]

    def _traded(self) -> list[Fill]:
        return [fill for fill in self.fills if fill.at_ns + self.lag_s * SECOND_NS <= self.clock.now_ns()]

    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        await self._question(f"find {client_id}")
        found = [order for order in self._shown() if order.client_id == client_id]
        report = self.report(found[-1], Evidence.STREAM) if found else None
        told_ns = None if self.told_ns is None else self.told_ns()
        return Lookup(report=report, at_ns=self.clock.now_ns(), venue_ns=told_ns)

    async def open_orders(self) -> Sequence[OrderReport]:
        await self._question("open_orders")
        return self._readable([self.report(order) for order in self._shown() if not order.status.terminal])

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        self.since.append(since_ns)
        await self._question("executions" if market is None else f"executions {market}")
        told: list[Fill | CashFlow] = [*self._traded(), *self.flows]
        if market is not None and market in self.unread_alone:
            raise PartlyRead("a new word", unread=self.unread_alone, rest=())
        return [event for event in told if event.at_ns >= since_ns and market in (None, event.market)]

    async def positions(self) -> Sequence[VenuePosition]:
        await self._question("positions")
        net = sum((fill.signed for fill in self._traded()), self.hidden)
        return self._readable([msgspec.structs.replace(self.position(), net=net)] if net else [])

    def _readable(self, rows: Sequence[T]) -> Sequence[T]:
        if self.unread:
            raise PartlyRead("a new word", unread=self.unread, rest=() if MARKET in self.unread else rows)
        return rows

    async def balances(self) -> Sequence[Balance]:
        await self._question("balances")
        return [Balance(currency="USDT", equity=self.money, available=self.money, at_ns=self.clock.now_ns())]

    async def transfers(self, since_ns: int) -> Sequence[Transfer | Unclear]:
        await self._question("transfers")
        self.transfers_since.append(since_ns)
        told: list[Transfer | Unclear] = [*self.moved, *self.unclear]
        return [each for each in told if each.at_ns >= since_ns]

    # ------------------------------------------------------------------------------- what these tests do not ask for
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        return {symbol: instrument() for symbol in symbols}

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        return ()

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        return ()

    async def quote(self, instrument: Instrument) -> Quote:
        self.quotes += 1
        if self.no_quotes is not None:
            raise self.no_quotes
        one = Decimal(1)
        bid, ask = self.price, self.price + instrument.tick
        return Quote(
            market=instrument.market,
            bid=bid,
            bid_quantity=one,
            ask=ask,
            ask_quantity=one,
            at_ns=self.clock.now_ns(),
        )

    async def mark(self, instrument: Instrument) -> Decimal | None:
        self.marks += 1
        if self.marked is None:
            raise self.no_mark
        return self.marked

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        self.leverage = leverage
        self.prepared += 1

    async def server_time_ns(self) -> int:
        return self.clock.now_ns()

    async def aclose(self) -> None:
        return None


class FewBuyers(FakeVenue):
    """Sells what is closed but for a little: nobody buys the rest. Stands before the venue whose trades it thins."""

    def trade(self, order: VenueOrder, quantity: Decimal, *, cause: FillCause = FillCause.TRADE) -> None:
        """Trade; of a sale not all of it."""
        left = Decimal("0.04") if order.side is Side.SELL else Decimal(0)
        super().trade(order, quantity - left, cause=cause)
        if left:
            order.status = OrderStatus.CANCELED
            self.push(self.report(order))
