"""Intents, reports and fills of one market, as short as a test can read them."""

from decimal import Decimal

import msgspec

from kangbot.model.events import OrderChanged
from kangbot.model.ids import ClientId, ExecutionId, MarketId, VenueOrderId, client_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import (
    CashFlow,
    Evidence,
    Fill,
    FillCause,
    Intent,
    OrderKind,
    OrderReport,
    OrderStatus,
    Proposal,
    Purpose,
    Side,
    TimeInForce,
    VenuePosition,
)
from tests.support.instruments import instrument_of

MARKET = MarketId("bybit:BTC-USDT:USDT")
TAG = "journal1"
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
WINDOW = 5 * SECOND
MARGIN = 2 * SECOND


def dec(value: str | int) -> Decimal:
    """Return an exact decimal."""
    return Decimal(value)


def instrument(kind: InstrumentKind = InstrumentKind.LINEAR) -> Instrument:
    """Return a perpetual (or spot) market with a tick of 0.1 and a step of 0.001."""
    return msgspec.structs.replace(instrument_of(), kind=kind)


def proposal(
    quantity: str | int = 1,
    *,
    purpose: Purpose = Purpose.ENTRY,
    side: Side = Side.BUY,
    kind: OrderKind = OrderKind.LIMIT,
    stop: str | None = None,
) -> Proposal:
    """Return what a desk would like to place."""
    return Proposal(
        market=MARKET,
        purpose=purpose,
        side=side,
        kind=kind,
        quantity=dec(quantity),
        price=dec(100) if kind is OrderKind.LIMIT else None,
        stop=None if stop is None else dec(stop),
        reference=dec(100),
        reason="test",
    )


def intent(
    number: int = 1,
    quantity: str | int = 1,
    *,
    at_ns: int = START,
    purpose: Purpose = Purpose.ENTRY,
    kind: OrderKind = OrderKind.LIMIT,
    time_in_force: TimeInForce = TimeInForce.GTC,
    stop: str | None = None,
) -> Intent:
    """Return the intent of that number: a buy of `quantity` at 100."""
    return Intent(
        client_id=client_id(TAG, number),
        number=number,
        market=MARKET,
        purpose=purpose,
        side=Side.BUY,
        kind=kind,
        quantity=dec(quantity),
        price=dec(100),
        time_in_force=time_in_force,
        stop=None if stop is None else dec(stop),
        reference=dec(100),
        reason="test",
        at_ns=at_ns,
        deadline_ns=at_ns + WINDOW,
    )


def report(
    status: OrderStatus,
    filled: str | int = 0,
    *,
    number: int = 1,
    named: bool = True,
    client: str | None = None,
    venue_order_id: str = "v1",
    evidence: Evidence = Evidence.STREAM,
    protective: bool = False,
    quantity: str | int = 1,
) -> OrderReport:
    """Return what a venue says of the order of that number; `named` False where it leaves our id out."""
    ours = ClientId(client) if client is not None else client_id(TAG, number)
    return OrderReport(
        market=MARKET,
        client_id=ours if named else None,
        venue_order_id=VenueOrderId(venue_order_id),
        status=status,
        side=Side.BUY,
        quantity=dec(quantity),
        filled=dec(filled),
        protective=protective,
        at_ns=START,
        evidence=evidence,
    )


def changed(
    status: OrderStatus,
    filled: str | int = 0,
    *,
    number: int = 1,
    venue_order_id: str | None = "v1",
    evidence: Evidence = Evidence.STREAM,
    code: str = "",
    message: str = "",
) -> OrderChanged:
    """Return the record of what became of the order of that number."""
    return OrderChanged(
        market=MARKET,
        client_id=client_id(TAG, number),
        status=status,
        evidence=evidence,
        filled=dec(filled),
        venue_order_id=None if venue_order_id is None else VenueOrderId(venue_order_id),
        code=code,
        message=message,
        at_ns=START,
    )


def fill(
    execution: str,
    quantity: str | int,
    price: str | int = 100,
    *,
    number: int = 1,
    named: bool = True,
    venue_order_id: str = "v1",
    side: Side = Side.BUY,
    cause: FillCause = FillCause.TRADE,
    fee: str | int = 0,
    at_ns: int = START,
) -> Fill:
    """Return one execution of the order of that number; `named` False where the venue leaves our id out."""
    return Fill(
        market=MARKET,
        execution_id=ExecutionId(execution),
        client_id=client_id(TAG, number) if named else None,
        venue_order_id=VenueOrderId(venue_order_id),
        side=side,
        price=dec(price),
        quantity=dec(quantity),
        fee=dec(fee),
        fee_currency="USDT",
        cause=cause,
        at_ns=at_ns,
    )


def funding(execution: str, amount: str | int, *, at_ns: int = START) -> CashFlow:
    """Return a funding payment."""
    return CashFlow(
        market=MARKET,
        execution_id=ExecutionId(execution),
        kind="Funding",
        amount=dec(amount),
        currency="USDT",
        at_ns=at_ns,
    )


def stated(net: str | int, stop: str | int | None = None, *, at_ns: int = 0) -> VenuePosition:
    """Return what the venue says of the position."""
    return VenuePosition(
        market=MARKET,
        net=dec(net),
        entry=dec(100) if dec(net) else None,
        stop=None if stop is None else dec(stop),
        mark=dec(100),
        at_ns=at_ns,
    )
