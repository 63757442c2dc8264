"""What the protections remember is a function of the journal's events."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kangbot.model.events import CashFlowApplied, Event, FillApplied, OrderIntended, RoundTripClosed
from kangbot.model.ids import ClientId, ExecutionId, MarketId, VenueOrderId
from kangbot.model.orders import CashFlow, Fill, FillCause, Intent, OrderKind, Purpose, Side
from kangbot.model.position import RoundTrip
from kangbot.risk.limits import HOUR_NS
from kangbot.risk.record import DAY_NS, TrackRecord

D = Decimal
BTC, ETH = MarketId("bybit:BTC-USDT:USDT"), MarketId("bybit:ETH-USDT:USDT")


def intended(number: int, at_ns: int, purpose: Purpose = Purpose.ENTRY) -> OrderIntended:
    """An order of BTC that left."""
    intent = Intent(
        client_id=ClientId(f"kb{number}"),
        number=number,
        market=BTC,
        purpose=purpose,
        side=Side.BUY,
        kind=OrderKind.MARKET,
        quantity=D(1),
        reference=D(100),
        reason="because",
        at_ns=at_ns,
        deadline_ns=at_ns,
    )
    return OrderIntended(intent=intent, at_ns=at_ns)


def closed(profit: str, at_ns: int, market: MarketId = BTC, fees: str = "0") -> RoundTripClosed:
    """A round trip that came back to flat."""
    trip = RoundTrip(
        market=market,
        side=Side.BUY,
        quantity=D(1),
        entry=D(100),
        exit=D(100),
        profit=D(profit),
        fees=D(fees),
        opened_ns=0,
        closed_ns=at_ns,
    )
    return RoundTripClosed(trip=trip, strategy="ema_cross", at_ns=at_ns)


def filled(cause: FillCause, at_ns: int) -> FillApplied:
    """A fill of BTC."""
    fill = Fill(
        market=BTC,
        execution_id=ExecutionId("e"),
        client_id=None,
        venue_order_id=VenueOrderId("v"),
        side=Side.SELL,
        price=D(100),
        quantity=D(1),
        fee_currency="USDT",
        cause=cause,
        at_ns=at_ns,
    )
    return FillApplied(fill=fill, net=D(0), at_ns=at_ns)


def funding(amount: str, at_ns: int) -> CashFlowApplied:
    """Funding, paid where negative."""
    flow = CashFlow(
        market=BTC, execution_id=ExecutionId("f"), kind="Funding", amount=D(amount), currency="USDT", at_ns=at_ns
    )
    return CashFlowApplied(flow=flow, at_ns=at_ns)


def after(*events: Event) -> TrackRecord:
    """Return the memory of these events."""
    record = TrackRecord()
    for event in events:
        record.observe(event)
    return record


def test_entries_are_counted_for_an_hour_and_once_each() -> None:
    """An exit is none; an entry that was admitted and is then observed is one."""
    record = after(intended(1, 0), intended(2, 10), intended(3, 20, Purpose.EXIT))
    record.entered(BTC, ClientId("kb2"), 11)
    assert record.entries_last_hour(BTC, HOUR_NS - 1) == 2
    assert record.entries_last_hour(BTC, HOUR_NS) == 1
    assert record.entries_last_hour(ETH, 0) == 0
    record.observe(intended(4, 2 * HOUR_NS))
    assert list(record.market(BTC, 2 * HOUR_NS).entries) == ["kb4"]  # memory is bounded by the hour
    record.entered(BTC, ClientId("kb4"), 3 * HOUR_NS)
    assert not record.market(BTC, 3 * HOUR_NS).entries  # an old entry met again is no new one


def test_losses_in_a_row_are_of_one_market_and_end_with_a_gain() -> None:
    """Fees make a loss of a trip that earned less than them."""
    record = after(closed("-1", 1), closed("1", 2, fees="2"), closed("-1", 3, market=ETH))
    assert (record.market(BTC, 3).losses_in_row, record.market(BTC, 3).last_loss_ns) == (2, 2)
    assert record.market(ETH, 3).losses_in_row == 1
    record.observe(closed("0", 4))  # nothing lost is no loss
    assert (record.market(BTC, 4).losses_in_row, record.market(BTC, 4).last_loss_ns) == (0, 2)


@pytest.mark.parametrize(
    ("cause", "counts"),
    [
        (FillCause.STOP, True),
        (FillCause.LIQUIDATION, True),
        (FillCause.TRADE, False),
        (FillCause.DELEVERAGING, False),
    ],
)
def test_a_stop_and_a_liquidation_are_remembered(cause: FillCause, counts: bool) -> None:
    """Other fills are not."""
    assert after(filled(cause, 7)).market(BTC, 7).last_stop_ns == (7 if counts else None)


def test_the_day_s_profit_is_realised_trips_and_funding() -> None:
    """From 00:00 UTC on; what is told late of yesterday does not count today."""
    midnight = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
    record = after(closed("-5", midnight - DAY_NS, fees="1"), funding("-2", midnight - 1))
    assert record.realised(midnight - 1) == -8
    assert record.realised(midnight) == 0
    record.observe(closed("3", midnight + 1))
    record.observe(closed("-100", midnight - 1))
    assert record.realised(midnight + 2) == 3


def test_what_is_stamped_in_the_future_is_of_now() -> None:
    """The wall clock was set back between two lives: no pause grows by it, and no loss of the day is forgotten."""
    record = after(
        intended(1, 5 * DAY_NS), closed("-3", 5 * DAY_NS), filled(FillCause.STOP, 5 * DAY_NS), intended(2, 5 * DAY_NS)
    )
    assert record.entries_last_hour(BTC, DAY_NS) == 2
    seen = record.market(BTC, DAY_NS + 1)
    assert (seen.last_loss_ns, seen.last_stop_ns) == (DAY_NS, DAY_NS)
    assert record.entries_last_hour(BTC, DAY_NS + HOUR_NS) == 0
    assert record.realised(DAY_NS) == -3
    record.observe(closed("-1", DAY_NS + 2))
    assert record.realised(DAY_NS + 3) == -4
    assert record.realised(2 * DAY_NS) == 0


def test_an_entry_of_a_clock_that_ran_ahead_counts_for_an_hour_from_now() -> None:
    """What was entered before the clock ran ahead keeps its own time."""
    minute_ns = HOUR_NS // 60
    record = after(intended(1, 0), intended(2, 50 * minute_ns))
    assert record.entries_last_hour(BTC, 10 * minute_ns) == 2
    assert record.entries_last_hour(BTC, 60 * minute_ns) == 1
    assert record.entries_last_hour(BTC, 70 * minute_ns) == 0
