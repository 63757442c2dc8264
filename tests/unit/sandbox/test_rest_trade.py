"""Orders over REST: what is asked for becomes the venue's order, or is refused; nothing is passed over."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.model.orders import OrderKind, OrderStatus, TimeInForce
from kangbot.sandbox.rest_account import switch_mode
from kangbot.sandbox.rest_trade import amend, cancel, cancel_all, create
from kangbot.sim.exchange.orders import Direction, SimOrder
from tests.support.sandbox_bench import SandboxBench

D = Decimal
MARKET = {"side": "Buy", "orderType": "Market", "qty": "0.01"}
LIMIT = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "90000"}


@pytest.fixture
def bench() -> SandboxBench:
    """An exchange whose prices are 96,000 or so."""
    return SandboxBench()


def made(bench: SandboxBench, **terms: Any) -> SimOrder:
    """Return the order that comes of it, as it stands now."""
    told = bench.ask(create, **terms)
    order = bench.venue.orders.get(told["orderId"])
    assert told == {"orderId": order.order_id, "orderLinkId": order.request.client_id}
    return order


def test_an_order_carries_all_that_was_asked_for(bench: SandboxBench) -> None:
    """Every term that the sandbox knows."""
    order = made(
        bench,
        **LIMIT,
        timeInForce="PostOnly",
        orderLinkId="kb1",
        stopLoss="80000",
        takeProfit="99000",
    )
    request = order.request
    assert (request.client_id, request.kind, request.quantity, request.price) == (
        "kb1",
        OrderKind.LIMIT,
        D("0.01"),
        D(90_000),
    )
    assert (request.time_in_force, request.stop, request.target, request.reduce_only) == (
        TimeInForce.POST_ONLY,
        D(80_000),
        D(99_000),
        False,
    )
    assert (order.status, order.created_ns) == (OrderStatus.ACKED, bench.now_ns)
    made(bench, **MARKET)
    assert made(bench, **{**MARKET, "side": "Sell"}, reduceOnly=True).request.reduce_only


def test_a_market_order_has_no_price_and_a_stop_of_nought_is_none(bench: SandboxBench) -> None:
    """Clients send both."""
    request = made(bench, **MARKET, price="1", stopLoss="0", takeProfit="").request
    assert (request.price, request.stop, request.target, request.client_id) == (None, None, None, "")


@pytest.mark.parametrize(
    "terms",
    [
        {**LIMIT, "price": None},
        {**LIMIT, "price": "0"},
        {**MARKET, "qty": None},
        {**MARKET, "qty": "1e30"},
        {**MARKET, "side": "Long"},
        {**MARKET, "side": None},
        {**MARKET, "orderType": "Stop"},
        {**LIMIT, "timeInForce": "FOK"},
        {**MARKET, "symbol": "NOPEUSDT"},
        {**MARKET, "category": "inverse"},
        {**MARKET, "positionIdx": 1},
        {**MARKET, "orderLinkId": "x" * 37},
        {**MARKET, "triggerPrice": "99000"},
        {**MARKET, "triggerPrice": "99000", "triggerDirection": 3},
        {**MARKET, "category": "spot", "triggerPrice": "99000"},
    ],
)
def test_what_the_sandbox_does_not_know_is_refused(bench: SandboxBench, terms: dict[str, Any]) -> None:
    """Never ignored; no order comes of it."""
    assert bench.refused(create, **terms)[0] == 10001
    assert len(bench.venue.orders) == 0


def test_a_client_id_of_36_characters_is_the_longest(bench: SandboxBench) -> None:
    """As at Bybit."""
    assert made(bench, **MARKET, orderLinkId="x" * 36).request.client_id == "x" * 36


def test_in_hedge_mode_no_order_is_taken(bench: SandboxBench) -> None:
    """Another market's is."""
    bench.ask(switch_mode, mode=3)
    assert bench.refused(create, **MARKET) == (10001, "position idx not match position mode")
    assert made(bench, **{**MARKET, "qty": "1"}, symbol="ETHUSDT").status is OrderStatus.FILLED


def test_the_venues_refusals_have_the_codes_of_the_category(bench: SandboxBench) -> None:
    """Of a contract or of a pair."""
    assert bench.refused(create, **{**MARKET, "side": "Sell"}, reduceOnly=True)[0] == 110017
    assert bench.refused(create, **{**LIMIT, "side": "Sell"}, category="spot")[0] == 170131


def test_a_pair_is_bought_for_an_amount_of_money(bench: SandboxBench) -> None:
    """Unless it is said otherwise; what is sold is coins, and a limit order is for coins too."""
    bought = made(bench, **{**MARKET, "qty": "1000"}, category="spot")
    best = bench.exchange.desk("spot", "BTCUSDT").book.quote.ask
    assert bought.quantity == D(1000) / best // D("0.001") * D("0.001") > 0
    coins = made(bench, **MARKET, category="spot", marketUnit="baseCoin")
    sold = made(bench, **{**MARKET, "side": "Sell"}, category="spot")
    rests = made(bench, **LIMIT, category="spot")
    assert [order.quantity for order in (coins, sold, rests)] == [D("0.01")] * 3


def test_a_conditional_contract_says_which_way_and_a_pair_takes_it_from_the_price(bench: SandboxBench) -> None:
    """Of a pair's the one is served that keeps nothing back."""
    rise = made(bench, **MARKET, triggerPrice="99000", triggerDirection=1)
    fall = made(bench, **MARKET, triggerPrice="90000", triggerDirection="2")
    assert [order.request.direction for order in (rise, fall)] == [Direction.RISE, Direction.FALL]
    pair = {**LIMIT, "category": "spot", "orderFilter": "StopOrder"}
    below, above = (made(bench, **pair, triggerPrice=trigger) for trigger in ("90000", "99000"))
    assert [order.request.direction for order in (below, above)] == [Direction.FALL, Direction.RISE]
    assert all(order.untriggered for order in (rise, fall, below, above))


def test_an_order_is_amended_and_what_is_left_out_stays(bench: SandboxBench) -> None:
    """By either id; no change has a code of its own here."""
    order = made(bench, **LIMIT, orderLinkId="kb1")
    bench.ask(amend, orderLinkId="kb1", qty="0.02")
    bench.ask(amend, orderId=order.order_id, price="90001")
    now = bench.venue.orders.get(order.order_id)
    assert (now.quantity, now.price) == (D("0.02"), D(90_001))
    assert bench.refused(amend, orderLinkId="kb1", qty="0.02") == (10001, "order not modified")
    waits = made(bench, **MARKET, triggerPrice="99000", triggerDirection=1)
    bench.ask(amend, orderId=waits.order_id, triggerPrice="99001")
    assert bench.venue.orders.get(waits.order_id).trigger == 99_001


@pytest.mark.parametrize("answer", [amend, cancel])
def test_an_order_of_another_market_is_not_found(bench: SandboxBench, answer: Any) -> None:
    """Nor is one that nobody knows; without an id nothing is asked for."""
    order = made(bench, **LIMIT, orderLinkId="kb1")
    change = {"qty": "0.02"} if answer is amend else {}
    for named in ({"orderLinkId": "kb1"}, {"orderId": order.order_id}):
        assert bench.refused(answer, symbol="ETHUSDT", **named, **change)[0] == 110001
        assert bench.refused(answer, category="spot", **named, **change)[0] == 170213
    assert bench.refused(answer, orderLinkId="kb9", **change)[0] == 110001
    assert bench.refused(answer, **change)[0] == 10001
    assert bench.venue.orders.get(order.order_id) == order


def test_a_pairs_order_is_cancelled_as_what_it_is(bench: SandboxBench) -> None:
    """One that waits for a price by its filter alone; a contract's needs none."""
    plain = made(bench, **LIMIT, category="spot")
    waits = made(bench, **LIMIT, category="spot", orderFilter="StopOrder", triggerPrice="90000")
    ask = {"category": "spot"}
    assert bench.refused(cancel, **ask, orderId=waits.order_id)[0] == 170213
    assert bench.refused(cancel, **ask, orderId=plain.order_id, orderFilter="StopOrder")[0] == 170213
    bench.ask(cancel, **ask, orderId=waits.order_id, orderFilter="StopOrder")
    bench.ask(cancel, **ask, orderId=plain.order_id)
    contract = made(bench, **MARKET, triggerPrice="99000", triggerDirection=1)
    bench.ask(cancel, orderId=contract.order_id)
    assert bench.venue.orders.open() == []


def test_all_orders_of_a_market_or_of_a_coin_are_cancelled(bench: SandboxBench) -> None:
    """Those of another stay, and which of a contract's must be said."""
    made(bench, **MARKET, stopLoss="80000")
    rests, pair = made(bench, **LIMIT), made(bench, **LIMIT, category="spot")
    other = made(bench, **{**LIMIT, "price": "3000", "qty": "1"}, symbol="ETHUSDT")
    assert bench.refused(cancel_all, symbol=None)[0] == 10001
    told = bench.ask(cancel_all)
    assert rests.order_id in [row["orderId"] for row in told["list"]]
    assert (len(told["list"]), told["success"]) == (2, "1")  # the position's stop too
    assert {order.order_id for order in bench.venue.orders.open()} == {other.order_id, pair.order_id}
    assert [row["orderId"] for row in bench.ask(cancel_all, category="spot", symbol=None)["list"]] == [pair.order_id]
    assert len(bench.ask(cancel_all, symbol=None, settleCoin="USDT")["list"]) == 1


def test_of_all_orders_those_are_cancelled_that_were_chosen(bench: SandboxBench) -> None:
    """By their kind: what waits for a price stays where it was not asked for."""
    made(bench, **LIMIT)
    waits = made(bench, **MARKET, triggerPrice="99000", triggerDirection=1)
    assert len(bench.ask(cancel_all, orderFilter="Order")["list"]) == 1
    assert [order.order_id for order in bench.venue.orders.open()] == [waits.order_id]
