"""One event of each kind, with values that hurt: long decimals, quotes, absent fields, nanoseconds."""

from collections.abc import Sequence
from decimal import Decimal

from kangbot.model.data import Bar
from kangbot.model.events import (
    BarStored,
    CashFlowApplied,
    Desired,
    DesiredChanged,
    DrawdownReset,
    EntriesPaused,
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    Record,
    RequestsPaused,
    RoundTripClosed,
    RunState,
    RunStateChanged,
    Severity,
    StopSet,
    Transferred,
)
from kangbot.model.ids import ClientId, ExecutionId, MarketId, TransferId, VenueOrderId
from kangbot.model.orders import CashFlow, Evidence, Fill, Intent, OrderKind, OrderStatus, Purpose, Side, Transfer
from kangbot.model.position import RoundTrip

MARKET = MarketId("bybit:BTC-USDT:USDT")
CLIENT = ClientId("kbabcdefgh1")
TAG = "abcdefgh"
MINUTE_NS = 60_000_000_000
NOON_NS = 1_790_000_000_123_456_789  # 2026-09-21 14:13:20.123456789 UTC
AWKWARD = "a 'quoted' \"word\", a back\\slash, %s, ünïcode ✓ and\na line"


def noted(number: int, *, message: str = "a note", at_ns: int = NOON_NS) -> Noted:
    """A small event that can be told from its neighbours."""
    return Noted(kind="test.noted", severity=Severity.INFO, market=MARKET, message=f"{message} {number}", at_ns=at_ns)


def intended(client_id: ClientId = CLIENT) -> OrderIntended:
    """An entry with its stop."""
    intent = Intent(
        client_id=client_id,
        number=1,
        market=MARKET,
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity=Decimal("0.010"),
        price=Decimal("64000.5"),
        stop=Decimal("63000.25"),
        reference=Decimal(64001),
        reason=AWKWARD,
        at_ns=NOON_NS,
        deadline_ns=NOON_NS + MINUTE_NS,
    )
    return OrderIntended(intent=intent, at_ns=NOON_NS)


def changed(status: OrderStatus, *, filled: str = "0", client_id: ClientId = CLIENT) -> OrderChanged:
    """A step of that order."""
    return OrderChanged(
        market=MARKET,
        client_id=client_id,
        status=status,
        evidence=Evidence.STREAM,
        filled=Decimal(filled),
        average=Decimal("64000.123456789012345678"),
        venue_order_id=VenueOrderId("6f3a-1"),
        at_ns=NOON_NS + 1_000_000,
    )


def fill_applied(execution: str = "x-1", *, net: str = "0.010", entry: str | None = "64000.5") -> FillApplied:
    """An execution of that order."""
    fill = Fill(
        market=MARKET,
        execution_id=ExecutionId(execution),
        client_id=CLIENT,
        venue_order_id=VenueOrderId("6f3a-1"),
        side=Side.BUY,
        price=Decimal("64000.500000000000000001"),
        quantity=Decimal("0.010"),
        fee=Decimal("-0.000000000000000003"),
        fee_currency="USDT",
        maker=True,
        at_ns=NOON_NS + 2_000_000,
    )
    return FillApplied(fill=fill, net=Decimal(net), entry=None if entry is None else Decimal(entry), at_ns=NOON_NS)


def bar_stored(minute: int = 0) -> BarStored:
    """A closed minute."""
    open_ns = NOON_NS // MINUTE_NS * MINUTE_NS + minute * MINUTE_NS
    bar = Bar(
        market=MARKET,
        timeframe_s=60,
        open_ns=open_ns,
        open=Decimal("1.5"),
        high=Decimal("1.50000001"),
        low=Decimal("0.00000001"),
        close=Decimal("1.1"),
        volume=Decimal("12345678901234567.123"),
    )
    return BarStored(bar=bar, at_ns=open_ns + MINUTE_NS)


def round_trip() -> RoundTripClosed:
    """A closed trade whose averages are quotients of more digits than any column holds."""
    trip = RoundTrip(
        market=MARKET,
        side=Side.BUY,
        quantity=Decimal("0.03"),
        entry=Decimal(100) / Decimal(3),
        exit=Decimal(200) / Decimal(3),
        profit=Decimal("1.00"),
        fees=Decimal("0.25"),
        opened_ns=NOON_NS,
        closed_ns=NOON_NS + MINUTE_NS,
    )
    return RoundTripClosed(trip=trip, strategy="ema_cross", at_ns=NOON_NS + MINUTE_NS)


def cash_flow(execution: str = "f-1") -> CashFlowApplied:
    """Funding that was paid."""
    flow = CashFlow(
        market=MARKET,
        execution_id=ExecutionId(execution),
        kind="Funding",
        amount=Decimal("-0.12"),
        currency="USDT",
        at_ns=NOON_NS,
    )
    return CashFlowApplied(flow=flow, at_ns=NOON_NS)


def transferred(name: str = "transfer-1", amount: str = "-250.000000000000000001") -> Transferred:
    """Money that was taken out of the account, or brought into it."""
    transfer = Transfer(transfer_id=TransferId(name), amount=Decimal(amount), currency="USDT", at_ns=NOON_NS)
    return Transferred(venue="bybit", transfer=transfer, moved_ns=NOON_NS + 1, at_ns=NOON_NS + 2)


RESET = DrawdownReset(
    currency="USDT",
    highest=Decimal("10000.000000000000000009"),
    equity=Decimal("8750.5"),
    caller="ann",
    equity_ns=NOON_NS - 1_000_000_000,
    at_ns=NOON_NS,
)
EVERY: tuple[Event, ...] = (
    intended(),
    changed(OrderStatus.SENT),
    changed(OrderStatus.FILLED, filled="0.010"),
    fill_applied(),
    StopSet(market=MARKET, price=Decimal("63000.25"), at_ns=NOON_NS + 3_000_000),
    cash_flow(),
    round_trip(),
    RunStateChanged(market=MARKET, before=RunState.WARMING, after=RunState.LIVE, reason=AWKWARD, at_ns=NOON_NS),
    DesiredChanged(market=MARKET, desired=Desired.RUNNING, caller="the operator", at_ns=NOON_NS),
    bar_stored(),
    Noted(
        kind="feed.silent",
        severity=Severity.WARNING,
        market=None,
        message=AWKWARD,
        fields={"for_s": "12"},
        at_ns=NOON_NS,
    ),
    RequestsPaused(budget="bybit account", until_ns=NOON_NS + 600_000_000_000, at_ns=NOON_NS),
    EntriesPaused(market=MARKET, until_ns=NOON_NS + 300_000_000_000, cause=AWKWARD, at_ns=NOON_NS),
    EntriesPaused(market=MARKET, until_ns=0, cause="", caller="ann", at_ns=NOON_NS),
    EquityMarked(venue="bybit", currency="USDT", equity=Decimal("10000.000000000000000009"), at_ns=NOON_NS),
    transferred(),
    RESET,
)


def records(events: Sequence[Event], *, after: int = 0, journal: str = TAG) -> list[Record]:
    """Return the events as records of a journal, numbered from `after` + 1."""
    return [Record(journal=journal, sequence=number, event=event) for number, event in enumerate(events, after + 1)]
