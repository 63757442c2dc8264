"""What becomes of orders against a finite book."""

from decimal import Decimal

import pytest

from kangbot.model.data import Quote, Trade
from kangbot.model.orders import OrderStatus, Side, TimeInForce
from kangbot.sim.exchange.events import Executed, OrderChanged
from kangbot.sim.exchange.orders import Cause
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from tests.support.sim_bench import Bench

D = Decimal


def test_a_market_order_walks_the_levels_and_pays_each_ones_price(bench: Bench) -> None:
    """One level is not enough, so the next one is taken at its worse price."""
    bench.quote(bench.btc, "1000", quantity="0.1")
    order = bench.submit(Side.BUY, "0.2")
    fills = [event.fill for event in bench.told(Executed)]
    assert [(fill.price, fill.quantity) for fill in fills] == [(D("1000.10"), D("0.1")), (D("1000.20"), D("0.1"))]
    assert order.status is OrderStatus.FILLED
    assert order.average == D("1000.15")


def test_a_market_order_beyond_the_book_expires_with_what_it_got(bench: Bench) -> None:
    """The book is finite: three levels, and no more."""
    bench.quote(bench.btc, "1000", quantity="0.1")
    order = bench.submit(Side.BUY, "3")
    assert order.status is OrderStatus.EXPIRED
    assert order.cause is Cause.NO_LIQUIDITY
    assert order.filled == D("0.1") + 2 * bench.venue.desks[bench.btc].spec.level


def test_what_was_taken_stays_taken_until_the_next_frame(bench: Bench) -> None:
    """Two takers share one book, and the quote shows what is left."""
    bench.quote(bench.btc, "1000", quantity="0.1")
    bench.submit(Side.BUY, "0.04")
    assert bench.told(Quote)[-1].ask_quantity == D("0.06")
    second = bench.submit(Side.BUY, "0.1")
    assert second.value == D("0.06") * D("1000.10") + D("0.04") * D("1000.20")
    bench.quote(bench.btc, "1000", quantity="0.1")
    assert bench.submit(Side.BUY, "0.1").average == D("1000.10")


def test_our_takers_are_on_the_public_tape(bench: Bench) -> None:
    """A fill as a taker is a public trade of the same id, price and quantity."""
    bench.submit(Side.SELL, "0.1")
    events = bench.venue.drain()
    fill = next(event.fill for event in events if isinstance(event, Executed))
    trade = next(event for event in events if isinstance(event, Trade))
    assert (trade.trade_id, trade.side, trade.price, trade.quantity) == (
        fill.execution_id,
        Side.SELL,
        fill.price,
        fill.quantity,
    )
    assert bench.venue.desks[bench.btc].last == fill.price


def test_a_limit_order_rests_and_fills_at_its_price_when_the_market_crosses_it(bench: Bench) -> None:
    """The maker gets its own price and the maker's fee."""
    order = bench.submit(Side.BUY, "0.1", "990")
    assert order.status is OrderStatus.ACKED
    bench.told(OrderChanged)
    bench.quote(bench.btc, "980")
    (executed,) = bench.told(Executed)
    assert (executed.fill.price, executed.fill.quantity, executed.fill.maker) == (D(990), D("0.1"), True)
    assert executed.fee_rate == bench.venue.spec.maker_fee
    assert bench.now(order).status is OrderStatus.FILLED


def test_a_resting_order_takes_no_more_than_the_book_that_crossed_it_holds(bench: Bench) -> None:
    """A large maker fills in parts."""
    order = bench.submit(Side.BUY, "1", "990")
    bench.quote(bench.btc, "989.90", quantity="0.1")  # its ask is at 990, and worse levels are beyond the limit
    assert bench.now(order).status is OrderStatus.PARTIAL
    assert bench.now(order).filled == D("0.1")
    bench.quote(bench.btc, "989.90", quantity="2")
    assert bench.now(order).status is OrderStatus.FILLED


def test_trades_at_our_price_fill_the_queue_before_us_first(bench: Bench) -> None:
    """What was quoted at the price when we came trades before us."""
    bench.quote(bench.btc, "1000", quantity="0.5")
    order = bench.submit(Side.BUY, "0.1", "1000")
    bench.quote(bench.btc, "1000", trades=[(Side.SELL, "1000", "0.4")])
    assert bench.now(order).filled == 0
    bench.quote(bench.btc, "1000", trades=[(Side.SELL, "1000", "0.16")])
    assert bench.now(order).filled == D("0.06")
    bench.quote(bench.btc, "1000", trades=[(Side.SELL, "1000", "0.5")])
    assert bench.now(order).status is OrderStatus.FILLED


def test_trades_of_the_wrong_side_or_price_do_not_fill_us(bench: Bench) -> None:
    """A buyer's trade does not hit a bid, and a trade above it does not reach it."""
    order = bench.submit(Side.BUY, "0.1", "999")
    bench.quote(bench.btc, "1000", trades=[(Side.BUY, "1000.10", "9"), (Side.SELL, "1000", "9")])
    assert bench.now(order).filled == 0
    bench.quote(bench.btc, "1000", trades=[(Side.BUY, "999", "9")])
    assert bench.now(order).filled == 0
    bench.quote(bench.btc, "1000", trades=[(Side.SELL, "999", "9")])
    assert bench.now(order).status is OrderStatus.FILLED


def test_one_trade_is_shared_by_orders_at_its_price(bench: Bench) -> None:
    """Two makers cannot both fill from the same volume."""
    first = bench.submit(Side.SELL, "0.1", "1001")
    second = bench.submit(Side.SELL, "0.1", "1001")
    bench.quote(bench.btc, "1000", trades=[(Side.BUY, "1001", "0.15")])
    assert (bench.now(first).filled, bench.now(second).filled) == (D("0.1"), D("0.05"))


def test_a_post_only_order_that_would_take_is_rejected_and_one_that_rests_is_not(bench: Bench) -> None:
    """It never pays the taker's fee."""
    refused = bench.submit(Side.BUY, "0.1", "1001", time_in_force=TimeInForce.POST_ONLY)
    assert (refused.status, refused.cause, refused.filled) == (OrderStatus.REJECTED, Cause.POST_ONLY, D(0))
    assert bench.submit(Side.BUY, "0.1", "1000", time_in_force=TimeInForce.POST_ONLY).status is OrderStatus.ACKED


def test_an_immediate_order_takes_within_its_limit_and_expires_with_the_rest(bench: Bench) -> None:
    """IOC never rests."""
    bench.quote(bench.btc, "1000", quantity="0.1")
    order = bench.submit(Side.BUY, "0.5", "1000.10", time_in_force=TimeInForce.IOC)
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, D("0.1"))
    assert bench.venue.orders.open() == []


def test_a_reduce_only_order_is_cut_to_the_position_and_never_turns_it(bench: Bench) -> None:
    """Asking for more than there is closes it and no more."""
    bench.submit(Side.BUY, "0.1")
    order = bench.submit(Side.SELL, "0.4", reduce_only=True)
    assert (order.quantity, order.status) == (D("0.1"), OrderStatus.FILLED)
    assert bench.net() == 0


def test_reduce_only_needs_a_position_to_reduce(bench: Bench) -> None:
    """Flat, or on the side of the position, it is refused."""
    with pytest.raises(RequestRefused) as flat:
        bench.submit(Side.SELL, "0.1", reduce_only=True)
    assert flat.value.reason is Reason.REDUCE_ONLY_FLAT
    bench.submit(Side.BUY, "0.1")
    with pytest.raises(RequestRefused) as side:
        bench.submit(Side.BUY, "0.1", reduce_only=True)
    assert side.value.reason is Reason.REDUCE_ONLY_SIDE


def test_resting_reduce_only_orders_end_with_the_position(bench: Bench) -> None:
    """Several of them together cannot turn it either."""
    bench.submit(Side.BUY, "0.1")
    first = bench.submit(Side.SELL, "0.1", "1010", reduce_only=True)
    second = bench.submit(Side.SELL, "0.1", "1010", reduce_only=True)
    bench.quote(bench.btc, "1020")
    assert bench.now(first).status is OrderStatus.FILLED
    assert (bench.now(second).status, bench.now(second).cause) == (OrderStatus.CANCELED, Cause.REDUCE_ONLY)
    assert bench.net() == 0


def test_a_resting_reduce_only_order_fills_no_more_than_the_position_holds_by_then(bench: Bench) -> None:
    """It was asked for when there was more."""
    bench.submit(Side.BUY, "0.5")
    order = bench.submit(Side.SELL, "0.5", "1010", reduce_only=True)
    bench.submit(Side.SELL, "0.3")
    bench.quote(bench.btc, "1020")
    assert (bench.now(order).status, bench.now(order).filled) == (OrderStatus.CANCELED, D("0.2"))
    assert bench.net() == 0


def test_every_change_of_an_order_is_told_as_it_was(bench: Bench) -> None:
    """A snapshot a change, in order: the reader sees each state."""
    order = bench.submit(Side.BUY, "0.2", "990")
    bench.quote(bench.btc, "989.90", quantity="0.1")
    bench.venue.cancel(bench.now_ns, order_id=order.order_id)
    told = [(event.order.status, event.order.filled) for event in bench.told(OrderChanged)]
    assert told == [
        (OrderStatus.ACKED, D(0)),
        (OrderStatus.PARTIAL, D("0.1")),
        (OrderStatus.CANCELED, D("0.1")),
    ]


def test_an_order_speaks_the_words_of_the_house(bench: Bench) -> None:
    """The report carries what the daemon's order machine reads."""
    report = bench.submit(Side.BUY, "0.1", client_id="kbtest1").report()
    assert report.client_id == "kbtest1"
    assert (report.status, report.filled, report.average) == (OrderStatus.FILLED, D("0.1"), D("1000.10"))
    assert (report.market, report.side, report.protective) == (bench.btc, Side.BUY, False)
