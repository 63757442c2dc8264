"""What is held at the simulated venue, and whether its stop is the right one."""

from decimal import Decimal

from kangbot.model.ids import client_id, stop_id
from kangbot.model.orders import Side
from kangbot.sim.exchange.orders import Direction
from kangbot.sim.proof.held import guarded, held, sellable, unguarded
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


def test_coins_are_held_less_the_fees_that_were_taken_in_them() -> None:
    """A stop sells whole steps of them."""
    bench = Bench()
    assert (held(bench.venue, bench.spot), unguarded(bench.venue, bench.spot)) == (D(0), "")
    bench.submit(Side.BUY, "1", market=bench.spot)
    assert held(bench.venue, bench.spot) == D("0.999")
    assert sellable(bench.venue, bench.spot) == D("0.999")
    assert unguarded(bench.venue, bench.spot) == "stops for 0 rest beside 0.999"
    waits(bench, "0.999")
    assert (guarded(bench.venue, bench.spot), unguarded(bench.venue, bench.spot)) == (D("0.999"), "")


def test_a_stop_for_more_than_is_held_is_wrong() -> None:
    """It would sell coins that are not ours; so would one beside nothing."""
    bench = Bench()
    waits(bench, "0.5")
    assert unguarded(bench.venue, bench.spot) == "stops for 0.5 rest beside 0"
    bench.submit(Side.BUY, "1", market=bench.spot)
    waits(bench, "0.5", attempt=1)
    assert "stops for 1.0 rest beside 0.999" in unguarded(bench.venue, bench.spot)


def test_a_contracts_position_has_the_venues_stop() -> None:
    """It has no coins."""
    bench = Bench()
    bench.submit(Side.SELL, "0.5")
    assert held(bench.venue, bench.btc) == D("-0.5")
    assert "has no stop at the venue" in unguarded(bench.venue, bench.btc)
    bench.venue.set_stops(bench.btc, D(1100), None, bench.now_ns)
    assert unguarded(bench.venue, bench.btc) == ""
