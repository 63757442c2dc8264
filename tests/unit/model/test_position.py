"""A position is the sum of its fills."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from kangbot.model.ids import ExecutionId, MarketId, VenueOrderId
from kangbot.model.orders import Fill, Side
from kangbot.model.position import Position, RoundTrip

MARKET = MarketId("bybit:BTC-USDT:USDT")


def fill(side: Side, quantity: str, price: str, fee: str = "0", at_ns: int = 0) -> Fill:
    """One execution."""
    return Fill(
        market=MARKET,
        execution_id=ExecutionId("e"),
        client_id=None,
        venue_order_id=VenueOrderId("v"),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_currency="USDT",
        at_ns=at_ns,
    )


def through(*fills: Fill) -> tuple[Position, list[RoundTrip]]:
    """Return the position after the fills, and the round trips on the way."""
    position = Position(market=MARKET)
    trips: list[RoundTrip] = []
    for one in fills:
        position, closed = position.apply(one)
        trips.extend(closed)
    return position, trips


def test_a_long_earns_the_difference() -> None:
    """Two entries, two exits: averages and profit are exact."""
    position, trips = through(
        fill(Side.BUY, "1", "100", "0.1", at_ns=1),
        fill(Side.BUY, "2", "103", "0.2", at_ns=2),
        fill(Side.SELL, "1", "110", "0.1", at_ns=3),
        fill(Side.SELL, "2", "101", "0.2", at_ns=4),
    )
    (trip,) = trips
    assert position.net == 0
    assert position.entry is None
    assert position.realised == trip.profit == Decimal(110) + 2 * Decimal(101) - Decimal(100) - 2 * Decimal(103)
    assert trip.entry == Decimal(102)
    assert trip.exit == Decimal(104)
    assert (trip.side, trip.quantity, trip.opened_ns, trip.closed_ns) == (Side.BUY, Decimal(3), 1, 4)
    assert trip.net_profit == trip.profit - Decimal("0.6")
    assert position.fees_paid == Decimal("0.6")


def test_a_short_earns_when_it_falls() -> None:
    """The sign of the profit follows the side."""
    _, trips = through(fill(Side.SELL, "2", "100"), fill(Side.BUY, "2", "90"))
    assert [(t.side, t.profit) for t in trips] == [(Side.SELL, Decimal(20))]


def test_a_fill_beyond_flat_turns_the_position() -> None:
    """It closes the old one and opens the other side with the rest; the fee is shared by quantity."""
    position, trips = through(fill(Side.BUY, "1", "100"), fill(Side.SELL, "3", "110", "0.3", at_ns=9))
    assert [(t.profit, t.fees) for t in trips] == [(Decimal(10), Decimal("0.1"))]
    assert (position.net, position.entry, position.fees, position.opened_ns) == (
        Decimal(-2),
        Decimal(110),
        Decimal("0.2"),
        9,
    )
    assert position.side is Side.SELL


def test_open_profit_follows_the_price() -> None:
    """Unrealised profit is signed by the position; flat has none."""
    position, _ = through(fill(Side.SELL, "2", "100"))
    assert position.unrealised(Decimal(90)) == 20
    assert Position(market=MARKET).unrealised(Decimal(90)) == 0
    assert Position(market=MARKET).side is None
    assert through(fill(Side.BUY, "2", "100"))[0].side is Side.BUY


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Side)), st.integers(1, 50), st.integers(1, 1000), st.integers(-3, 3)),
        max_size=30,
    )
)
@example(  # a fee that is shared does not divide evenly
    [
        (Side.BUY, 1, 1, 0),
        (Side.BUY, 1, 1, -2),
        (Side.BUY, 1, 1, -2),
        (Side.BUY, 5, 1, -1),
        (Side.BUY, 6, 1, 2),
        (Side.SELL, 13, 1, 2),
        (Side.SELL, 3, 1, 2),
    ]
)
def test_cash_is_conserved(rows: list[tuple[Side, int, int, int]]) -> None:
    """Profit so far plus the value of what is open equals the cash that moved, whatever the order of fills."""
    fills = [fill(side, str(quantity), str(price), str(fee)) for side, quantity, price, fee in rows]
    position, trips = through(*fills)
    assert position.net == sum((f.signed for f in fills), Decimal(0))
    mark = Decimal(500)
    cash = -sum((f.signed * f.price for f in fills), Decimal(0)) + position.net * mark
    partial = (position.exit_value - position.exited * (position.entry or 0)) * (1 if position.net > 0 else -1)
    assert abs(cash - (position.realised + position.unrealised(mark) + partial)) < Decimal("1e-15")
    assert position.fees_paid == sum((f.fee for f in fills), Decimal(0))
    assert position.realised == sum((t.profit for t in trips), Decimal(0))


SPOT = MarketId("bybit:BTC-USDT")


def coins(side: Side, quantity: str, price: str, fee: str, currency: str) -> Fill:
    """One execution of a spot market, which takes its fee from what is received."""
    return Fill(
        market=SPOT,
        execution_id=ExecutionId("e"),
        client_id=None,
        venue_order_id=VenueOrderId("v"),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_currency=currency,
        at_ns=5,
    )


def test_a_fee_taken_in_coins_is_not_held() -> None:
    """One coin bought for 100 of which a thousandth is the fee: 0.999 are there, and the fee counts as 0.1."""
    position, _ = Position(market=SPOT).apply(coins(Side.BUY, "1", "100", "0.001", "BTC"))
    assert (position.net, position.entry, position.fees_paid) == (Decimal("0.999"), Decimal(100), Decimal("0.1"))
    position, trips = position.apply(coins(Side.SELL, "0.999", "110", "0.10989", "USDT"))
    assert position.net == 0
    assert position.entry is None
    assert trips[0].net_profit == Decimal("0.999") * 110 - 100 - Decimal("0.10989")  # the cash that moved


def test_what_an_exit_in_steps_leaves_of_coins_is_carried_on() -> None:
    """0.122877 held and 0.122 sold: the trip is over, and the rest is there, at what it cost."""
    position, _ = Position(market=SPOT).apply(coins(Side.BUY, "0.123", "100", "0.000123", "BTC"))
    position, trips = position.apply(coins(Side.SELL, "0.1224", "100", "0.01224", "USDT"))
    assert position.net == Decimal("0.122877") - Decimal("0.1224")
    assert position.entry == 100
    assert [(trip.profit, trip.fees) for trip in trips] == [(Decimal(0), Decimal("0.0123") + Decimal("0.01224"))]
    assert position.realised == 0


def test_a_part_that_is_sold_ends_no_trip() -> None:
    """Half of the coins are a position as any other, and so is a fee that some other coin pays."""
    position, _ = Position(market=SPOT).apply(coins(Side.BUY, "1", "100", "0.01", "BNB"))
    assert position.net == 1
    position, trips = position.apply(coins(Side.SELL, "0.5", "100", "0.05", "USDT"))
    assert (position.net, trips) == (Decimal("0.5"), ())
