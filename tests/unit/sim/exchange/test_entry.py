"""What the venue takes, changes and refuses."""

from decimal import Decimal

import pytest

from kangbot.model.ids import MarketId
from kangbot.model.money import floor_to
from kangbot.model.orders import OrderKind, OrderStatus, Side
from kangbot.model.position import Position
from kangbot.sim.exchange.events import Executed, OrderChanged
from kangbot.sim.exchange.orders import Cause, Direction, OrderRequest, Origin
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from tests.support.sim_bench import Bench

D = Decimal


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("0.0015", None, Reason.QUANTITY_INVALID),
        ("0", None, Reason.QUANTITY_INVALID),
        ("100", None, Reason.QUANTITY_LARGE),
        ("0.001", None, Reason.NOTIONAL_SMALL),
        ("0.1", "1000.05", Reason.PRICE_INVALID),
        ("0.1", "-1", Reason.PRICE_INVALID),
    ],
)
def test_the_markets_filters_are_enforced(bench: Bench, quantity: str, price: str | None, reason: Reason) -> None:
    """Quantities and prices beside the rules change nothing."""
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, quantity, price)
    assert refusal.value.reason is reason
    assert list(bench.venue.orders) == []


def test_a_market_that_is_not_listed_is_refused(bench: Bench) -> None:
    """Nothing is guessed."""
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, "1", market=MarketId("bybit:NOPE-USDT:USDT"))
    assert refusal.value.reason is Reason.UNKNOWN_MARKET


def test_a_client_id_is_unique_for_ever(bench: Bench) -> None:
    """Even after its order has ended; the attempt is counted, and no second order exists."""
    bench.submit(Side.BUY, "0.1", client_id="kb1")
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, "0.1", client_id="kb1")
    assert refusal.value.reason is Reason.DUPLICATE_ID
    assert bench.venue.orders.duplicates_refused == 1
    assert len(bench.venue.orders) == 1


def test_a_refused_order_does_not_use_up_its_client_id(bench: Bench) -> None:
    """What was never accepted may be sent again."""
    with pytest.raises(RequestRefused):
        bench.submit(Side.BUY, "100", client_id="kb1")
    assert bench.submit(Side.BUY, "0.1", client_id="kb1").status is OrderStatus.FILLED


def test_an_order_beyond_the_balance_is_refused(bench: Bench) -> None:
    """10,000 USDT at leverage 10 carry no 110,000."""
    bench.quote(bench.btc, "20000", quantity="9")
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, "5.5")
    assert refusal.value.reason is Reason.BALANCE
    assert bench.submit(Side.BUY, "4").status is OrderStatus.FILLED


def test_resting_orders_reserve_margin_and_free_it_when_cancelled(bench: Bench) -> None:
    """Two orders cannot use the same money."""
    first = bench.submit(Side.BUY, "9", "900")
    free = bench.venue.balance(bench.now_ns).available
    assert free == D(10_000) - D(9) * 900 / 10
    bench.venue.cancel(bench.now_ns, order_id=first.order_id)
    assert bench.venue.balance(bench.now_ns).available == D(10_000)


def test_closing_needs_no_margin(bench: Bench) -> None:
    """An account that is fully invested can still get out."""
    bench.quote(bench.btc, "10000", quantity="10")
    bench.submit(Side.BUY, "9.9")
    assert bench.venue.balance(bench.now_ns).available < 100
    assert bench.submit(Side.SELL, "9.9").status is OrderStatus.FILLED
    assert bench.net() == 0


def test_cancel_ends_an_open_order_and_refuses_any_other(bench: Bench) -> None:
    """By order id or client id; a filled one is too late."""
    bench.submit(Side.BUY, "0.1", "990", client_id="kb1")
    ended = bench.venue.cancel(bench.now_ns, client_id="kb1")
    assert (ended.status, ended.cause) == (OrderStatus.CANCELED, Cause.USER)
    filled = bench.submit(Side.BUY, "0.1")
    for ids in ({"client_id": "kb1"}, {"order_id": filled.order_id}, {"order_id": "unknown"}):
        with pytest.raises(RequestRefused) as refusal:
            bench.venue.cancel(bench.now_ns, **ids)
        assert refusal.value.reason is Reason.UNKNOWN_ORDER


def test_amend_changes_price_and_quantity_and_may_take(bench: Bench) -> None:
    """An order that is moved across the book takes at once."""
    order = bench.submit(Side.BUY, "0.1", "990")
    moved = bench.venue.amend(bench.now_ns, order_id=order.order_id, price=D(995), quantity=D("0.2"))
    assert (moved.price, moved.quantity, moved.status) == (D(995), D("0.2"), OrderStatus.ACKED)
    taken = bench.venue.amend(bench.now_ns, order_id=order.order_id, price=D(1001))
    assert (taken.status, taken.average) == (OrderStatus.FILLED, D("1000.10"))


def test_amend_refuses_what_is_no_change_or_below_what_is_filled(bench: Bench) -> None:
    """Both leave the order as it was."""
    order = bench.submit(Side.BUY, "0.2", "990")
    bench.quote(bench.btc, "989.90", quantity="0.1")
    bench.quote(bench.btc, "1000")
    kept = bench.now(order)
    for quantity, price, reason in (
        (None, D(990), Reason.NOT_MODIFIED),
        (D("0.1"), None, Reason.AMEND_FILLED),
        (None, D("990.05"), Reason.PRICE_INVALID),
        (D("10.4"), D(99_000), Reason.BALANCE),
    ):
        with pytest.raises(RequestRefused) as refusal:
            bench.venue.amend(bench.now_ns, order_id=order.order_id, quantity=quantity, price=price)
        assert refusal.value.reason is reason
        assert bench.now(order) == kept


def test_a_conditional_order_waits_for_its_trigger_and_then_meets_the_book(bench: Bench) -> None:
    """A stop entry above the market."""
    order = bench.submit(Side.BUY, "0.1", trigger=D(1010), direction=Direction.RISE)
    assert order.untriggered
    bench.quote(bench.btc, "1005", trades=[(Side.BUY, "1005.10", "1")])
    assert bench.now(order).untriggered
    bench.quote(bench.btc, "1010", trades=[(Side.BUY, "1010.10", "1")])
    assert bench.now(order).status is OrderStatus.FILLED
    assert bench.now(order).average == D("1010.10")


def test_a_trigger_that_has_been_passed_already_is_refused(bench: Bench) -> None:
    """Bybit says the same: 110092 and 110093."""
    for side, trigger, direction in ((Side.BUY, D(990), Direction.RISE), (Side.SELL, D(1010), Direction.FALL)):
        with pytest.raises(RequestRefused) as refusal:
            bench.submit(side, "0.1", trigger=trigger, direction=direction)
        assert refusal.value.reason is Reason.TRIGGER_PASSED


def test_a_triggered_order_without_the_margin_is_rejected(bench: Bench) -> None:
    """Margin is checked when it becomes active, not before."""
    order = bench.submit(Side.BUY, "10", trigger=D(11_000), direction=Direction.RISE)
    bench.quote(bench.btc, "11000", trades=[(Side.BUY, "11000.10", "1")])
    assert (bench.now(order).status, bench.now(order).cause) == (OrderStatus.REJECTED, Cause.BALANCE)


def test_a_waiting_order_can_be_amended_and_cancelled(bench: Bench) -> None:
    """Its trigger moves, and nothing trades."""
    order = bench.submit(Side.SELL, "0.1", trigger=D(990), direction=Direction.FALL)
    moved = bench.venue.amend(bench.now_ns, order_id=order.order_id, trigger=D(980))
    assert (moved.trigger, moved.untriggered) == (D(980), True)
    bench.quote(bench.btc, "985", trades=[(Side.SELL, "985", "1")])
    assert bench.now(order).untriggered
    assert bench.venue.cancel(bench.now_ns, order_id=order.order_id).status is OrderStatus.CANCELED


def test_a_market_without_a_price_takes_no_order() -> None:
    """A paper venue that has not heard its feed yet says so."""
    bench = Bench(quoted=False)
    request = OrderRequest(market=bench.btc, side=Side.BUY, kind=OrderKind.MARKET, quantity=D("0.1"))
    with pytest.raises(RequestRefused) as refusal:
        bench.venue.submit(request, bench.now_ns)
    assert refusal.value.reason is Reason.NOT_QUOTED


def test_what_we_count_of_a_spot_market_can_be_sold(bench: Bench) -> None:
    """The venue takes its fee in coins, and so does the position: an exit of all of it finds its coins there."""
    bench.submit(Side.BUY, "1", market=bench.spot)
    position = Position(market=bench.spot)
    for told in bench.told(Executed):
        position, _ = position.apply(told.fill)
    assert position.net == bench.venue.account.coins["BTC"] < 1
    step = bench.venue.desks[bench.spot].spec.instrument.step
    sold = bench.submit(Side.SELL, str(floor_to(position.net, step)), market=bench.spot)
    assert sold.status is OrderStatus.FILLED


def test_spot_orders_exchange_coins_and_know_no_position(bench: Bench) -> None:
    """Buying pays USDT for BTC with the fee in BTC; selling more than there is is refused."""
    bench.submit(Side.BUY, "1", market=bench.spot)
    coins = bench.venue.account.coins
    assert coins["BTC"] == D(1) - D(1) * bench.venue.spec.spot_fee
    assert coins["USDT"] == D(10_000) - D("1000.10") * D(1)
    assert bench.net(bench.spot) == 0
    with pytest.raises(RequestRefused) as more:
        bench.submit(Side.SELL, "1", market=bench.spot)
    assert more.value.reason is Reason.BALANCE
    with pytest.raises(RequestRefused) as reduce:
        bench.submit(Side.SELL, "0.5", market=bench.spot, reduce_only=True)
    assert reduce.value.reason is Reason.NOT_SUPPORTED
    bench.submit(Side.SELL, "0.5", market=bench.spot)
    assert coins["BTC"] == D("0.499")


def test_leverage_is_checked_and_a_repetition_is_no_change(bench: Bench) -> None:
    """Out of range and unchanged are refusals of their own."""
    bench.venue.set_leverage(bench.btc, D(5), bench.now_ns)
    assert bench.venue.account.leverage(bench.btc) == 5
    for leverage, reason in ((D(5), Reason.NOT_MODIFIED), (D(51), Reason.LEVERAGE), (D(0), Reason.LEVERAGE)):
        with pytest.raises(RequestRefused) as refusal:
            bench.venue.set_leverage(bench.btc, leverage, bench.now_ns)
        assert refusal.value.reason is reason
    with pytest.raises(RequestRefused) as spot:
        bench.venue.set_leverage(bench.spot, D(5), bench.now_ns)
    assert spot.value.reason is Reason.NOT_SUPPORTED


def test_a_stop_that_triggers_in_the_frame_of_another_order_covers_what_that_one_added(bench: Bench) -> None:
    """The order that came first bought more: the stop follows, and closes all of it."""
    bench.submit(Side.BUY, "0.1", trigger=D(995), direction=Direction.FALL)
    bench.submit(Side.BUY, "0.2", stop=D(990))
    bench.quote(bench.btc, "989", trades=[(Side.SELL, "989", "1")])
    assert [told.fill.quantity for told in bench.told(Executed)] == [D("0.2"), D("0.1"), D("0.3")]
    assert bench.net() == 0


def test_an_order_that_ended_in_the_frame_that_triggers_it_stays_ended(bench: Bench) -> None:
    """The stop closes the position, and the target that the same frame has reached is told once: as cancelled."""
    bench.submit(Side.BUY, "0.1")
    bench.venue.set_stops(bench.btc, D(990), D(1050), bench.now_ns)
    bench.venue.drain()
    bench.quote(bench.btc, "989", trades=[(Side.BUY, "1050", "1"), (Side.SELL, "989", "1")])
    told = [(event.order.origin, event.order.status) for event in bench.told(OrderChanged)]
    assert told[-2:] == [(Origin.STOP_LOSS, OrderStatus.FILLED), (Origin.TAKE_PROFIT, OrderStatus.CANCELED)]
    assert len([one for one in told if one[0] is Origin.TAKE_PROFIT]) == 1


def test_a_trigger_is_reached_by_the_highest_and_the_lowest_price_of_a_frame(bench: Bench) -> None:
    """A spike that is over by the end of it has traded all the same: stops of either side are triggered by it."""
    rises = bench.submit(Side.BUY, "0.1", trigger=D(1010), direction=Direction.RISE)
    falls = bench.submit(Side.SELL, "0.2", trigger=D(990), direction=Direction.FALL)
    bench.quote(bench.btc, "1000", trades=[(Side.BUY, "1010", "1"), (Side.BUY, "1000.10", "1")])
    assert (bench.now(rises).status, bench.now(falls).untriggered) == (OrderStatus.FILLED, True)
    bench.quote(bench.btc, "1000", trades=[(Side.SELL, "990", "1"), (Side.SELL, "1000", "1")])
    assert bench.now(falls).status is OrderStatus.FILLED


def test_a_stop_is_judged_by_the_price_that_its_order_will_have(bench: Bench) -> None:
    """The limit, or the trigger: wherever the market is before."""
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, "0.1", "900", stop=D(950))
    assert refusal.value.reason is Reason.STOP_SIDE
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.SELL, "0.1", stop=D(1050), trigger=D(1100), direction=Direction.RISE)
    assert refusal.value.reason is Reason.STOP_SIDE
    assert bench.submit(Side.BUY, "0.1", stop=D(1050), trigger=D(1100), direction=Direction.RISE).untriggered


def test_an_amendment_gives_no_order_what_its_kind_does_not_have(bench: Bench) -> None:
    """A market order no limit, and one that is active no trigger."""
    waits = bench.submit(Side.BUY, "0.1", trigger=D(1010), direction=Direction.RISE)
    rests = bench.submit(Side.BUY, "0.1", "900")
    for order, price, trigger in ((waits, D(1200), None), (rests, None, D(950))):
        with pytest.raises(RequestRefused) as refusal:
            bench.venue.amend(bench.now_ns, order_id=order.order_id, price=price, trigger=trigger)
        assert refusal.value.reason is Reason.NOT_MODIFIED


def test_an_amended_order_needs_the_margin_of_what_it_becomes_and_no_more() -> None:
    """What it kept back itself is free for it; what it was filled for is in the position."""
    bench = Bench(balance=D(200))
    order = bench.submit(Side.BUY, "1.5", "900")
    assert bench.venue.amend(bench.now_ns, order_id=order.order_id, quantity=D("1.6")).quantity == D("1.6")
    with pytest.raises(RequestRefused) as refusal:
        bench.venue.amend(bench.now_ns, order_id=order.order_id, quantity=D(3))
    assert refusal.value.reason is Reason.BALANCE
    bench = Bench(balance=D(170))
    order = bench.submit(Side.BUY, "1.5", "1000.1")
    assert order.filled == 1
    assert bench.venue.amend(bench.now_ns, order_id=order.order_id, quantity=D("1.6")).left == D("0.6")


def test_what_only_reduces_needs_no_margin_when_it_is_triggered() -> None:
    """However much of it was asked for: no more than the position is closed."""
    bench = Bench(balance=D(105))
    bench.submit(Side.BUY, "1")
    order = bench.submit(Side.SELL, "5", trigger=D(990), direction=Direction.FALL, reduce_only=True)
    bench.quote(bench.btc, "990", trades=[(Side.SELL, "990", "1")])
    assert bench.net() == 0
    assert bench.now(order).filled == 1
