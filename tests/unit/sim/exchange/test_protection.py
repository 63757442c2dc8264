"""The stops that the venue keeps for a position."""

from decimal import Decimal

import pytest

from kangbot.model.orders import FillCause, OrderStatus, Side, VenuePosition
from kangbot.sim.exchange.events import Executed, OrderChanged
from kangbot.sim.exchange.orders import Cause, Direction, Origin, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from tests.support.sim_bench import Bench

D = Decimal


def stops(bench: Bench) -> list[SimOrder]:
    """Return the venue's own resting orders."""
    return [order for order in bench.venue.orders.open() if order.protective]


def test_a_stop_that_comes_with_an_entry_rests_once_it_fills(bench: Bench) -> None:
    """The stop covers the position, from the same request."""
    bench.submit(Side.BUY, "0.2", stop=D(990))
    (stop,) = stops(bench)
    assert (stop.side, stop.quantity, stop.trigger, stop.untriggered) == (Side.SELL, D("0.2"), D(990), True)
    assert bench.venue.stop(bench.btc) == D(990)
    assert bench.told(VenuePosition)[-1].stop == D(990)


def test_the_stop_of_a_resting_entry_waits_for_its_fill(bench: Bench) -> None:
    """No position, no stop."""
    bench.submit(Side.BUY, "0.2", "990", stop=D(980))
    assert stops(bench) == []
    bench.quote(bench.btc, "985")
    assert bench.venue.stop(bench.btc) == D(980)


def test_an_order_that_turns_the_position_around_brings_its_stop(bench: Bench) -> None:
    """The old one goes with the old position, and the new position has the order's."""
    bench.submit(Side.SELL, "0.2", stop=D(1010))
    bench.submit(Side.BUY, "0.5", stop=D(990))
    (stop,) = stops(bench)
    assert (stop.side, stop.quantity, stop.trigger) == (Side.SELL, D("0.3"), D(990))
    assert bench.told(VenuePosition)[-1].stop == D(990)


def test_the_stop_closes_the_position_at_the_market_when_the_price_falls_to_it(bench: Bench) -> None:
    """Its fill says that it was the stop."""
    bench.submit(Side.BUY, "0.2", stop=D(990))
    bench.told(Executed)
    bench.quote(bench.btc, "989", trades=[(Side.SELL, "989", "1")])
    (executed,) = bench.told(Executed)
    assert (executed.fill.cause, executed.fill.side, executed.fill.price) == (FillCause.STOP, Side.SELL, D(989))
    assert bench.net() == 0
    assert stops(bench) == []


def test_a_short_is_guarded_above(bench: Bench) -> None:
    """The stop of a short triggers on a rise."""
    bench.submit(Side.SELL, "0.2", stop=D(1010))
    bench.quote(bench.btc, "1011", trades=[(Side.BUY, "1011.10", "1")])
    assert bench.net() == 0


def test_a_stop_goes_on_until_the_position_is_closed(bench: Bench) -> None:
    """An empty book delays it, and the rest follows with the next frames."""
    bench.quote(bench.btc, "1000", quantity="2")
    bench.submit(Side.BUY, "2", stop=D(990))
    bench.quote(bench.btc, "989", quantity="0.1", trades=[(Side.SELL, "989", "1")])
    assert 0 < bench.net() < 2
    for _ in range(4):
        bench.quote(bench.btc, "989", quantity="0.1")
    assert bench.net() == 0
    ended = [order for order in bench.venue.orders if order.origin is Origin.STOP_LOSS]
    assert [(order.status, order.filled) for order in ended] == [(OrderStatus.FILLED, D(2))]


def test_the_stop_follows_the_size_of_the_position(bench: Bench) -> None:
    """More or less, it covers all of it; flat, it is gone."""
    bench.submit(Side.BUY, "0.1", stop=D(990))
    bench.submit(Side.BUY, "0.1")
    assert stops(bench)[0].quantity == D("0.2")
    bench.submit(Side.SELL, "0.15", reduce_only=True)
    assert stops(bench)[0].quantity == D("0.05")
    bench.submit(Side.SELL, "0.05", reduce_only=True)
    assert stops(bench) == []
    last = [order for order in bench.venue.orders if order.origin is Origin.STOP_LOSS][-1]
    assert (last.status, last.cause) == (OrderStatus.CANCELED, Cause.POSITION)


def test_the_stop_does_not_survive_a_position_that_turns(bench: Bench) -> None:
    """A long's stop must not guard a short."""
    bench.submit(Side.BUY, "0.1", stop=D(990))
    bench.submit(Side.SELL, "0.3")
    assert bench.net() == D("-0.2")
    assert stops(bench) == []


def test_stops_are_set_moved_and_removed_by_hand(bench: Bench) -> None:
    """The same order moves; removing ends it."""
    bench.submit(Side.BUY, "0.1")
    bench.venue.set_stops(bench.btc, D(990), D(1050), bench.now_ns)
    first, target = stops(bench)
    bench.venue.set_stops(bench.btc, D(995), D(1050), bench.now_ns)
    assert bench.now(first).trigger == D(995)
    assert bench.venue.target(bench.btc) == D(1050)
    bench.venue.set_stops(bench.btc, None, D(1050), bench.now_ns)
    assert bench.now(first).status is OrderStatus.CANCELED
    bench.quote(bench.btc, "1060", trades=[(Side.BUY, "1060", "1")])
    assert bench.net() == 0
    assert bench.now(target).status is OrderStatus.FILLED


def test_setting_a_stop_refuses_what_makes_no_sense(bench: Bench) -> None:
    """No position, the wrong side, and no change."""
    with pytest.raises(RequestRefused) as flat:
        bench.venue.set_stops(bench.btc, D(990), None, bench.now_ns)
    assert flat.value.reason is Reason.NO_POSITION
    bench.submit(Side.BUY, "0.1")
    for stop, target in ((D(1001), None), (None, D(999))):
        with pytest.raises(RequestRefused) as side:
            bench.venue.set_stops(bench.btc, stop, target, bench.now_ns)
        assert side.value.reason is Reason.STOP_SIDE
    bench.venue.set_stops(bench.btc, D(990), None, bench.now_ns)
    with pytest.raises(RequestRefused) as same:
        bench.venue.set_stops(bench.btc, D(990), None, bench.now_ns)
    assert same.value.reason is Reason.NOT_MODIFIED


def test_an_entry_with_a_stop_on_the_wrong_side_is_refused(bench: Bench) -> None:
    """It would trigger at once."""
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(Side.BUY, "0.1", stop=D(1010))
    assert refusal.value.reason is Reason.STOP_SIDE
    assert bench.net() == 0


def test_cancelling_the_stop_leaves_the_position_bare_and_says_so(bench: Bench) -> None:
    """The venue lets its own order be cancelled by id."""
    bench.submit(Side.BUY, "0.1", stop=D(990))
    bench.told(VenuePosition)
    bench.venue.cancel(bench.now_ns, order_id=stops(bench)[0].order_id)
    assert bench.venue.stop(bench.btc) is None
    assert bench.told(VenuePosition)[-1].stop is None


def test_an_order_that_closes_the_position_brings_it_no_stop(bench: Bench) -> None:
    """There is nothing left to guard, and none is told for an instant."""
    bench.submit(Side.SELL, "0.5")
    bench.told(OrderChanged)
    bench.submit(Side.BUY, "0.5", stop=D(900))
    assert bench.net() == 0
    assert {event.order.origin for event in bench.told(OrderChanged)} == {Origin.USER}


def test_what_a_user_has_waiting_for_a_trigger_is_judged_once_that_is_reached(bench: Bench) -> None:
    """Neither the end of the position nor a smaller one changes it before."""
    bench.submit(Side.BUY, "0.5")
    waits = bench.submit(Side.SELL, "0.5", trigger=D(990), direction=Direction.FALL, reduce_only=True)
    for left in ("0.3", "0"):
        bench.submit(Side.SELL, f"{bench.net() - D(left)}")
        assert (bench.now(waits).untriggered, bench.now(waits).quantity) == (True, D("0.5"))
    bench.quote(bench.btc, "990", trades=[(Side.SELL, "990", "1")])
    assert (bench.now(waits).status, bench.now(waits).cause) == (OrderStatus.CANCELED, Cause.REDUCE_ONLY)
