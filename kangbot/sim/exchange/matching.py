"""Matching: what becomes of an active order against the book, and of resting orders when the market moves.

A taker walks the levels of the book and takes what is there; the remainder of a market or immediate order expires,
that of a limit order rests. A resting order fills at its own price: from the book once the market crosses it, else
from trades at its price after the volume that was quoted there before it. Reduce-only orders never take more than the
position holds, however many there are.
"""

from collections.abc import Callable, Sequence

import msgspec

from kangbot.model.data import Trade
from kangbot.model.ids import ClientId, ExecutionId, MarketId, is_stop_id
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Fill, FillCause, OrderKind, OrderStatus, Side, TimeInForce
from kangbot.sim.exchange.account import Account
from kangbot.sim.exchange.events import Executed, OrderChanged, SimEvent
from kangbot.sim.exchange.ids import Ids
from kangbot.sim.exchange.orders import Cause, Origin, SimOrder
from kangbot.sim.exchange.store import OrderStore
from kangbot.sim.markets.desk import Desk

_FILL_CAUSE = {
    Origin.USER: FillCause.TRADE,
    Origin.STOP_LOSS: FillCause.STOP,
    Origin.TAKE_PROFIT: FillCause.STOP,
    Origin.LIQUIDATION: FillCause.LIQUIDATION,
}


class Matching:
    """Moves orders along; tells every change. `filled(order, now_ns)` is called after an order's fills are booked."""

    def __init__(
        self,
        *,
        desks: dict[MarketId, Desk],
        account: Account,
        store: OrderStore,
        ids: Ids,
        tell: Callable[[SimEvent], None],
        filled: Callable[[SimOrder, int], None],
    ) -> None:
        self._desks = desks
        self._account = account
        self._store = store
        self._ids = ids
        self._tell = tell
        self._filled = filled

    def enter(self, order: SimOrder, now_ns: int) -> SimOrder:
        """Match an active order as a taker, then let it rest or expire. Returns it as it is after that."""
        desk = self._desks[order.market]
        limit = order.price if order.request.kind is OrderKind.LIMIT else None
        takes = limit is None or desk.book.crosses(order.side, limit)
        if takes and order.request.time_in_force is TimeInForce.POST_ONLY:
            return self.end(order, OrderStatus.REJECTED, Cause.POST_ONLY, now_ns)
        before = order.filled
        if takes:
            order = self._take(order, desk, limit, now_ns)
        if order.left:
            order = self._remain(order, desk, now_ns, moved=order.filled != before)
        if order.filled != before:
            self._filled(order, now_ns)
        return order

    def end(self, order: SimOrder, status: OrderStatus, cause: Cause, now_ns: int) -> SimOrder:
        """End an order that is not filled."""
        return self.keep(msgspec.structs.replace(order, status=status, cause=cause, updated_ns=now_ns))

    def keep(self, order: SimOrder) -> SimOrder:
        """Store a changed order and tell it."""
        self._store.put(order)
        self._tell(OrderChanged(order=order))
        return order

    def sweep(self, market: MarketId, trades: Sequence[Trade], now_ns: int) -> None:
        """Fill resting orders after a frame of the market."""
        volumes = [trade.quantity for trade in trades]
        desk = self._desks[market]
        for order_id in [order.order_id for order in self._store.open(market)]:
            order = self._store.get(order_id)  # an earlier fill of this sweep may have ended it
            if order.untriggered or order.status.terminal:
                continue
            if order.request.kind is OrderKind.MARKET:
                self.enter(order, now_ns)  # a venue's own order goes on until the position is closed
            elif order.price is not None and desk.book.crosses(order.side, order.price):
                self._rest_taken(order, desk, order.price, now_ns)
            elif trades:
                self._rest_traded(order, trades, volumes, now_ns)

    def line_up(self, market: MarketId) -> None:
        """Put the orders of an earlier life behind what is quoted at their prices: nobody knows their turn any more."""
        book = self._desks[market].book
        for order in self._store.open(market):
            if order.price is not None:
                self._store.put(msgspec.structs.replace(order, queue=book.shown(order.side, order.price)))

    def _take(self, order: SimOrder, desk: Desk, limit: Price | None, now_ns: int) -> SimOrder:
        levels = desk.book.take(order.side, self._fillable(order), limit)
        for price, quantity in levels:
            order = self._fill(order, price, quantity, maker=False, taker_side=order.side, now_ns=now_ns)
        if levels:
            self._tell(desk.book.requote(now_ns))
            if order.status is OrderStatus.FILLED:
                self._tell(OrderChanged(order=order))
        return order

    def _remain(self, order: SimOrder, desk: Desk, now_ns: int, *, moved: bool) -> SimOrder:
        """Decide on what could not be taken; a venue's own order that waits for liquidity is told when it moves."""
        if order.request.reduce_only and not self._fillable(order):
            return self.end(order, OrderStatus.CANCELED, Cause.REDUCE_ONLY, now_ns)
        immediate = order.request.kind is OrderKind.MARKET or order.request.time_in_force is TimeInForce.IOC
        if immediate and not order.protective:
            return self.end(order, OrderStatus.EXPIRED, Cause.NO_LIQUIDITY, now_ns)
        queue = ZERO if order.price is None else desk.book.shown(order.side, order.price)
        order = msgspec.structs.replace(order, queue=queue)
        return self.keep(order) if moved or not order.protective else order

    def _rest_taken(self, order: SimOrder, desk: Desk, price: Price, now_ns: int) -> None:
        """Fill a resting order from the book that crossed it, at its own price."""
        offered = sum((quantity for _, quantity in desk.book.take(order.side, self._fillable(order), price)), ZERO)
        if offered:
            self._tell(desk.book.requote(now_ns))
            self._made(order, price, offered, order.side.opposite, now_ns)

    def _rest_traded(self, order: SimOrder, trades: Sequence[Trade], volumes: list[Quantity], now_ns: int) -> None:
        """Fill a resting order from trades at its price, after the queue before it."""
        price, queue, got = order.price, order.queue, ZERO
        fillable = self._fillable(order)
        for index, trade in enumerate(trades):
            if price is None or trade.side is order.side or (price - trade.price) * order.side.sign < 0:
                continue
            ahead = min(queue, volumes[index])
            queue -= ahead
            part = min(volumes[index] - ahead, fillable - got)
            got += part
            volumes[index] -= ahead + part
        if queue != order.queue:
            order = msgspec.structs.replace(order, queue=queue)
            self._store.put(order)
        if price is not None and got:
            self._made(order, price, got, None, now_ns)

    def _made(self, order: SimOrder, price: Price, quantity: Quantity, taker_side: Side | None, now_ns: int) -> None:
        order = self._fill(order, price, quantity, maker=True, taker_side=taker_side, now_ns=now_ns)
        self._tell(OrderChanged(order=order))
        if order.left and order.request.reduce_only and not self._fillable(order):
            order = self.end(order, OrderStatus.CANCELED, Cause.REDUCE_ONLY, now_ns)
        self._filled(order, now_ns)

    def _fillable(self, order: SimOrder) -> Quantity:
        """Return how much may be filled now: what is left, and for reduce-only no more than the position holds."""
        if not order.request.reduce_only:
            return order.left
        net = self._account.holding(order.market).net
        return min(order.left, abs(net)) if net * order.side.sign < 0 else ZERO

    def _fill(
        self, order: SimOrder, price: Price, quantity: Quantity, *, maker: bool, taker_side: Side | None, now_ns: int
    ) -> SimOrder:
        """Book one fill and tell it; with `taker_side` it is also a new trade on the tape."""
        rate = self._account.fee_rate(order.market, maker=maker)
        signed = quantity * order.side.sign
        fee, currency, closed, profit = self._account.trade(order.market, signed, price, rate, now_ns)
        filled = order.filled + quantity
        after = msgspec.structs.replace(
            order,
            status=OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIAL,
            filled=filled,
            value=order.value + price * quantity,
            fees=order.fees + fee,
            fee_currency=currency,
            updated_ns=now_ns,
        )
        self._store.put(after)
        beside = is_stop_id(order.request.client_id)
        fill = Fill(
            market=order.market,
            execution_id=ExecutionId(self._ids.next("execution")),
            client_id=ClientId(order.request.client_id) if order.request.client_id and not beside else None,
            venue_order_id=order.order_id,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=currency,
            maker=maker,
            cause=FillCause.STOP if beside else _FILL_CAUSE[order.origin],
            at_ns=now_ns,
        )
        desk = self._desks[order.market]
        told = Executed(
            fill=fill, order=order, left=after.left, fee_rate=rate, closed=closed, profit=profit, mark=desk.mark
        )
        self._tell(told)
        if taker_side is not None:
            self._print(desk, fill, taker_side)
        return after

    def _print(self, desk: Desk, fill: Fill, taker_side: Side) -> None:
        trade = Trade(
            market=fill.market,
            trade_id=fill.execution_id,
            side=taker_side,
            price=fill.price,
            quantity=fill.quantity,
            at_ns=fill.at_ns,
        )
        for candle in desk.printed(trade):
            self._tell(candle)
        self._tell(trade)
