"""A position is the sum of its fills."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kangbot.model.ids import ClientId, ExecutionId, MarketId, VenueOrderId
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


@pytest.mark.parametrize("side", list(Side))
def test_the_entry_is_of_what_is_held(side: Side) -> None:
    """As at the venues: an exit leaves the average as it is, and what it closed has no part in the next one."""
    position, trips = through(fill(side, "3", "100"), fill(side.opposite, "2", "110"))
    assert (position.entry, position.taken) == (Decimal(100), Decimal(20 * side.sign))
    position, more = position.apply(fill(side, "3", "200"))
    assert (position.entry, position.taken) == (Decimal(175), Decimal(20 * side.sign))
    assert position.unrealised(Decimal(175)) == 0
    position, more = position.apply(fill(side.opposite, "4", "180"))
    assert trips == []
    assert [(trip.entry, trip.profit) for trip in more] == [(Decimal(150), Decimal(40 * side.sign))]


def test_a_position_of_an_earlier_version_goes_on() -> None:
    """It was kept without what is held: until the next entry its average is of all that was entered, as it was then."""
    kept = Position(market=MARKET, net=Decimal(1), entered=Decimal(3), entry_value=Decimal(300), exited=Decimal(2))
    assert kept.entry == Decimal(100)
    assert kept.apply(fill(Side.BUY, "3", "200"))[0].entry == Decimal(175)


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
    assert abs(cash - (position.realised + position.unrealised(mark) + position.taken)) < Decimal("1e-15")
    assert position.fees_paid == sum((f.fee for f in fills), Decimal(0))
    assert position.realised == sum((t.profit for t in trips), Decimal(0))


class AnyFills(RuleBasedStateMachine):
    """Whatever is traded, with restarts between: the position is the sum, and no money has come or gone."""

    def __init__(self) -> None:
        super().__init__()
        self.position = Position(market=MARKET)
        self.fills: list[Fill] = []
        self.trips: list[RoundTrip] = []

    @rule(
        side=st.sampled_from(list(Side)), quantity=st.integers(1, 9), price=st.integers(1, 99), fee=st.integers(-3, 3)
    )
    def trade(self, side: Side, quantity: int, price: int, fee: int) -> None:
        """A round trip ends where the position was closed, and nowhere else."""
        before, one = self.position.net, fill(side, str(quantity), str(price), str(fee))
        self.position, trips = self.position.apply(one)
        self.fills.append(one)
        self.trips.extend(trips)
        assert len(trips) == (before * self.position.net <= 0 < abs(before))

    @precondition(lambda self: self.position.net)
    @rule(price=st.integers(1, 99))
    def close(self, price: int) -> None:
        """What is flat keeps nothing of what was."""
        side = Side.SELL if self.position.net > 0 else Side.BUY
        self.trade(side, int(abs(self.position.net)), price, 1)
        assert (self.position.net, self.position.entry, self.position.fees) == (Decimal(0), None, Decimal(0))
        assert self.position.entered == self.position.exited == 0

    @rule()
    def restart(self) -> None:
        """What is kept is enough to go on from."""
        self.position = msgspec.json.decode(msgspec.json.encode(self.position), type=Position)

    @invariant()
    def is_the_sum(self) -> None:
        """Of quantities, of fees, and of the round trips' profit."""
        assert self.position.net == sum((one.signed for one in self.fills), Decimal(0))
        assert self.position.fees_paid == sum((one.fee for one in self.fills), Decimal(0))
        assert self.position.realised == sum((trip.profit for trip in self.trips), Decimal(0))

    @invariant()
    def conserves_cash(self) -> None:
        """What was earned, and what is open at any price, are the money that moved; exactly, for sums are kept."""
        mark, position = Decimal(50), self.position
        moved = -sum((one.signed * one.price for one in self.fills), Decimal(0)) + position.net * mark
        open_value = (position.exit_value - position.entry_value) * (1 if position.net > 0 else -1)
        assert moved == position.realised + open_value + position.net * mark


TestAnyFills = AnyFills.TestCase
TestAnyFills.settings = settings(max_examples=60, stateful_step_count=40)


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


def test_a_fee_in_a_third_currency_is_no_money_of_the_market() -> None:
    """0.05 MNT are not 0.05 USDT, of a perpetual or of coins; nor is a perpetual's coin something that is held."""
    for currency in ("MNT", "BTC"):
        paid = msgspec.structs.replace(fill(Side.BUY, "1", "100", "50"), fee_currency=currency)
        position, trips = through(paid, fill(Side.SELL, "1", "110", "0.1"))
        assert (position.fees_paid, trips[0].fees, trips[0].net_profit) == (Decimal("0.1"),) * 2 + (Decimal("9.9"),)
    position, _ = Position(market=SPOT).apply(coins(Side.BUY, "1", "100", "50", "MNT"))
    assert (position.net, position.fees, position.fees_paid) == (Decimal(1), Decimal(0), Decimal(0))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.integers(1, 9),
            st.integers(1, 99),
            st.integers(-3, 3),
            st.sampled_from(["USDT", "BTC", "MNT"]),
        ),
        max_size=12,
    )
)
def test_cash_is_conserved_whatever_fees_are_taken_in(rows: list[tuple[Side, int, int, int, str]]) -> None:
    """Coins and quote money are what moved, in each currency by itself, and a third currency moves neither."""
    fills = [
        msgspec.structs.replace(
            coins(side, str(quantity), str(price), str(Decimal(fee) / 8), currency), client_id=ClientId("kbtest1")
        )
        for side, quantity, price, fee, currency in rows
    ]
    position, trips = swapped(*fills)
    taken = {name: sum((one.fee for one in fills if one.fee_currency == name), Decimal(0)) for name in ("BTC", "USDT")}
    assert position.own == sum((one.signed for one in fills), Decimal(0)) - taken["BTC"]
    assert position.net == position.own  # no hand was there
    in_coins = sum((one.fee * one.price for one in fills if one.fee_currency == "BTC"), Decimal(0))
    assert abs(position.fees_paid - taken["USDT"] - in_coins) < Decimal("1e-15")
    assert position.realised == sum((trip.profit for trip in trips), Decimal(0))
    mark = Decimal(500)
    earned = position.realised + position.unrealised(mark) + position.taken - position.fees_paid
    cash = -sum((one.signed * one.price for one in fills), Decimal(0)) - taken["USDT"]
    assert abs(earned - cash - position.net * mark) < Decimal("1e-15")


def test_a_part_that_is_sold_ends_no_trip() -> None:
    """Half of the coins are a position as any other, and so is a fee that some other coin pays."""
    position, _ = Position(market=SPOT).apply(coins(Side.BUY, "1", "100", "0.01", "BNB"))
    assert position.net == 1
    position, trips = position.apply(coins(Side.SELL, "0.5", "100", "0.05", "USDT"))
    assert (position.net, trips) == (Decimal("0.5"), ())


def swap(side: Side, quantity: str, at_ns: int, price: str = "100", *, ours: bool = True) -> Fill:
    """One execution of a spot market without a fee, ours or somebody's."""
    return msgspec.structs.replace(
        coins(side, quantity, price, "0", "USDT"), client_id=ClientId("kbtest1") if ours else None, at_ns=at_ns
    )


def swapped(*fills: Fill) -> tuple[Position, list[RoundTrip]]:
    """Return the coins after the fills, and the round trips on the way."""
    position = Position(market=SPOT)
    trips: list[RoundTrip] = []
    for one in fills:
        position, closed = position.apply(one)
        trips.extend(closed)
    return position, trips


def test_somebodys_sale_of_their_own_coins_makes_no_short() -> None:
    """Of a coin that is held and three that are sold two were theirs; what we bought afterwards is there."""
    position, trips = swapped(swap(Side.BUY, "1", 1), swap(Side.SELL, "3", 2, "110", ours=False))
    assert (position.net, [trip.profit for trip in trips]) == (Decimal(0), [Decimal(10)])
    position, more = position.apply(swap(Side.SELL, "5", 3, ours=False))
    assert (position.net, more) == (Decimal(0), ())
    assert position.apply(swap(Side.BUY, "2", 4))[0].net == Decimal(2)


def test_what_we_sold_twice_is_missing() -> None:
    """Those coins were somebody's: they are to be bought back, and a sale by hand does not change that."""
    position, _ = swapped(swap(Side.BUY, "1", 1), swap(Side.SELL, "1", 2), swap(Side.SELL, "1", 3))
    assert position.net == Decimal(-1)
    assert position.apply(swap(Side.SELL, "2", 4, ours=False))[0].net == Decimal(-1)


def test_what_a_hand_sold_while_our_sale_was_on_its_way_is_not_missing() -> None:
    """Ten bought, four sold by hand, ten by us: four of those were somebody's, and nothing is to be bought back."""
    fills = swap(Side.BUY, "10", 1), swap(Side.SELL, "4", 2, ours=False), swap(Side.SELL, "10", 3, "90")
    position, trips = swapped(*fills)
    assert (position.net, [trip.quantity for trip in trips]) == (Decimal(0), [Decimal(10)])
    assert trips[0].profit == 4 * (100 - 100) + 6 * (90 - 100)
    assert position.apply(swap(Side.SELL, "1", 4))[0].net == Decimal(-1)  # what our own fills never bought
    assert position.apply(swap(Side.BUY, "2", 4))[0].net == Decimal(2)


def test_what_we_sold_beyond_all_that_we_bought_is_missing_though_a_hand_sold_too() -> None:
    """Ten bought, four sold by hand, and both the stop and the exit sold ten: ten are missing, not fourteen."""
    ours = swap(Side.SELL, "10", 3), swap(Side.SELL, "10", 4)
    position, _ = swapped(swap(Side.BUY, "10", 1), swap(Side.SELL, "4", 2, ours=False), *ours)
    assert position.net == Decimal(-10)


def test_coins_that_a_hand_bought_and_sold_again_were_none_of_ours() -> None:
    """What our sale then finds missing is missing."""
    position, _ = swapped(swap(Side.BUY, "2", 1), swap(Side.BUY, "5", 2, ours=False))
    position, _ = position.apply(swap(Side.SELL, "5", 3, ours=False), Decimal(5))
    assert position.net == Decimal(2)
    assert position.apply(swap(Side.SELL, "3", 4))[0].net == Decimal(-1)


def test_a_sale_by_hand_is_older_than_what_was_bought_since() -> None:
    """It is heard of late, and has not sold it."""
    assert swapped(swap(Side.BUY, "1", 5), swap(Side.SELL, "1", 4, ours=False))[0].net == Decimal(1)


def test_a_purchase_that_is_heard_of_after_it_was_sold_by_hand_is_a_round_trip() -> None:
    """At the prices of both; what was not sold is held."""
    position, trips = swapped(
        swap(Side.SELL, "1", 6, "90", ours=False),
        swap(Side.SELL, "1", 7, "110", ours=False),
        swap(Side.BUY, "1", 5),
        swap(Side.BUY, "2", 5),
    )
    assert [(trip.quantity, trip.exit) for trip in trips] == [(Decimal(1), Decimal(100))]
    assert (position.net, position.entry, position.beyond) == (Decimal(1), Decimal(100), Decimal(0))


@given(st.permutations([swap(Side.BUY, "6", 1), swap(Side.SELL, "2", 2, ours=False), swap(Side.SELL, "5", 3)]))
def test_a_sale_of_ours_after_one_by_hand_comes_to_the_same_in_any_order(fills: list[Fill]) -> None:
    """Six bought, two sold by hand, five by us, of which one was somebody's; what is bought since is there."""
    position, _ = swapped(*fills)
    assert position.net == Decimal(0)
    assert position.apply(swap(Side.BUY, "1", 4))[0].net == Decimal(1)


@given(st.permutations([swap(Side.BUY, "2", 1), swap(Side.SELL, "3", 3, ours=False), swap(Side.SELL, "1", 2)]))
def test_news_may_come_in_any_order(fills: list[Fill]) -> None:
    """Two bought, one sold by us, three by hand: one of those three was ours, whatever is heard of first."""
    position, _ = swapped(*fills)
    after, _ = position.apply(swap(Side.BUY, "1", 4))
    assert after.net == Decimal(1)


@given(st.permutations([swap(Side.BUY, "1", 1), swap(Side.SELL, "0.5", 4, ours=False), swap(Side.SELL, "0.999", 5)]))
def test_what_a_round_trip_left_of_coins_may_have_been_sold_before(fills: list[Fill]) -> None:
    """It was held all the while: a sale by hand from before our exit took it, whichever of the two is heard of."""
    position, _ = swapped(*fills)
    after, _ = position.apply(swap(Side.BUY, "1", 8))
    assert after.net == Decimal(1)


def test_what_a_round_trip_left_of_coins_opens_no_other() -> None:
    """The next one begins with what it buys: a strategy tells by that time whether its signal has had its trade."""
    first = (swap(Side.BUY, "1", 1), swap(Side.SELL, "0.999", 5, "110"))
    position, _ = swapped(*first)
    assert (position.net, position.left, position.opened_ns) == (Decimal("0.001"), True, 1)
    second = (swap(Side.BUY, "0.5", 8), swap(Side.BUY, "0.5", 9), swap(Side.SELL, "1.001", 12, "110"))
    position, trips = swapped(*first, *second)
    assert [trip.opened_ns for trip in trips] == [1, 8]
    assert not position.left
