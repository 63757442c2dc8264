"""Orders and executions on the wire: what tells one from another, and numbers as the venue writes them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Side, TimeInForce
from kangbot.sandbox.rows_order import (
    Row,
    event_row,
    exec_type,
    execution_row,
    number,
    order_row,
    order_status,
    short,
    stop_type,
)
from kangbot.sim.exchange.events import Executed, Funded
from kangbot.sim.exchange.orders import Cause, Direction, OrderRequest, Origin, SimOrder
from tests.support.sandbox_bench import START_NS, SandboxBench

D = Decimal


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange whose market stands at 96,000 or so."""
    return SandboxBench()


def submit(bench: SandboxBench, side: Side, quantity: str, *, category: str = "linear", **terms: Any) -> SimOrder:
    """Have an order taken, a millisecond later: at the market without a price."""
    bench.now_ns += 1_000_000
    kind = OrderKind.LIMIT if "price" in terms else OrderKind.MARKET
    market = bench.exchange.desk(category, "BTCUSDT").spec.market
    request = OrderRequest(market=market, side=side, kind=kind, quantity=D(quantity), **terms)
    return bench.venue.submit(request, bench.now_ns)


def shown(bench: SandboxBench, order: SimOrder, *names: str) -> list[Any]:
    """Return these of the order's row as it stands now."""
    row: Row = order_row(bench.exchange, bench.venue.orders.get(order.order_id))
    return [row[name] for name in names]


@pytest.mark.parametrize(
    ("value", "plain", "shortest"),
    [("1E+3", "1000", "1000"), ("0.10", "0.10", "0.1"), ("100", "100", "100"), ("0E-8", "0.00000000", "0")],
)
def test_numbers_are_plain(value: str, plain: str, shortest: str) -> None:
    """Never in exponents; what is whole keeps its noughts."""
    assert (number(D(value)), short(D(value))) == (plain, shortest)
    assert (number(None), number(None, "0")) == ("", "0")


def test_a_resting_order_is_new_and_then_filled(bench: SandboxBench) -> None:
    """With what is left of it, its average, and its fee."""
    order = submit(bench, Side.BUY, "0.010", price=D(90_000), client_id="kb1")
    names = ("orderStatus", "price", "qty", "leavesQty", "leavesValue", "cumExecQty", "avgPrice", "orderType")
    assert shown(bench, order, *names) == ["New", "90000", "0.01", "0.01", "900", "0", "", "Limit"]
    assert shown(bench, order, "orderLinkId", "symbol", "category", "timeInForce") == [
        "kb1",
        "BTCUSDT",
        "linear",
        "GTC",
    ]
    assert shown(bench, order, "createdTime", "stopOrderType", "triggerPrice") == [
        str(START_NS // 1_000_000 + 1),
        "",
        "",
    ]
    filled = submit(bench, Side.BUY, "0.01")
    status, average, fees, kind, in_force = shown(
        bench, filled, "orderStatus", "avgPrice", "cumFeeDetail", "orderType", "timeInForce"
    )
    assert (status, kind, in_force) == ("Filled", "Market", "IOC")
    assert fees == {"USDT": short(D(average) * D("0.01") * D("0.00055"))}


def test_why_an_order_ended_is_told_in_the_venues_words(bench: SandboxBench) -> None:
    """By whom it was cancelled, and what it was rejected for."""
    names = ("orderStatus", "cancelType", "rejectReason")
    order = submit(bench, Side.BUY, "0.01", price=D(90_000))
    bench.venue.cancel(bench.now_ns, order_id=order.order_id)
    assert shown(bench, order, *names) == ["Cancelled", "CancelByUser", "EC_PerCancelRequest"]
    through = submit(bench, Side.BUY, "0.01", price=D(99_000), time_in_force=TimeInForce.POST_ONLY)
    assert shown(bench, through, *names) == ["Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity"]
    away = submit(bench, Side.BUY, "0.01", price=D(90_000), time_in_force=TimeInForce.IOC)
    assert shown(bench, away, *names) == ["Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill"]


@pytest.mark.parametrize(
    ("changes", "linear", "spot"),
    [
        ({"untriggered": True}, "Untriggered", "Untriggered"),
        ({"untriggered": True, "status": OrderStatus.CANCELED}, "Deactivated", "Deactivated"),
        ({"status": OrderStatus.REJECTED, "cause": Cause.POST_ONLY}, "Cancelled", "Rejected"),
        ({"status": OrderStatus.REJECTED, "cause": Cause.BALANCE}, "Rejected", "Rejected"),
        ({"status": OrderStatus.EXPIRED, "filled": D(1)}, "Cancelled", "PartiallyFilledCanceled"),
        ({"status": OrderStatus.CANCELED, "filled": D(1)}, "Cancelled", "PartiallyFilledCanceled"),
        ({"status": OrderStatus.CANCELED}, "Cancelled", "Cancelled"),
        ({"status": OrderStatus.PARTIAL, "filled": D(1)}, "PartiallyFilled", "PartiallyFilled"),
        ({"status": OrderStatus.FILLED, "filled": D(1)}, "Filled", "Filled"),
    ],
)
def test_a_status_has_its_word_in_each_category(
    bench: SandboxBench, changes: dict[str, Any], linear: str, spot: str
) -> None:
    """They differ in what they call an order that came to nothing, or to a part."""
    order = msgspec.structs.replace(submit(bench, Side.BUY, "0.01", price=D(90_000)), **changes)
    assert [order_status(order, category) for category in ("linear", "spot")] == [linear, spot]


def test_stops_are_told_from_each_other(bench: SandboxBench) -> None:
    """The position's own, and an order that waits for its price."""
    entry = submit(bench, Side.BUY, "0.01", stop=D(90_000), target=D(99_000))
    waits = submit(bench, Side.SELL, "0.01", trigger=D(91_000), direction=Direction.FALL)
    stop, target = (order for order in bench.venue.orders.open() if order.protective)
    assert [stop_type(order) for order in (entry, stop, target, waits)] == ["", "StopLoss", "TakeProfit", "Stop"]
    names = ("createType", "reduceOnly", "closeOnTrigger", "tpslMode", "triggerDirection", "triggerBy", "triggerPrice")
    assert shown(bench, stop, *names) == ["CreateByStopLoss", True, True, "Full", 2, "LastPrice", "90000"]
    assert shown(bench, target, *names) == ["CreateByTakeProfit", True, True, "Full", 1, "LastPrice", "99000"]
    assert shown(bench, waits, *names) == ["CreateByUser", False, False, "", 2, "LastPrice", "91000"]
    names = ("stopLoss", "slTriggerBy", "takeProfit", "tpTriggerBy", "tpslMode", "triggerBy", "triggerDirection")
    assert shown(bench, entry, *names) == ["90000", "LastPrice", "99000", "LastPrice", "Full", "", 0]


def executed(bench: SandboxBench) -> Executed:
    """Return the newest fill."""
    event = bench.venue.executions[-1]
    assert isinstance(event, Executed)
    return event


def test_a_fill_tells_what_it_closed_and_what_it_cost(bench: SandboxBench) -> None:
    """Of the order as it was meant, and of the position before it."""
    submit(bench, Side.BUY, "0.02")
    submit(bench, Side.SELL, "0.01", client_id="kb2")
    event = executed(bench)
    row = execution_row(bench.exchange, event)
    assert (row["orderLinkId"], row["side"], row["execQty"], row["closedSize"]) == ("kb2", "Sell", "0.01", "0.01")
    assert (row["leavesQty"], row["orderQty"], row["orderPrice"], row["isMaker"]) == ("0", "0.01", "0", False)
    assert D(row["execValue"]) == D(row["execPrice"]) * D("0.01")
    assert D(row["execFee"]) == D(row["execValue"]) * D(row["feeRate"])
    assert D(row["execPnl"]) == event.profit != 0
    assert (row["execType"], row["stopOrderType"], row["createType"]) == ("Trade", "UNKNOWN", "CreateByUser")
    assert (row["orderId"], row["execTime"]) == (event.order_id, str(bench.now_ns // 1_000_000))


def test_a_fill_tells_what_is_left_of_its_order(bench: SandboxBench) -> None:
    """After it, not in the end."""
    quoted = bench.exchange.desk("linear", "BTCUSDT").book.quote.bid_quantity
    order = submit(bench, Side.SELL, str(quoted + D("0.001")))
    rows = [execution_row(bench.exchange, event) for event in bench.venue.executions if isinstance(event, Executed)]
    assert [row["leavesQty"] for row in rows] == ["0.001", "0"]
    assert {row["orderQty"] for row in rows} == {short(order.quantity)}


@pytest.mark.parametrize(
    ("cause", "word"),
    [(FillCause.TRADE, "Trade"), (FillCause.STOP, "Trade"), (FillCause.LIQUIDATION, "BustTrade")],
)
def test_a_liquidation_is_told_from_a_trade(bench: SandboxBench, cause: FillCause, word: str) -> None:
    """A stop's fill is a trade."""
    submit(bench, Side.BUY, "0.02")
    event = executed(bench)
    told = msgspec.structs.replace(event, fill=msgspec.structs.replace(event.fill, cause=cause))
    assert exec_type(told) == word


@pytest.mark.parametrize(("side", "sign"), [(Side.BUY, 1), (Side.SELL, -1)])
def test_a_payment_is_a_row_without_a_trade(bench: SandboxBench, side: Side, sign: int) -> None:
    """What is paid is positive there, as a fee is: the long pays, and the short is paid."""
    submit(bench, side, "0.02")
    market = bench.exchange.desk("linear", "BTCUSDT").spec.market
    bench.venue.fund(market, D(96_000), bench.now_ns)
    event = bench.venue.executions[-1]
    assert isinstance(event, Funded)
    row = event_row(bench.exchange, event)
    assert (row["execType"], row["side"], row["execQty"]) == ("Funding", side.value.capitalize(), "0.02")
    assert D(row["execFee"]) == sign * D("0.192")
    assert (row["execValue"], row["closedSize"], row["orderQty"]) == ("1920", "0", "0")
    assert row["execId"] == row["orderId"] == event.flow.execution_id


def test_origins_all_have_their_word(bench: SandboxBench) -> None:
    """One without would fail in the middle of a liquidation."""
    order = submit(bench, Side.BUY, "0.01", price=D(90_000))
    words = [
        order_row(bench.exchange, msgspec.structs.replace(order, origin=origin))["createType"] for origin in Origin
    ]
    assert words == ["CreateByUser", "CreateByStopLoss", "CreateByTakeProfit", "CreateByLiq"]
