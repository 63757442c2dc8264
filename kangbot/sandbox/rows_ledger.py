"""The lines of the transaction log as Bybit's wire shows them: what each trade, funding and transfer did to a coin."""

from collections.abc import Iterator
from typing import Any

from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Transfer
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.rows_order import millis, number, short
from kangbot.sim.exchange.events import Executed, Funded

Row = dict[str, Any]


def transfer_row(transfer: Transfer) -> Row:
    """Return the line of what was moved."""
    kind = transfer.kind or f"TRANSFER_{'IN' if transfer.amount > 0 else 'OUT'}"
    return _row(transfer.transfer_id, transfer.at_ns, kind, transfer.currency, transfer.amount)


def event_rows(exchange: Exchange, event: Executed | Funded) -> Iterator[Row]:
    """Yield the lines of a fill or a cash flow; a fill of a spot pair has one for either coin, under one id."""
    if isinstance(event, Funded):
        flow = event.flow
        line = _row(flow.execution_id, flow.at_ns, "SETTLEMENT", flow.currency, ZERO, funding=flow.amount)
        yield line | {"symbol": exchange.symbol(flow.market), "category": exchange.category(flow.market)}
        return
    fill, instrument = event.fill, exchange.venue.desks[event.market].spec.instrument
    category = exchange.category(event.market)
    named = {
        "symbol": exchange.symbol(event.market),
        "category": category,
        "side": fill.side.value.capitalize(),
        "qty": short(fill.quantity),
        "tradePrice": number(fill.price),
        "feeRate": short(event.fee_rate),
        "tradeId": fill.execution_id,
        "orderId": event.order_id,
        "orderLinkId": event.client_id,
    }
    flows = {instrument.settle: event.profit}
    if category == "spot":
        flows = {instrument.base: fill.signed, instrument.quote: -fill.signed * fill.price}
    for coin, amount in flows.items():
        fee = fill.fee if fill.fee_currency == coin else ZERO
        yield _row(fill.execution_id, fill.at_ns, "TRADE", coin, amount, fee=fee) | named


def _row(
    identity: str, at_ns: int, kind: str, coin: str, amount: Money, *, fee: Money = ZERO, funding: Money | None = None
) -> Row:
    return {
        "id": identity,
        "symbol": "",
        "category": "",
        "side": "None",
        "transactionTime": millis(at_ns),
        "type": kind,
        "transSubType": "",
        "qty": "0",
        "size": "0",
        "currency": coin,
        "tradePrice": "0",
        "funding": "" if funding is None else short(funding),
        "fee": short(fee),
        "cashFlow": short(amount),
        "change": short(amount + (funding or ZERO) - fee),
        "cashBalance": "",
        "feeRate": "0",
        "bonusChange": "",
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
        "extraFees": "",
    }
