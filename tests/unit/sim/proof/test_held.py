"""Whether what is held at the simulated venue has the right stop."""

from collections import Counter
from decimal import Decimal

import msgspec

from kangbot.model.ids import client_id, stop_id
from kangbot.model.orders import Side
from kangbot.sim.exchange.orders import Direction
from kangbot.sim.proof.hands import HandWatch
from kangbot.sim.proof.held import guarded, held, lingering, promised, resting, sellable, unguarded
from tests.support.sim_bench import Bench

D = Decimal


def waits(bench: Bench, quantity: str, attempt: int = 0) -> None:
    """Have a stop of ours wait beside the holding."""
    bench.submit(
        Side.SELL,
        quantity,
        market=bench.spot,
        trigger=D(900),
        direction=Direction.FALL,
        client_id=stop_id(client_id("journal1", 1), attempt),
    )


def test_a_stop_sells_the_coins_that_are_ours() -> None:
    """In whole steps, and none where they are worth too little."""
    bench = Bench()
    assert sellable(bench.venue, bench.spot, D("0.9995")) == D("0.999")
    assert sellable(bench.venue, bench.spot, D("0.005")) == 0
    assert unguarded(bench.venue, bench.spot, D(0)) == ""
    assert unguarded(bench.venue, bench.spot, D("0.9995")) == "stops for 0 rest beside 0.999"
    waits(bench, "0.999")
    assert (guarded(bench.venue, bench.spot), unguarded(bench.venue, bench.spot, D("0.9995"))) == (D("0.999"), "")
    assert resting(bench.venue, bench.spot) == [D(900)]


def test_coins_below_the_least_quantity_need_no_stop() -> None:
    """However much they are worth: the venue takes no order for so few."""
    bench = Bench()
    desk = bench.venue.desks[bench.spot]
    instrument = msgspec.structs.replace(desk.spec.instrument, min_quantity=D("0.5"))
    desk.spec = msgspec.structs.replace(desk.spec, instrument=instrument)
    assert sellable(bench.venue, bench.spot, D("0.5")) == D("0.5")
    assert sellable(bench.venue, bench.spot, D("0.499")) == 0


def test_a_stop_for_more_than_is_ours_is_wrong() -> None:
    """It would sell coins that are not; so would one beside nothing."""
    bench = Bench()
    waits(bench, "0.5")
    assert unguarded(bench.venue, bench.spot, D(0)) == "stops for 0.5 rest beside 0"
    waits(bench, "0.5", attempt=1)
    assert "stops for 1.0 rest beside 0.999" in unguarded(bench.venue, bench.spot, D("0.999"))


def test_somebodys_coins_that_were_sold_are_wrong() -> None:
    """Unless they are too few to be bought back."""
    bench = Bench()
    assert unguarded(bench.venue, bench.spot, D(-1)) == "1 of somebody's coins have been sold"
    assert unguarded(bench.venue, bench.spot, D("-0.001")) == ""


def test_an_order_by_hand_may_have_promised_our_coins() -> None:
    """Not one for coins that are left over, and not one of ours."""
    bench = Bench()
    bench.submit(Side.BUY, "1", market=bench.spot)
    bench.submit(Side.SELL, "0.2", market=bench.spot, price="1100", client_id=client_id("journal1", 2))
    order = bench.submit(Side.SELL, "0.4", market=bench.spot, price="1100")
    assert promised(bench.venue, bench.spot, D("0.599")) == []
    assert [one.order_id for one in promised(bench.venue, bench.spot, D("0.6"))] == [order.order_id]


def test_a_contracts_position_has_the_venues_stop() -> None:
    """It has no coins."""
    bench = Bench()
    bench.submit(Side.SELL, "0.5")
    said: list[str] = []
    hands = HandWatch(said.append, Counter())
    assert (held(bench.venue, bench.btc, hands), held(bench.venue, bench.spot, hands)) == (D("-0.5"), D(0))
    assert "has no stop at the venue" in unguarded(bench.venue, bench.btc, D("-0.5"))
    assert resting(bench.venue, bench.btc) == []
    bench.venue.set_stops(bench.btc, D(1100), None, bench.now_ns)
    assert resting(bench.venue, bench.btc) == [D(1100)]
    assert unguarded(bench.venue, bench.btc, D("-0.5")) == ""


def test_an_order_of_ours_that_rests_on_is_named() -> None:
    """Once it came before that time; nobody else's, no stop, and none that has ended."""
    bench = Bench()
    mine = bench.submit(Side.BUY, "0.5", "900", client_id=client_id("journal1", 1))
    ended = bench.submit(Side.BUY, "0.5", "900", client_id=client_id("journal1", 2))
    bench.venue.cancel(bench.now_ns, order_id=ended.order_id)
    bench.submit(Side.BUY, "0.5", "900")
    waits(bench, "0.1")
    assert lingering(bench.venue, bench.btc, mine.created_ns) == []
    late = [f"order {client_id('journal1', 1)} rests, and its patience is over"]
    assert lingering(bench.venue, bench.btc, mine.created_ns + 1) == late
    assert lingering(bench.venue, bench.spot, bench.now_ns + 1) == []
