"""The venue's order desk: takes, changes and cancels orders, or says why not."""

import msgspec

from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.model.market import InstrumentKind
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import OrderKind, OrderStatus
from kangbot.sim.exchange.account import Account, Marks
from kangbot.sim.exchange.checks import check_filters, check_price, check_quantity, check_stops, check_trigger, reached
from kangbot.sim.exchange.ids import Ids
from kangbot.sim.exchange.matching import Matching
from kangbot.sim.exchange.orders import Cause, OrderRequest, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.store import OrderStore
from kangbot.sim.markets.desk import Desk


class Entry:
    """Requests on orders. Every method either changes the venue or raises RequestRefused and changes nothing."""

    def __init__(
        self, *, desks: dict[MarketId, Desk], account: Account, store: OrderStore, matching: Matching, ids: Ids
    ) -> None:
        self._desks = desks
        self._account = account
        self._store = store
        self._matching = matching
        self._ids = ids

    def desk(self, market: MarketId) -> Desk:
        """Return the market's desk; RequestRefused where the venue does not list it."""
        try:
            return self._desks[market]
        except KeyError:
            raise RequestRefused(Reason.UNKNOWN_MARKET, f"{market} is not listed") from None

    def marks(self) -> Marks:
        """Return the mark price of every market with a position."""
        return {market: self._desks[market].mark for market in self._account.open_markets()}

    def submit(self, request: OrderRequest, now_ns: int) -> SimOrder:
        """Take an order: conditional ones wait, others meet the book at once."""
        desk = self.desk(request.market)
        if not desk.book.quoted:
            raise RequestRefused(Reason.NOT_QUOTED, f"{request.market} has no price yet")
        self._store.admit(request.client_id)
        check_filters(desk.spec.instrument, request, desk.last)
        check_trigger(request, desk.last)
        self._check_kind(desk, request)
        check_stops(request.side, request.stop, request.target, request.price or request.trigger or desk.last)
        quantity = request.quantity
        if request.trigger is None:
            quantity = self._reducible(request) if request.reduce_only else quantity
            self._check_margin(desk, request, quantity)
        order = SimOrder(
            order_id=VenueOrderId(self._ids.next("order")),
            request=request,
            untriggered=request.trigger is not None,
            quantity=quantity,
            price=request.price if request.kind is OrderKind.LIMIT else None,
            trigger=request.trigger,
            last_price=desk.last,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        if order.untriggered:
            return self._matching.keep(order)
        self._store.put(order)
        return self._matching.enter(order, now_ns)

    def amend(
        self,
        order_id: str,
        client_id: str,
        *,
        quantity: Quantity | None,
        price: Price | None,
        trigger: Price | None,
        now_ns: int,
    ) -> SimOrder:
        """Change an open order; it loses its place in the queue and may take at its new price."""
        order = self.open_order(order_id, client_id)
        desk = self._desks[order.market]
        if quantity is not None:
            check_quantity(desk.spec.instrument, quantity)
            if quantity <= order.filled:
                raise RequestRefused(Reason.AMEND_FILLED, f"{quantity:f} is not above the filled {order.filled:f}")
        for value in (price, trigger):
            if value is not None:
                check_price(desk.spec.instrument, value)
        changed = msgspec.structs.replace(
            order,
            quantity=order.quantity if quantity is None else quantity,
            price=order.price if price is None or order.price is None else price,
            trigger=order.trigger if trigger is None or not order.untriggered else trigger,
            updated_ns=now_ns,
        )
        if changed == msgspec.structs.replace(order, updated_ns=now_ns):
            raise RequestRefused(Reason.NOT_MODIFIED, "order not modified")
        if order.untriggered:
            return self._matching.keep(changed)
        self._check_amended(order, changed, desk)
        return self._matching.enter(changed, now_ns)

    def open_order(self, order_id: str, client_id: str) -> SimOrder:
        """Return the open order of either id, or refuse."""
        order = self._store.find(order_id, client_id)
        if order is None or order.status.terminal:
            raise RequestRefused(Reason.UNKNOWN_ORDER, "order not exists or too late to cancel")
        return order

    def trigger(self, market: MarketId, low: Price, high: Price, now_ns: int) -> None:
        """Activate the conditional orders whose trigger the last price has reached between `low` and `high`."""
        for order in self._store.open(market):
            direction = order.request.direction
            if not order.untriggered or order.trigger is None or direction is None:
                continue
            if reached(order.trigger, direction, high) or reached(order.trigger, direction, low):
                self._activate(order, now_ns)

    def _activate(self, order: SimOrder, now_ns: int) -> None:
        order = self._store.get(order.order_id)  # one triggered before it in the same frame may have changed it
        if order.status.terminal:
            return  # what it protected has been closed
        order = msgspec.structs.replace(order, untriggered=False, updated_ns=now_ns)
        desk = self._desks[order.market]
        price = order.price or desk.last
        affordable = order.request.reduce_only or self._affords(desk, order.request, order.quantity, price)
        if not affordable:
            self._matching.end(order, OrderStatus.REJECTED, Cause.BALANCE, now_ns)
            return
        self._matching.enter(self._matching.keep(order), now_ns)

    def _check_kind(self, desk: Desk, request: OrderRequest) -> None:
        if desk.spec.instrument.kind is InstrumentKind.LINEAR:
            return
        if request.reduce_only or request.stop is not None or request.target is not None:
            raise RequestRefused(Reason.NOT_SUPPORTED, "a spot order has no position to reduce or to guard")

    def _reducible(self, request: OrderRequest) -> Quantity:
        net = self._account.holding(request.market).net
        if not net:
            raise RequestRefused(Reason.REDUCE_ONLY_FLAT, "current position is zero, cannot fix reduce-only order qty")
        if net * request.side.sign > 0:
            raise RequestRefused(Reason.REDUCE_ONLY_SIDE, "reduce-only order has the side of the position")
        return min(request.quantity, abs(net))

    def _check_margin(self, desk: Desk, request: OrderRequest, quantity: Quantity) -> None:
        if request.reduce_only:
            return
        if not self._affords(desk, request, quantity, request.price or desk.book.best(request.side)):
            raise self._too_little(request)

    def _too_little(self, request: OrderRequest) -> RequestRefused:
        coin = self._account.pays(request.market, request.side)
        return RequestRefused(Reason.BALANCE, f"the account has too little {coin} for the order")

    def _affords(self, desk: Desk, request: OrderRequest, quantity: Quantity, price: Price) -> bool:
        return self._account.affords(
            desk.spec.market, request.side, quantity, price, marks=self.marks(), orders=self._store.open()
        )

    def _check_amended(self, order: SimOrder, changed: SimOrder, desk: Desk) -> None:
        """Refuse an amendment whose additional margin is not there."""
        if order.request.reduce_only:
            return
        others = [other for other in self._store.open() if other.order_id != order.order_id]
        price = changed.price or desk.last
        marks = self.marks()
        if not self._account.affords(order.market, order.side, changed.left, price, marks=marks, orders=others):
            raise self._too_little(order.request)
