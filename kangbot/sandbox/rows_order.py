"""Orders and executions as Bybit's wire shows them, alike by REST and on the private stream."""

from decimal import Decimal
from typing import Any

from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Side, TimeInForce
from kangbot.sandbox.exchange import Exchange
from kangbot.sim.exchange.events import Executed, Funded
from kangbot.sim.exchange.orders import Cause, Direction, Origin, SimOrder

Row = dict[str, Any]

SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
KINDS = {OrderKind.MARKET: "Market", OrderKind.LIMIT: "Limit"}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "PostOnly"}
DIRECTIONS = {Direction.RISE: 1, Direction.FALL: 2, None: 0}
_STATUS = {
    OrderStatus.ACKED: "New",
    OrderStatus.PARTIAL: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
    OrderStatus.REJECTED: "Rejected",
}
_REJECT = {
    Cause.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
    Cause.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
    Cause.USER: "EC_PerCancelRequest",
    Cause.BALANCE: "EC_Others",
}
_CANCEL = {
    Cause.USER: "CancelByUser",
    Cause.REDUCE_ONLY: "CancelByReduceOnly",
    Cause.POSITION: "CancelByTpSlTsClear",
    Cause.LIQUIDATION: "CancelByPrepareLiq",
}
_CREATE = {
    Origin.USER: "CreateByUser",
    Origin.STOP_LOSS: "CreateByStopLoss",
    Origin.TAKE_PROFIT: "CreateByTakeProfit",
    Origin.LIQUIDATION: "CreateByLiq",
}
_STOP_TYPE = {Origin.STOP_LOSS: "StopLoss", Origin.TAKE_PROFIT: "TakeProfit"}
_EXEC_TYPE = {FillCause.LIQUIDATION: "BustTrade", FillCause.DELEVERAGING: "AdlTrade"}


def number(value: Decimal | None, absent: str = "") -> str:
    """Return a decimal as the wire has it: plain, never in exponents."""
    return absent if value is None else format(value, "f")


def short(value: Decimal) -> str:
    """Return a decimal without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def millis(at_ns: int) -> str:
    """Return a time in milliseconds, as text."""
    return str(at_ns // 1_000_000)


def order_status(order: SimOrder, category: str) -> str:
    """Return the wire's word: conditional orders have their own, and linear cancels what spot rejects."""
    if order.untriggered:
        return "Deactivated" if order.status is OrderStatus.CANCELED else "Untriggered"
    if order.cause is Cause.POST_ONLY and category == "linear":
        return "Cancelled"
    if category == "spot" and order.filled and order.status in {OrderStatus.CANCELED, OrderStatus.EXPIRED}:
        return "PartiallyFilledCanceled"
    return _STATUS[order.status]


def stop_type(order: SimOrder) -> str:
    """Return `stopOrderType`: "" for an ordinary order."""
    return _STOP_TYPE.get(order.origin, "Stop" if order.trigger is not None else "")


def order_row(exchange: Exchange, order: SimOrder) -> Row:
    """Return one order."""
    category, request = exchange.category(order.market), order.request
    guarded = request.stop is not None or request.target is not None or order.protective
    return {
        "category": category,
        "symbol": exchange.symbol(order.market),
        "orderId": order.order_id,
        "orderLinkId": request.client_id,
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": 0,
        "orderStatus": order_status(order, category),
        "cancelType": _CANCEL.get(order.cause, "UNKNOWN"),
        "rejectReason": _REJECT.get(order.cause, "EC_NoError"),
        "timeInForce": TIMES[request.time_in_force] if request.kind is OrderKind.LIMIT else "IOC",
        "isLeverage": "",
        "price": number(order.price, "0"),
        "qty": short(order.quantity),
        "avgPrice": "" if order.average is None else short(round(order.average, 10)),
        "leavesQty": short(order.left),
        "leavesValue": short(order.left * order.reserve_price),
        "cumExecQty": short(order.filled),
        "cumExecValue": short(order.value),
        "cumExecFee": short(order.fees),
        "cumFeeDetail": {order.fee_currency: short(order.fees)} if order.fee_currency else {},
        "feeCurrency": order.fee_currency if category == "spot" else "",
        "orderType": KINDS[request.kind],
        "stopOrderType": stop_type(order),
        "orderIv": "",
        "triggerPrice": number(order.trigger),
        "triggerDirection": DIRECTIONS[request.direction],
        "triggerBy": "LastPrice" if order.trigger is not None else "",
        "takeProfit": number(request.target),
        "stopLoss": number(request.stop),
        "tpTriggerBy": "LastPrice" if request.target is not None else "",
        "slTriggerBy": "LastPrice" if request.stop is not None else "",
        "tpslMode": "Full" if guarded else "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "ocoTriggerBy": "",
        "lastPriceOnCreated": number(order.last_price),
        "reduceOnly": request.reduce_only,
        "closeOnTrigger": order.protective,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createType": _CREATE[order.origin],
        "createdTime": millis(order.created_ns),
        "updatedTime": millis(order.updated_ns),
    }


def exec_type(event: Executed | Funded) -> str:
    """Return `execType`: what tells a trade from funding and from a liquidation."""
    return "Funding" if isinstance(event, Funded) else _EXEC_TYPE.get(event.fill.cause, "Trade")


def event_row(exchange: Exchange, event: Executed | Funded) -> Row:
    """Return one row of the execution list."""
    return execution_row(exchange, event) if isinstance(event, Executed) else funding_row(exchange, event)


def execution_row(exchange: Exchange, event: Executed) -> Row:
    """Return one fill."""
    fill, order = event.fill, event.order
    return {
        "category": exchange.category(fill.market),
        "symbol": exchange.symbol(fill.market),
        "execId": fill.execution_id,
        "orderId": fill.venue_order_id,
        "orderLinkId": order.request.client_id,
        "side": SIDES[fill.side],
        "execPrice": number(fill.price),
        "execQty": short(fill.quantity),
        "execValue": short(fill.price * fill.quantity),
        "execFee": short(fill.fee),
        "extraFees": "",
        "execPnl": short(event.profit),
        "execType": exec_type(event),
        "execTime": millis(fill.at_ns),
        "feeRate": short(event.fee_rate),
        "feeCurrency": fill.fee_currency,
        "feeCoin": fill.fee_currency,
        "isMaker": fill.maker,
        "isLeverage": "0",
        "orderPrice": number(order.price, "0"),
        "orderQty": short(order.quantity),
        "leavesQty": short(event.left),
        "closedSize": short(event.closed),
        "orderType": KINDS[order.request.kind],
        "stopOrderType": stop_type(order) or "UNKNOWN",
        "createType": _CREATE[order.origin],
        "markPrice": number(event.mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "markIv": "",
        "tradeIv": "",
        "blockTradeId": "",
        "marketUnit": "",
        "seq": fill.at_ns // 1000,
    }


def funding_row(exchange: Exchange, event: Funded) -> Row:
    """Return one funding payment: in Bybit's executions a positive fee is paid."""
    flow = event.flow
    return {
        "category": exchange.category(flow.market),
        "symbol": exchange.symbol(flow.market),
        "execId": flow.execution_id,
        "orderId": flow.execution_id,
        "orderLinkId": "",
        "side": "Buy" if event.quantity > 0 else "Sell",
        "execPrice": number(event.price),
        "execQty": short(abs(event.quantity)),
        "execValue": short(abs(event.quantity) * event.price),
        "execFee": short(-flow.amount),
        "extraFees": "",
        "execPnl": "0",
        "execType": exec_type(event),
        "execTime": millis(flow.at_ns),
        "feeRate": short(event.rate),
        "feeCurrency": flow.currency,
        "feeCoin": flow.currency,
        "isMaker": False,
        "isLeverage": "0",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "closedSize": "0",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "createType": "",
        "markPrice": number(event.price),
        "indexPrice": "",
        "underlyingPrice": "",
        "markIv": "",
        "tradeIv": "",
        "blockTradeId": "",
        "marketUnit": "",
        "seq": flow.at_ns // 1000,
    }
