"""Every order the venue ever took, by its ids, and those that are still open by market."""

from collections.abc import Iterator
from itertools import islice, takewhile

from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.sim.exchange.orders import SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused


class OrderStore:
    """Orders by id. `put` replaces an order by its successor."""

    def __init__(self) -> None:
        self._orders: dict[VenueOrderId, SimOrder] = {}
        self._by_client: dict[str, VenueOrderId] = {}
        self._open: dict[MarketId, dict[VenueOrderId, None]] = {}
        self.duplicates_refused = 0

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[SimOrder]:
        return iter(self._orders.values())

    def admit(self, client_id: str) -> None:
        """Refuse a client id that was used before: they are unique for ever. "" is always new."""
        if client_id in self._by_client:
            self.duplicates_refused += 1
            raise RequestRefused(Reason.DUPLICATE_ID, f"client id {client_id} was used before")

    def put(self, order: SimOrder) -> None:
        """Keep `order`, new or as the successor of the one with its id."""
        if order.request.client_id:
            self._by_client[order.request.client_id] = order.order_id
        self._orders[order.order_id] = order
        here = self._open.setdefault(order.market, {})
        if order.status.terminal:
            here.pop(order.order_id, None)
        else:
            here[order.order_id] = None

    def forget(self, before_ns: int) -> None:
        """Forget the orders that ended and came before that; their client ids are free again."""
        for order in list(takewhile(lambda order: order.created_ns < before_ns, self._orders.values())):
            if order.status.terminal:
                del self._orders[order.order_id]
                self._by_client.pop(order.request.client_id, None)

    def get(self, order_id: str) -> SimOrder:
        """Return the order as it is now. KeyError where there is none."""
        return self._orders[VenueOrderId(order_id)]

    def find(self, order_id: str = "", client_id: str = "") -> SimOrder | None:
        """Return the order of either id, open or not."""
        return self._orders.get(
            VenueOrderId(order_id) if order_id else self._by_client.get(client_id, VenueOrderId(""))
        )

    def open(self, market: MarketId | None = None) -> list[SimOrder]:
        """Return the open orders in the order in which they came; those of all one market after the other."""
        if market is not None:
            return [self._orders[order_id] for order_id in self._open.get(market, ())]
        return [self._orders[order_id] for here in self._open.values() for order_id in here]

    def any_open(self, market: MarketId) -> bool:
        """Whether the market has an open order."""
        return bool(self._open.get(market))

    def newest(self, limit: int) -> list[SimOrder]:
        """Return the newest orders of any status, newest first."""
        return list(islice(reversed(self._orders.values()), limit))
