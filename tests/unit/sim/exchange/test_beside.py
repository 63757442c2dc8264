"""The stop beside a spot holding: one of ours, whatever is asked, and nothing of anybody else's."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import Refused
from kangbot.model.ids import STOP_ATTEMPTS, ClientId, client_id, stop_id
from kangbot.model.orders import Fill, FillCause, Intent, OrderKind, OrderStatus, Purpose, Side
from kangbot.sim.exchange.beside import cover as covered
from kangbot.sim.exchange.beside import place
from kangbot.sim.exchange.front import Front
from kangbot.sim.exchange.orders import Direction
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from tests.support.sim_bench import START_NS, Bench

ORDER = client_id("journal1", 1)
BOUGHT = Intent(
    client_id=ORDER,
    number=1,
    market=Bench.spot,
    purpose=Purpose.ENTRY,
    side=Side.BUY,
    kind=OrderKind.MARKET,
    quantity=Decimal(1),
    stop=Decimal(900),
    reference=Decimal(1000),
    reason="test",
    at_ns=START_NS,
    deadline_ns=START_NS,
)


def holding() -> tuple[Bench, Front, Callable[[Decimal | None, Decimal], ClientId | None]]:
    """Return a venue where one coin was bought, and what has a stop rest beside it."""
    bench = Bench()
    front = Front(bench.venue)
    market = bench.venue.desks[Bench.spot].spec.instrument
    front.submit(BOUGHT, bench.now_ns)
    return bench, front, lambda stop, quantity: front.cover(market, stop, quantity, ORDER, bench.now_ns)


def test_the_stop_beside_a_holding_is_placed_moved_and_taken_away() -> None:
    """One, whatever is asked; its coins can be sold past it, and an id that ended is not used again."""
    bench, front, cover = holding()
    assert cover(Decimal(900), Decimal("0.9")) == stop_id(ORDER, 0)
    for stop, quantity in ((Decimal(900), Decimal("0.9")), (Decimal(950), Decimal("0.8"))):
        assert cover(stop, quantity) == stop_id(ORDER, 0)
        (report,) = front.open_orders(bench.now_ns)
        assert (report.client_id, report.protective) == (stop_id(ORDER, 0), True)
        assert (report.trigger, report.quantity) == (stop, quantity)
    selling = msgspec.structs.replace(
        BOUGHT, client_id=ClientId("kb2"), side=Side.SELL, quantity=Decimal("0.5"), reduce_only=True, stop=None
    )
    front.submit(selling, bench.now_ns)
    assert cover(None, Decimal(0)) is None
    assert front.open_orders(bench.now_ns) == []
    assert cover(Decimal(950), Decimal("0.4")) == stop_id(ORDER, 1)


def test_the_stop_beside_a_holding_sells_it_when_the_price_falls() -> None:
    """By no order of ours."""
    bench, front, cover = holding()
    cover(Decimal(900), Decimal("0.9"))
    bench.quote(Bench.spot, "899", trades=[(Side.SELL, "899", "1")])
    assert front.open_orders(bench.now_ns) == []
    fills = [event for event in front.executions(0, bench.now_ns) if isinstance(event, Fill)]
    sold = [(fill.quantity, fill.client_id) for fill in fills if fill.cause is FillCause.STOP]
    assert sold == [(Decimal("0.9"), None)]


def test_a_stop_beside_a_holding_that_the_price_has_passed_is_refused() -> None:
    """Before it is placed, and before it is moved."""
    cover = holding()[2]
    with pytest.raises(Refused):
        cover(Decimal(1001), Decimal("0.9"))
    cover(Decimal(900), Decimal("0.9"))
    with pytest.raises(Refused):
        cover(Decimal(1001), Decimal("0.9"))


def test_what_is_as_it_should_be_is_left_alone() -> None:
    """Asking again changes nothing at the venue, and nobody is told of a change."""
    bench, _, cover = holding()
    cover(Decimal(900), Decimal("0.9"))
    bench.venue.drain()
    cover(Decimal(900), Decimal("0.9"))
    assert bench.venue.drain() == []


def test_of_two_that_rest_the_first_stays() -> None:
    """A request that was doubled on its way placed another: it is taken away, and the first covers all."""
    bench, front, cover = holding()
    first = cover(Decimal(900), Decimal("0.9"))
    second = place(bench.venue, Bench.spot, Decimal(900), quantity=Decimal("0.9"), order=ORDER, now_ns=bench.now_ns)
    assert (first, second) == (stop_id(ORDER, 0), stop_id(ORDER, 1))
    assert cover(Decimal(910), Decimal("0.8")) == first
    (left,) = front.open_orders(bench.now_ns)
    assert (left.client_id, left.trigger, left.quantity) == (first, Decimal(910), Decimal("0.8"))
    ended = bench.venue.orders.find(client_id=stop_id(ORDER, 1))
    assert ended is not None
    assert ended.status is OrderStatus.CANCELED


def test_stops_of_others_are_none_of_ours() -> None:
    """Another daemon's, and an order of a hand: neither is moved, counted as ours, or taken away."""
    bench, front, cover = holding()
    theirs = client_id("journal2", 1)
    place(bench.venue, Bench.spot, Decimal(800), quantity=Decimal("0.1"), order=theirs, now_ns=bench.now_ns)
    bench.submit(Side.SELL, "0.1", market=Bench.spot, trigger=Decimal(850), direction=Direction.FALL)
    cover(Decimal(900), Decimal("0.9"))
    assert cover(None, Decimal(0)) is None
    assert [report.trigger for report in front.open_orders(bench.now_ns)] == [Decimal(800), Decimal(850)]


def test_a_stop_is_no_order_of_another_market() -> None:
    """What rests beside one holding is not the stop of another."""
    bench, _, cover = holding()
    cover(Decimal(900), Decimal("0.9"))
    assert covered(bench.venue, Bench.btc, None, quantity=Decimal(0), order=ORDER, now_ns=bench.now_ns) is None
    assert len(bench.venue.orders.open(Bench.spot)) == 1


def test_a_stop_at_the_last_price_is_refused_where_it_would_move_to() -> None:
    """It would trigger at once; the one that rests stays where it is."""
    bench, front, cover = holding()
    cover(Decimal(900), Decimal("0.9"))
    last = bench.venue.desks[Bench.spot].last
    with pytest.raises(RequestRefused) as refused:
        covered(bench.venue, Bench.spot, last, quantity=Decimal("0.9"), order=ORDER, now_ns=bench.now_ns)
    assert refused.value.reason is Reason.TRIGGER_PASSED
    assert [report.trigger for report in front.open_orders(bench.now_ns)] == [Decimal(900)]


def test_an_order_lends_no_more_ids_than_there_are() -> None:
    """As at the venue itself: the next one would be another order's. What is to go still goes."""
    bench, front, cover = holding()
    for attempt in range(STOP_ATTEMPTS):
        assert cover(Decimal(900), Decimal("0.9")) == stop_id(ORDER, attempt)
        assert cover(None, Decimal(0)) is None
    with pytest.raises(Refused, match="has ended 36 times"):
        cover(Decimal(900), Decimal("0.9"))
    assert front.open_orders(bench.now_ns) == []
    assert cover(None, Decimal(0)) is None
