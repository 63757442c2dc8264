"""The stops that the venue keeps for a position: at most one stop-loss and one take-profit a market.

They cover the whole position: their quantity follows it, and they go when it is flat or has changed sides. Triggered,
they are reduce-only market orders. Reduce-only orders of the user go with the position too.
"""

import msgspec

from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.model.money import Price
from kangbot.model.orders import OrderStatus, Side
from kangbot.sim.exchange.account import Account
from kangbot.sim.exchange.checks import check_stops
from kangbot.sim.exchange.ids import Ids
from kangbot.sim.exchange.matching import Matching
from kangbot.sim.exchange.orders import Cause, Direction, OrderRequest, Origin, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.store import OrderStore
from kangbot.sim.markets.desk import Desk


class Protection:
    """The position stops of every market."""

    def __init__(
        self,
        *,
        desks: dict[MarketId, Desk],
        account: Account,
        store: OrderStore,
        matching: Matching,
        ids: Ids,
    ) -> None:
        self._desks = desks
        self._account = account
        self._store = store
        self._matching = matching
        self._ids = ids
        self._orders: dict[tuple[MarketId, Origin], VenueOrderId] = {}

    def price(self, market: MarketId, origin: Origin = Origin.STOP_LOSS) -> Price | None:
        """Return where the position's stop rests; None where there is none."""
        order = self._resting(market, origin)
        return None if order is None else order.trigger

    def set(self, market: MarketId, stop: Price | None, target: Price | None, now_ns: int) -> None:
        """Make these the position's stops; None removes one. RequestRefused without a position or on a wrong side."""
        net = self._account.holding(market).net
        if not net:
            raise RequestRefused(Reason.NO_POSITION, "can not set tp/sl/ts for zero position")
        if (stop, target) == (self.price(market), self.price(market, Origin.TAKE_PROFIT)):
            raise RequestRefused(Reason.NOT_MODIFIED, "not modified")
        side = Side.BUY if net > 0 else Side.SELL
        last = self._desks[market].last
        changed_stop = stop if stop != self.price(market) else None
        changed_target = target if target != self.price(market, Origin.TAKE_PROFIT) else None
        check_stops(side, changed_stop, changed_target, last)
        self._put(market, Origin.STOP_LOSS, stop, now_ns)
        self._put(market, Origin.TAKE_PROFIT, target, now_ns)

    def take_up(self, market: MarketId, stop: Price, now_ns: int) -> None:
        """Go on with a stop-loss of an earlier life: a price that has passed it meanwhile triggers it."""
        self._put(market, Origin.STOP_LOSS, stop, now_ns)

    def attach(self, order: SimOrder, now_ns: int) -> None:
        """Give the position the stops that came with the order that has just filled; what it did not bring stays."""
        net = self._account.holding(order.market).net
        if net * order.side.sign <= 0:
            return
        for origin, price in (
            (Origin.STOP_LOSS, order.request.stop),
            (Origin.TAKE_PROFIT, order.request.target),
        ):
            if price is not None and price != self.price(order.market, origin):
                self._put(order.market, origin, price, now_ns)

    def follow(self, market: MarketId, now_ns: int) -> None:
        """Make the stops cover the position as it is now, and end what has nothing left to reduce."""
        net = self._account.holding(market).net
        closing = Side.SELL if net > 0 else Side.BUY
        for order in self._store.open(market):
            waits = order.untriggered and order.origin is Origin.USER  # judged when its trigger is reached
            if waits or order.origin is Origin.LIQUIDATION or not order.request.reduce_only:
                continue
            if not net or order.side is not closing:
                cause = Cause.POSITION if order.untriggered else Cause.REDUCE_ONLY
                self._matching.end(order, OrderStatus.CANCELED, cause, now_ns)
            elif order.untriggered and order.quantity != abs(net):
                self._matching.keep(msgspec.structs.replace(order, quantity=abs(net), updated_ns=now_ns))

    def _put(self, market: MarketId, origin: Origin, price: Price | None, now_ns: int) -> None:
        resting = self._resting(market, origin)
        if resting is not None and price is None:
            self._matching.end(resting, OrderStatus.CANCELED, Cause.POSITION, now_ns)
        elif resting is not None and price != resting.trigger:
            self._matching.keep(msgspec.structs.replace(resting, trigger=price, updated_ns=now_ns))
        elif resting is None and price is not None:
            self._orders[market, origin] = self._matching.keep(self._order(market, origin, price, now_ns)).order_id

    def _order(self, market: MarketId, origin: Origin, price: Price, now_ns: int) -> SimOrder:
        net = self._account.holding(market).net
        falls = (net > 0) == (origin is Origin.STOP_LOSS)
        direction = Direction.FALL if falls else Direction.RISE
        request = OrderRequest.closing(market, net, trigger=price, direction=direction)
        return SimOrder(
            order_id=VenueOrderId(self._ids.next("order")),
            request=request,
            origin=origin,
            untriggered=True,
            quantity=abs(net),
            price=None,
            trigger=price,
            last_price=self._desks[market].last,
            created_ns=now_ns,
            updated_ns=now_ns,
        )

    def _resting(self, market: MarketId, origin: Origin) -> SimOrder | None:
        order_id = self._orders.get((market, origin))
        order = None if order_id is None else self._store.find(order_id)
        return order if order is not None and order.untriggered and not order.status.terminal else None
