"""The orders of one market that are remembered: every unsettled one, and the newest settled ones.

However many are unsettled, none of them is looked at to forget a settled one: a journal with thousands of orders whose
fills are missing is replayed in the time that any other takes. The fold of the journal and the running market keep
their orders by this, so that a replay comes to what the market had.
"""

from collections.abc import Iterable, Iterator, Sequence

from kangbot.machines.order import Order
from kangbot.model.ids import ClientId

KEPT = 16  # settled orders: late reports of them are recognised


class KeptOrders:
    """In the order in which they were intended. Large state with one writer: mutable."""

    __slots__ = ("_orders", "_settled", "_standing", "_unsettled")

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders: dict[ClientId, Order] = {}
        self._settled: dict[ClientId, int] = {}  # with the intent's number
        self._unsettled: dict[ClientId, Order] = {}  # asked for on every turn, while most orders are over
        self._standing: tuple[Order, ...] | None = ()  # the same, as it is given out; None where it has changed
        for order in orders:
            self.keep(order)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def get(self, client_id: ClientId) -> Order | None:
        """Return the order of that id; None where it is not remembered."""
        return self._orders.get(client_id)

    @property
    def unsettled(self) -> Sequence[Order]:
        """Every order that may still change the position or our mind, oldest first."""
        if self._standing is None:
            self._standing = tuple(self._unsettled.values())
        return self._standing

    def keep(self, order: Order) -> ClientId | None:
        """Remember it as it is now, and return which settled one is forgotten for it; it may be that one itself."""
        client_id = order.client_id
        self._orders[client_id] = order
        self._standing = None
        if not order.settled:
            self._settled.pop(client_id, None)
            self._unsettled[client_id] = order
            return None
        self._unsettled.pop(client_id, None)
        self._settled[client_id] = order.intent.number
        if len(self._settled) <= KEPT:
            return None
        oldest = min(self._settled, key=self._settled.__getitem__)
        del self._settled[oldest], self._orders[oldest]
        return oldest
