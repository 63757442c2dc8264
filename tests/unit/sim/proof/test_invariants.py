"""What holds whatever is asked of the venue and however its market moves."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kangbot.model.data import Quote
from kangbot.model.money import ZERO
from kangbot.model.orders import OrderStatus, Side, TimeInForce
from kangbot.sim.exchange.events import Executed, Funded
from kangbot.sim.exchange.orders import Direction
from kangbot.sim.exchange.refusal import RequestRefused
from tests.support.sim_bench import Bench

D = Decimal
SIDES = st.sampled_from(Side)
QUANTITIES = st.integers(1, 400).map(lambda steps: str(D(steps) * D("0.001") + D("0.01")))
PRICES = st.integers(-4, 4).map(lambda ticks: str(D(1000) + ticks))  # close together, so that they meet
TIMES = st.sampled_from(TimeInForce)


class Play:
    """One step of a session, as a function of the bench."""

    def __init__(self, name: str, act: Callable[[Bench], object]) -> None:
        self.name = name
        self.act = act

    def __repr__(self) -> str:
        return self.name


@st.composite
def orders(draw: st.DrawFn) -> Play:
    """A market or limit order."""
    side, quantity, price = draw(SIDES), draw(QUANTITIES), draw(st.none() | PRICES)
    reduce_only, times = draw(st.booleans()), draw(TIMES)
    name = f"{side} {quantity} at {price} {times}{' reduce' * reduce_only}"
    return Play(name, lambda bench: bench.submit(side, quantity, price, reduce_only=reduce_only, time_in_force=times))


@st.composite
def conditionals(draw: st.DrawFn) -> Play:
    """A market order that waits for a price."""
    side, quantity, trigger, reduce_only = draw(SIDES), draw(QUANTITIES), D(draw(PRICES)), draw(st.booleans())

    def act(bench: Bench) -> None:
        direction = Direction.RISE if trigger > bench.venue.desks[bench.btc].last else Direction.FALL
        bench.submit(side, quantity, trigger=trigger, direction=direction, reduce_only=reduce_only)

    return Play(f"{side} {quantity} when {trigger}{' reduce' * reduce_only}", act)


@st.composite
def moves(draw: st.DrawFn) -> Play:
    """A frame of the market."""
    bid, depth, side = draw(PRICES), draw(st.sampled_from(["0.01", "0.3", "5"])), draw(SIDES)
    size = draw(st.sampled_from(["0.01", "2"]))
    return Play(f"move to {bid} x {depth}", lambda bench: bench.quote(bench.btc, bid, depth, [(side, bid, size)]))


@st.composite
def changes(draw: st.DrawFn) -> Play:
    """A cancellation or an amendment of any order there was."""
    index, quantity, price, cancel = draw(st.integers(0, 30)), D(draw(QUANTITIES)), D(draw(PRICES)), draw(st.booleans())

    def act(bench: Bench) -> None:
        known = list(bench.venue.orders)
        if known and cancel:
            bench.venue.cancel(bench.now_ns, order_id=known[index % len(known)].order_id)
        elif known:
            order_id = known[index % len(known)].order_id
            bench.venue.amend(bench.now_ns, order_id=order_id, quantity=quantity, price=price)

    return Play(f"{'cancel' if cancel else 'amend'} {index}", act)


@st.composite
def stops(draw: st.DrawFn) -> Play:
    """The position's stops."""
    stop, target = (
        None if price is None else D(price) for price in draw(st.tuples(st.none() | PRICES, st.none() | PRICES))
    )
    return Play(f"stops {stop} {target}", lambda bench: bench.venue.set_stops(bench.btc, stop, target, bench.now_ns))


STEPS = st.lists(orders() | conditionals() | moves() | changes() | stops(), min_size=20, max_size=60)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_money_positions_and_quantities_are_conserved(steps: list[Play]) -> None:
    """The account is the sum of its fills, and no order or book gives more than it has."""
    bench = Bench(maintenance=ZERO, balance=D(100_000))
    venue, start = bench.venue, bench.venue.account.coins["USDT"]
    for step in steps:
        net = bench.net()
        told = len(venue.executions)
        with suppress(RequestRefused):
            step.act(bench)
        reducing = [
            event
            for event in venue.executions[told:]
            if isinstance(event, Executed) and event.order.request.reduce_only
        ]
        if reducing and len(reducing) == len(venue.executions) - told:
            assert net * bench.net() >= 0, "reduce-only orders never turn a position"
            assert abs(bench.net()) < abs(net)
    fills = [event.fill for event in venue.executions if isinstance(event, Executed)]
    assert not [event for event in venue.executions if isinstance(event, Funded)]

    assert bench.net() == sum((fill.signed for fill in fills), ZERO)
    cash = start - sum((fill.signed * fill.price + fill.fee for fill in fills), ZERO)
    holding = venue.account.holding(bench.btc)
    assert abs(venue.account.coins["USDT"] - (cash + holding.cost)) < D("1e-15")
    mark = venue.desks[bench.btc].mark
    assert abs(venue.standing().equity - (cash + holding.net * mark)) < D("1e-15")

    by_order: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        assert fill.quantity > 0
        by_order[fill.venue_order_id] += fill.quantity
    for order in venue.orders:
        assert by_order[order.order_id] == order.filled <= order.quantity
        assert (order.status is OrderStatus.FILLED) == (order.filled == order.quantity)
    assert len({fill.execution_id for fill in fills}) == len(fills)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SIDES, QUANTITIES), min_size=1, max_size=30))
def test_takers_get_no_more_than_the_book_holds(takers: list[tuple[Side, str]]) -> None:
    """Between two frames all takers of a side share its levels, and every quote is sane."""
    bench = Bench(balance=D(10_000_000))
    bench.quote(bench.btc, "1000", quantity="0.3")
    book = {side: sum(quantity for _, quantity in bench.venue.desks[bench.btc].book.levels(side)) for side in Side}
    bench.venue.drain()
    for side, quantity in takers:
        bench.submit(side, quantity)
    events = bench.venue.drain()
    for side in Side:
        taken = [event.fill.quantity for event in events if isinstance(event, Executed) and event.fill.side is side]
        assert sum(taken, ZERO) <= book[side]
    for quote in (event for event in events if isinstance(event, Quote)):
        assert quote.bid < quote.ask
        assert min(quote.bid_quantity, quote.ask_quantity) >= 0
