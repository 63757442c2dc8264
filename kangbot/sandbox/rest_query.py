"""Private REST that asks for orders and executions."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kangbot.sandbox.errors import PARAMS, ApiError
from kangbot.sandbox.exchange import Exchange, category_kind
from kangbot.sandbox.pages import page
from kangbot.sandbox.params import Params, millis, text, until
from kangbot.sandbox.rows_order import event_row, exec_type, order_row, order_status
from kangbot.sim.exchange.events import Executed, Funded
from kangbot.sim.exchange.orders import SimOrder

Result = dict[str, Any]
_LATELY = 500  # orders of any status that /v5/order/realtime still knows


def realtime(exchange: Exchange, params: Params) -> Result:
    """GET /v5/order/realtime: open orders; with `openOnly` 1, or by id, also those that ended lately."""
    category = text(params, "category")
    by_id = bool(params.get("orderId") or params.get("orderLinkId"))
    if not by_id and category == "linear" and not any(map(params.get, ("symbol", "settleCoin", "baseCoin"))):
        raise ApiError(PARAMS, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")
    orders = exchange.venue.orders
    if by_id:
        found: Iterable[SimOrder] = _named(exchange, params)
    elif text(params, "openOnly", "0") == "1":
        found = orders.newest(_LATELY)
    else:
        found = sorted(orders.open(), key=_arrival, reverse=True)
        last = orders.find(text(params, "cursor", ""))
        if last is not None:  # it may have ended since, and stands in the list no more
            found = [order for order in found if _arrival(order) < _arrival(last)]
            params = {**params, "cursor": ""}
    return _orders(exchange, filter(matcher(exchange, category, params), found), category, params)


def history(exchange: Exchange, params: Params) -> Result:
    """GET /v5/order/history: ended orders, newest first."""
    category = text(params, "category")
    status = text(params, "orderStatus", "")
    by_id = bool(params.get("orderId") or params.get("orderLinkId"))
    orders = exchange.venue.orders
    matches = matcher(exchange, category, params)
    found = (
        order
        for order in (_named(exchange, params) if by_id else orders.newest(len(orders)))
        if order.status.terminal and matches(order) and status in {"", order_status(order, category)}
    )
    return _orders(exchange, found, category, params)


def executions(exchange: Exchange, params: Params) -> Result:
    """GET /v5/execution/list: fills and funding, newest first."""
    category = text(params, "category")

    def row(event: Executed | Funded) -> Result:
        return event_row(exchange, event)

    return page(_executions(exchange, params), row, params, "execId", category=category, usual=50, most=100)


def matcher(exchange: Exchange, category: str, params: Params) -> Callable[[SimOrder], bool]:
    """Return whether an order is one of those that the request chooses."""
    kind = category_kind(category)
    wanted = [text(params, name, "") for name in ("symbol", "settleCoin", "baseCoin", "orderId", "orderLinkId")]
    order_filter = text(params, "orderFilter", "")
    start_ns, end_ns = millis(params, "startTime"), until(params, "endTime")

    def matches(order: SimOrder) -> bool:
        instrument = exchange.venue.desks[order.market].spec.instrument
        names = (instrument.native, instrument.settle, instrument.base, order.order_id, order.request.client_id)
        return (
            instrument.kind is kind
            and all(not want or want == name for want, name in zip(wanted, names, strict=True))
            and (not order_filter or (order_filter == "Order") == (order.trigger is None))
            and (start_ns is None or order.created_ns >= start_ns)
            and (end_ns is None or order.created_ns <= end_ns)
        )

    return matches


def _arrival(order: SimOrder) -> tuple[int, str]:
    """Return where an order stands among the others; two may have come in one moment."""
    return order.created_ns, order.order_id


def _named(exchange: Exchange, params: Params) -> list[SimOrder]:
    order = exchange.venue.orders.find(text(params, "orderId", ""), text(params, "orderLinkId", ""))
    return [] if order is None else [order]


def _orders(exchange: Exchange, found: Iterable[SimOrder], category: str, params: Params) -> Result:
    def row(order: SimOrder) -> Result:
        return order_row(exchange, order)

    return page(found, row, params, "orderId", category=category, usual=20, most=50)


def _executions(exchange: Exchange, params: Params) -> Iterator[Executed | Funded]:
    kind = category_kind(text(params, "category"))
    wanted = [text(params, name, "") for name in ("symbol", "baseCoin", "orderId", "orderLinkId", "execType")]
    start_ns, end_ns = millis(params, "startTime"), until(params, "endTime")
    for event in reversed(exchange.venue.executions):
        if start_ns is not None and event.at_ns < start_ns:
            return  # they are in the order of their times
        if end_ns is not None and event.at_ns > end_ns:
            continue
        instrument = exchange.venue.desks[event.market].spec.instrument
        names = (instrument.native, instrument.base, event.order_id, event.client_id, exec_type(event))
        if instrument.kind is kind and all(not want or want == name for want, name in zip(wanted, names, strict=True)):
            yield event
