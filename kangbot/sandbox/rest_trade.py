"""Private REST that changes orders. Answers are acknowledgements; the private stream tells what became of it."""

from typing import Any

from kangbot.model.money import Price
from kangbot.model.orders import OrderKind, Side, TimeInForce
from kangbot.sandbox.errors import PARAMS, ApiError, translate
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.params import Params, decimal, flag, price, text
from kangbot.sandbox.rest_query import matcher
from kangbot.sim.exchange.orders import Direction, OrderRequest, SimOrder
from kangbot.sim.exchange.refusal import RequestRefused
from kangbot.sim.markets.desk import Desk

Result = dict[str, Any]

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_KINDS = {"Market": OrderKind.MARKET, "Limit": OrderKind.LIMIT}
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "PostOnly": TimeInForce.POST_ONLY}
_DIRECTIONS = {"1": Direction.RISE, "2": Direction.FALL}
_LONGEST_ID = 36


def create(exchange: Exchange, params: Params) -> Result:
    """POST /v5/order/create."""
    category = text(params, "category")
    request = _request(exchange, category, params)
    try:
        order = exchange.venue.submit(request, exchange.now_ns())
    except RequestRefused as refusal:
        raise translate(refusal, category) from None
    return _ids(order)


def amend(exchange: Exchange, params: Params) -> Result:
    """POST /v5/order/amend."""
    category = text(params, "category")
    order_id, client_id = _named(exchange, category, params)
    try:
        order = exchange.venue.amend(
            exchange.now_ns(),
            order_id=order_id,
            client_id=client_id,
            quantity=decimal(params, "qty"),
            price=price(params, "price"),
            trigger=price(params, "triggerPrice"),
        )
    except RequestRefused as refusal:
        raise _amend_error(refusal, category) from None
    return _ids(order)


def cancel(exchange: Exchange, params: Params) -> Result:
    """POST /v5/order/cancel."""
    category = text(params, "category")
    order_id, client_id = _filtered(exchange, category, params, *_named(exchange, category, params))
    try:
        order = exchange.venue.cancel(exchange.now_ns(), order_id=order_id, client_id=client_id)
    except RequestRefused as refusal:
        raise translate(refusal, category) from None
    return _ids(order)


def cancel_all(exchange: Exchange, params: Params) -> Result:
    """POST /v5/order/cancel-all: position stops too, unless `orderFilter` chooses."""
    category = text(params, "category")
    symbol = text(params, "symbol", "")
    desks = [exchange.desk(category, symbol)] if symbol else exchange.desks(category)
    if not symbol and category == "linear" and not (params.get("settleCoin") or params.get("baseCoin")):
        raise ApiError(PARAMS, "Missing some parameters that must be filled in, symbol or baseCoin or settleCoin")
    matches = matcher(exchange, category, params)
    chosen = [order for desk in desks for order in exchange.venue.orders.open(desk.spec.market) if matches(order)]
    ended = exchange.venue.cancel_all(exchange.now_ns(), chosen)
    return {"list": [_ids(order) for order in ended], "success": "1"}


def _request(exchange: Exchange, category: str, params: Params) -> OrderRequest:
    """Return the order that is asked for; what the sandbox does not know is refused, never ignored."""
    desk = exchange.desk(category, text(params, "symbol"))
    kind = _choice(_KINDS, params, "orderType")
    if text(params, "positionIdx", "0") != "0" or desk.spec.market in exchange.hedged:
        raise ApiError(10001, "position idx not match position mode")
    client_id = text(params, "orderLinkId", "")
    if len(client_id) > _LONGEST_ID:
        raise ApiError(PARAMS, "params error: OrderLinkId too long")
    limit_price = price(params, "price")
    if kind is OrderKind.LIMIT and limit_price is None:
        raise ApiError(PARAMS, "params error: Price is required")
    quantity = decimal(params, "qty")
    if quantity is None:
        raise ApiError(PARAMS, "params error: Qty is required")
    side = _choice(_SIDES, params, "side")
    if _by_value(category, kind, side, params):
        step = desk.spec.instrument.step
        quantity = quantity / desk.book.best(side) // step * step
    trigger = price(params, "triggerPrice")
    direction = None
    if trigger is not None:
        direction = _direction(desk, category, trigger, params)
    return OrderRequest(
        market=desk.spec.market,
        side=side,
        kind=kind,
        quantity=quantity,
        price=limit_price if kind is OrderKind.LIMIT else None,
        time_in_force=_choice(_TIMES, params, "timeInForce", "GTC"),
        reduce_only=flag(params, "reduceOnly"),
        client_id=client_id,
        trigger=trigger,
        direction=direction,
        stop=price(params, "stopLoss"),
        target=price(params, "takeProfit"),
    )


def _direction(desk: Desk, category: str, trigger: Price, params: Params) -> Direction:
    """Return which way the price must go; spot has no word for it in its requests, and takes it from the price.

    Of the spot orders that wait, the one that occupies nothing meanwhile is served. Without any `orderFilter` Bybit
    passes over the trigger and trades at once, which nobody can have meant.
    """
    if category != "spot":
        return Direction(_choice(_DIRECTIONS, params, "triggerDirection"))
    kind = text(params, "orderFilter", "Order")
    if kind != "StopOrder":
        raise ApiError(PARAMS, f"spot orders with a trigger and orderFilter {kind} are not served by the sandbox")
    return Direction.FALL if trigger < desk.last else Direction.RISE


def _by_value(category: str, kind: OrderKind, side: Side, params: Params) -> bool:
    """Whether the quantity is in quote currency: a spot market buy's is, unless `marketUnit` says otherwise."""
    if category != "spot" or kind is not OrderKind.MARKET:
        return False
    return text(params, "marketUnit", "quoteCoin" if side is Side.BUY else "baseCoin") == "quoteCoin"


def _choice(table: dict[str, Any], params: Params, name: str, default: str | None = None) -> Any:
    try:
        return table[text(params, name, default)]
    except KeyError:
        raise ApiError(PARAMS, f"params error: {name} invalid") from None


def _named(exchange: Exchange, category: str, params: Params) -> tuple[str, str]:
    """Return the ids in a request on one order of one market; an order of another market is not found."""
    order_id, client_id = text(params, "orderId", ""), text(params, "orderLinkId", "")
    if not order_id and not client_id:
        raise ApiError(PARAMS, "params error: orderId or orderLinkId is required")
    desk = exchange.desk(category, text(params, "symbol"))
    order = exchange.venue.orders.find(order_id, client_id)
    if order is not None and order.market != desk.spec.market:
        return "-", ""
    return order_id, client_id


def _filtered(exchange: Exchange, category: str, params: Params, order_id: str, client_id: str) -> tuple[str, str]:
    """Return the ids, of no order where it is not of the kind in `orderFilter`, which is `Order` by default."""
    order = exchange.venue.orders.find(order_id, client_id)
    if category != "spot" or order is None:
        return order_id, client_id
    kind = "Order" if order.trigger is None else "StopOrder"
    return (order_id, client_id) if text(params, "orderFilter", "Order") == kind else ("-", "")


def _amend_error(refusal: RequestRefused, category: str) -> ApiError:
    error = translate(refusal, category)
    unmodified = error.code == 34040
    return ApiError(PARAMS, "order not modified") if unmodified else error


def _ids(order: SimOrder) -> Result:
    return {"orderId": order.order_id, "orderLinkId": order.request.client_id}
