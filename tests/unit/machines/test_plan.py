"""The next step from a position to a target: one order at a time, odd sizes by the table, the stop always."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kangbot.machines.plan import Plan, Style, Working, plan
from kangbot.model.data import Quote
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO
from kangbot.model.orders import OrderKind, Proposal, Purpose, Side, TimeInForce
from kangbot.model.position import Position
from kangbot.model.target import Target
from tests.support.instruments import instrument_of

D = Decimal  # figures are read here more than types
MARKET = MarketId("bybit:BTC-USDT:USDT")
LINEAR = instrument_of(step=D("0.01"), min_quantity=D("0.02"), max_quantity=D(50))
SPOT = msgspec.structs.replace(LINEAR, kind=InstrumentKind.SPOT)
QUOTE = Quote(market=MARKET, bid=D("99.9"), bid_quantity=D(1), ask=D(100), ask_quantity=D(1), at_ns=0)
SIZE = D(1000)  # ten units at the ask
LIMIT = Style(kind=OrderKind.LIMIT, exit_kind=OrderKind.LIMIT, patience_ns=10)
AT_ONCE = Style(kind=OrderKind.LIMIT, patience_ns=10)


def want(exposure: str, stop: str | None = None) -> Target:
    """A target with a reason."""
    return Target(exposure=D(exposure), stop=None if stop is None else D(stop), reason="because")


def holding(net: str | D) -> Position:
    """A position of `net`, entered at 100."""
    quantity = abs(D(net))
    return Position(market=MARKET, net=D(net), entered=quantity, entry_value=quantity * 100)


def working(purpose: Purpose, side: Side, remaining: str = "1", **fields: object) -> Working:
    """A limit order at work, young and known unless said otherwise."""
    base = Working(
        client_id=ClientId("kb1"), purpose=purpose, side=side, kind=OrderKind.LIMIT, remaining=D(remaining), age_ns=0
    )
    return msgspec.structs.replace(base, **fields)


def step(
    target: Target | None,
    net: str | D = "0",
    *orders: Working,
    instrument: Instrument = LINEAR,
    quote: Quote = QUOTE,
    size: D = SIZE,
    style: Style = Style(),  # noqa: B008 -- frozen
    resting_stop: D | None = None,
) -> Plan:
    """Plan from the position `net` with the orders at work."""
    return plan(
        target=target,
        position=holding(net),
        working=orders,
        instrument=instrument,
        quote=quote,
        size=size,
        style=style,
        resting_stop=resting_stop,
    )


def only(result: Plan) -> Proposal:
    """Return the single proposal of a plan that does nothing else."""
    (proposal,) = result.proposals
    assert not result.cancels
    return proposal


NOTHING = Plan()


# ---------------------------------------------------------------------------------------------------- enter and leave
def test_a_flat_market_enters_at_its_size_with_its_stop() -> None:
    """The quantity costs no more than the size at the ask; the stop is rounded towards the price."""
    entry = only(step(want("1", "95.03")))
    assert (entry.purpose, entry.side, entry.kind, entry.quantity) == (Purpose.ENTRY, Side.BUY, OrderKind.MARKET, D(10))
    assert (entry.price, entry.reference, entry.stop, entry.reason) == (None, D(100), D("95.1"), "because")


def test_a_short_sells_at_the_bid_with_its_stop_above() -> None:
    """Half the size, rounded down to the step; the stop is rounded down towards the price."""
    entry = only(step(want("-0.5", "105.07")))
    assert (entry.side, entry.quantity, entry.reference, entry.stop) == (Side.SELL, D("5.00"), D("99.9"), D("105.0"))


def test_nobody_wants_anything() -> None:
    """Without a target, flat with a flat target, or held as wanted: nothing to do."""
    assert step(None) == step(None, "3") == step(want("0")) == step(want("1"), "10") == NOTHING


def test_a_position_that_is_not_wanted_is_closed() -> None:
    """Reduce, at the price that closing brings, without a stop of its own."""
    leave = only(step(want("0"), "10"))
    assert (leave.purpose, leave.side, leave.quantity, leave.reference) == (Purpose.EXIT, Side.SELL, D(10), D("99.9"))
    assert leave.stop is None


@pytest.mark.parametrize(("net", "side"), [("0.06", Side.SELL), ("-0.06", Side.BUY)])
def test_a_small_position_is_closed_by_its_other_side(net: str, side: Side) -> None:
    """Of a dear coin most are less than one; of a cheap one the price is less than a dollar."""
    assert only(step(want("0"), net)).side is side
    cheap = msgspec.structs.replace(QUOTE, bid=D("0.4"), ask=D("0.5"))
    assert only(step(want("1"), quote=cheap)).quantity == 50


def test_a_flip_is_an_exit_first() -> None:
    """The other side is entered on the pass after."""
    leave = only(step(want("1", "95"), "-7"))
    assert (leave.purpose, leave.side, leave.quantity, leave.reference) == (Purpose.EXIT, Side.BUY, D(7), D(100))
    assert only(step(want("1", "95"))).purpose is Purpose.ENTRY
    missed = only(step(want("1", "100"), "-7", style=LIMIT))
    assert missed.kind is OrderKind.LIMIT, "the stop that the price has passed is not the stop of what is held"


def test_spot_is_never_short() -> None:
    """A short target means flat there."""
    assert step(want("-1", "105"), instrument=SPOT) == NOTHING
    assert only(step(want("-1", "105"), "3", instrument=SPOT)).purpose is Purpose.EXIT


def test_an_empty_side_of_the_book_waits() -> None:
    """Without a price there is no size; what is too old is cancelled all the same."""
    for side in ({"bid": ZERO}, {"ask": ZERO}):
        quote = msgspec.structs.replace(QUOTE, **side)
        old = working(Purpose.ENTRY, Side.BUY, age_ns=10)
        assert step(want("1"), "0", old, quote=quote, style=LIMIT) == Plan(
            cancels=(ClientId("kb1"),), refused="the book is empty on one side"
        )


# ------------------------------------------------------------------------------------------------- the table of sizes
def test_too_little_to_enter_is_refused_and_not_rounded_up() -> None:
    """By quantity and by value, each with its figure."""
    assert step(want("0.001")).refused == "0.01 is too little to enter: the least quantity is 0.02"
    assert step(want("0.0045")).refused == "0.04 is too little to enter: the least value is 5 USDT"
    assert not step(want("0.001")).proposals
    assert only(step(want("0.005"))).quantity == D("0.05")  # five at the ask
    at_the_bid = step(want("0.005"), style=LIMIT)
    assert at_the_bid.refused == "0.05 is too little to enter: the least value is 5 USDT"


@pytest.mark.parametrize(("net", "target"), [("8", "1"), ("12.5", "1"), ("-8.01", "-1")])
def test_inside_the_band_nothing_is_done(net: str, target: str) -> None:
    """A drift of the price, or a fill that is nearly whole, causes no order."""
    assert step(want(target), net) == NOTHING


def test_outside_the_band_the_rest_is_entered_or_closed() -> None:
    """What is missing is entered, what is too much is closed."""
    more, less = only(step(want("1"), "7.99")), only(step(want("0.5"), "10"))
    assert (more.purpose, more.quantity) == (Purpose.ENTRY, D("2.01"))
    assert (less.purpose, less.side, less.quantity) == (Purpose.EXIT, Side.SELL, D("5.00"))


def test_a_missing_rest_below_the_minimum_stands() -> None:
    """A partial fill whose rest the venue would not take."""
    assert step(want("0.01"), "0.06").refused == "0.04 is too little to enter: the least value is 5 USDT"


def test_a_surplus_below_the_minimum_is_closed_with_the_rest() -> None:
    """It is too little for an order of its own."""
    fine = Style(band=D("0.0001"))
    assert step(want("1"), "10.01", style=fine).refused == "0.01 is too little to close: the least quantity is 0.02"
    assert only(step(want("0"), "10.01", style=fine)).quantity == D("10.01")


def test_coins_that_would_be_too_few_for_their_stop_are_sold_with_the_surplus() -> None:
    """They are worth an order now and none at the stop; a contract's stop closes whatever there is."""
    assert only(step(want("0.006", "80"), "10", instrument=SPOT)).quantity == D(10)
    assert only(step(want("0.006"), "10", instrument=SPOT)).quantity == D("9.94")
    assert only(step(want("0.006", "90"), "10", instrument=SPOT)).quantity == D("9.94")
    assert only(step(want("0.006", "80"), "10", resting_stop=D(80))).quantity == D("9.94")


def test_coins_are_bought_as_far_as_one_stop_covers_them() -> None:
    """It is one order, so the venue's largest bounds them; a contract's stop is its position's, whatever its size."""
    narrow = msgspec.structs.replace(SPOT, max_quantity=D(4))
    whole = "10 is more than one stop covers: the most is 4"
    assert only(step(want("1", "95"), instrument=narrow)).quantity == D(4)
    assert step(want("1"), "4", instrument=narrow) == Plan(refused=whole)
    assert step(want("1"), "3.2", instrument=narrow) == Plan(refused=whole)  # as full as it gets, inside the band
    assert only(step(want("1", "95"), "1.5", instrument=narrow)).quantity == D("2.5")
    assert step(want("0.4"), "4", instrument=narrow) == NOTHING
    for most in (D(6), None):
        assert step(want("0.4"), "4.5", instrument=msgspec.structs.replace(SPOT, max_quantity=most)) == NOTHING
    contract = msgspec.structs.replace(LINEAR, max_quantity=D(4))
    assert only(step(want("1", "95"), "4", instrument=contract)).quantity == D(4)


def test_coins_are_not_bought_where_they_would_be_too_few_for_their_stop() -> None:
    """It is an order of its own there, held to the venue's minimum at its own price, with the fee taken from them."""
    spot = msgspec.structs.replace(SPOT, min_notional=D(950))
    near = step(want("1", "96"), instrument=spot)
    assert only(near).quantity == D(10)
    far = step(want("1", "95"), instrument=spot)
    assert not far.proposals
    assert far.refused.startswith(
        "10 is too little to enter: its stop is an order of its own, and at 95 the least value"
    )
    assert only(step(want("1"), instrument=spot)).quantity == D(10)
    assert only(step(want("1", "95"), instrument=msgspec.structs.replace(LINEAR, min_notional=D(950)))).stop == D(95)


def test_coins_that_no_stop_covers_are_sold() -> None:
    """They were adopted, or the venue lowered its maximum: the band is for what has a stop."""
    narrow = msgspec.structs.replace(SPOT, max_quantity=D(4))
    less = only(step(want("0.4"), "4.5", instrument=narrow))
    assert (less.purpose, less.side, less.quantity) == (Purpose.EXIT, Side.SELL, D("0.5"))
    assert only(step(want("1"), "9", instrument=narrow)).quantity == D(4)  # one order a pass
    assert step(want("0.4"), "4.009", instrument=narrow) == NOTHING  # what a fee left of a step has none anyhow
    contract = msgspec.structs.replace(LINEAR, max_quantity=D(4))
    assert step(want("0.4"), "4.5", instrument=contract) == NOTHING


def test_a_reduction_that_would_leave_dust_closes_all() -> None:
    """What would be left could never be closed."""
    assert only(step(want("0.001"), "5")).quantity == 5
    assert only(step(want("0.004"), "5", instrument=SPOT)).quantity == 5


def test_dust_is_left_and_named() -> None:
    """It cannot be closed; it is said once for whoever logs it."""
    assert step(want("0"), "0.01") == Plan(refused="0.01 is too little to close: the least quantity is 0.02")
    assert step(want("0"), "0.04", instrument=SPOT).refused == "0.04 is too little to close: the least value is 5 USDT"
    assert only(step(want("0"), "0.04")).quantity == D("0.04")


def test_dust_does_not_stand_in_the_way_of_an_entry() -> None:
    """Dust of the same side counts; of the other side it is traded away by the entry, which is no larger for it."""
    assert only(step(want("1"), "0.01")).quantity == D("9.99")
    assert only(step(want("1"), "-0.01")).quantity == 10


def test_the_maximum_is_taken_in_passes() -> None:
    """Entries and exits alike."""
    assert only(step(want("1"), size=D(8000))).quantity == 50
    assert only(step(want("1"), "50", size=D(8000))).quantity == 30
    assert only(step(want("0"), "80")).quantity == 50


# ---------------------------------------------------------------------------------------------------- what is at work
def test_nothing_new_while_an_order_is_in_flight() -> None:
    """Neither an entry nor an exit: first the one at work must end."""
    market = {"kind": OrderKind.MARKET}
    assert step(want("1"), "0", working(Purpose.ENTRY, Side.BUY, **market)) == NOTHING
    assert step(want("0"), "5", working(Purpose.EXIT, Side.SELL, **market)) == NOTHING
    assert step(want("0"), "5", working(Purpose.ENTRY, Side.BUY, **market)) == NOTHING


def test_a_resting_limit_order_is_cancelled_when_its_patience_is_over() -> None:
    """Once: not again while the cancellation is under way; a market order never rests."""
    target = want("1")
    for purpose, side, net in ((Purpose.ENTRY, Side.BUY, "0"), (Purpose.EXIT, Side.SELL, "10")):
        old = working(purpose, side, age_ns=10)
        assert step(target, net, old, style=LIMIT).cancels == (ClientId("kb1"),)
        assert step(None, net, old, style=LIMIT).cancels == (ClientId("kb1"),)
        for left_alone in ({"canceling": True}, {"unknown": True}, {"kind": OrderKind.MARKET}, {"age_ns": 9}):
            assert not step(target, net, msgspec.structs.replace(old, **left_alone), style=LIMIT).cancels


@pytest.mark.parametrize(
    ("target", "net", "order"),
    [
        (want("0"), "0", working(Purpose.ENTRY, Side.BUY)),
        (want("-1"), "0", working(Purpose.ENTRY, Side.BUY)),
        (want("0.1"), "1", working(Purpose.ENTRY, Side.BUY, "9")),
        (want("1"), "4", working(Purpose.ENTRY, Side.BUY, "8.01")),  # a step beyond the edge of the band
        (want("1", "99.9"), "5", working(Purpose.ENTRY, Side.BUY)),
        (want("1"), "10", working(Purpose.EXIT, Side.SELL, "10")),
    ],
)
def test_a_resting_order_that_leads_away_from_the_target_is_cancelled(target: Target, net: str, order: Working) -> None:
    """The target went flat, turned, shrank, passed its stop, or wants the position back."""
    assert step(target, net, order, style=LIMIT) == Plan(cancels=(ClientId("kb1"),))
    asked = msgspec.structs.replace(order, canceling=True)
    assert step(target, net, asked, style=LIMIT) == NOTHING


@pytest.mark.parametrize(
    ("target", "net", "order"),
    [
        (want("1"), "0", working(Purpose.ENTRY, Side.BUY, "10")),
        (want("1"), "4", working(Purpose.ENTRY, Side.BUY, "6")),
        (want("1"), "4", working(Purpose.ENTRY, Side.BUY, "8")),  # to the edge of the band
        (want("0.5"), "10", working(Purpose.EXIT, Side.SELL, "6")),
        (want("0.5"), "10", working(Purpose.EXIT, Side.SELL, "5")),
        (want("0"), "10", working(Purpose.EXIT, Side.SELL, "10")),
        (want("1"), "-10", working(Purpose.EXIT, Side.BUY, "10")),
    ],
)
def test_a_resting_order_that_leads_to_the_target_is_left_alone(target: Target, net: str, order: Working) -> None:
    """Until it fills or its patience is over."""
    assert step(target, net, order, style=LIMIT) == NOTHING


@pytest.mark.parametrize(
    ("target", "style"),
    [
        (want("0"), AT_ONCE),  # as the kill switch and a stop that is lost want it
        (want("1", "100"), LIMIT),  # the price is beyond the stop, and none rests
        (want("0.5"), AT_ONCE),
    ],
)
def test_an_exit_that_must_leave_at_once_does_not_wait_for_a_resting_one(target: Target, style: Style) -> None:
    """However young that is: it would wait for its price while nothing protects the position."""
    resting = working(Purpose.EXIT, Side.SELL, "10", age_ns=0)
    assert step(target, "10", resting, style=style) == Plan(cancels=(ClientId("kb1"),))
    assert step(target, "10", msgspec.structs.replace(resting, canceling=True), style=style) == NOTHING
    assert only(step(target, "10", style=style)).kind is OrderKind.MARKET


def test_an_unknown_entry_blocks_entries_and_lets_exits_through() -> None:
    """The known position can always be left."""
    lost = working(Purpose.ENTRY, Side.BUY, "10", unknown=True)
    assert step(want("1"), "0", lost) == Plan(refused="an order of unknown outcome is being resolved")
    assert only(step(want("0"), "4", lost)).quantity == 4


def test_an_unknown_exit_blocks_what_it_may_have_closed() -> None:
    """Only the rest can be closed, and what is left of it may be too little."""
    lost = working(Purpose.EXIT, Side.SELL, "4", unknown=True)
    assert only(step(want("0"), "10", lost)).quantity == 6
    assert step(want("0"), "4", lost) == NOTHING
    assert step(want("0"), "4.01", lost).refused == "0.01 is too little to close: the least quantity is 0.02"


# ------------------------------------------------------------------------------------------------------- limit orders
def test_limit_orders_join_their_side_and_iocs_cross() -> None:
    """The reference stays the price at which the decision could have been had at once."""
    entry, leave = only(step(want("1"), style=LIMIT)), only(step(want("0"), "5", style=LIMIT))
    assert (entry.price, entry.time_in_force, entry.reference) == (D("99.9"), TimeInForce.GTC, D(100))
    assert (leave.kind, leave.price) == (OrderKind.LIMIT, D("100.0"))
    crossing = Style(kind=OrderKind.LIMIT, time_in_force=TimeInForce.IOC)
    entry = only(step(want("1"), style=crossing))
    assert (entry.price, entry.time_in_force) == (D("100.0"), TimeInForce.IOC)
    assert only(step(want("0"), "5", style=crossing)).time_in_force is TimeInForce.GTC  # a market order has none


# --------------------------------------------------------------------------------------------------------------- stop
@pytest.mark.parametrize("stop", ["99.9", "99.85", "101"])
def test_a_stop_beyond_the_price_refuses_the_entry(stop: str) -> None:
    """At the bid, rounded to the bid, and above it: the position would end as it begins."""
    result = step(want("1", stop))
    assert not result.proposals
    assert result.refused.endswith("is not beyond the price 99.9")
    assert only(step(want("1", "99.8"))).stop == D("99.8")


def test_what_is_small_is_said_as_prices_are_written() -> None:
    """Without an exponent; and a stop that is nearer than a tick, to the side of the loss, is at the price itself."""
    tiny = msgspec.structs.replace(LINEAR, tick=D("1E-10"), step=D(100_000), max_quantity=None)
    quote = msgspec.structs.replace(QUOTE, bid=D("4E-10"), ask=D("5E-10"))
    near = step(want("1", "3.9E-10"), instrument=tiny, quote=quote)
    assert near.refused == "the stop 0.0000000004 is not beyond the price 0.0000000004"
    (entry,) = step(want("1", "2.1E-10"), instrument=tiny, quote=quote).proposals
    assert (entry.quantity, entry.stop) == (D(2_000_000_000_000), D("3E-10"))
    fine = msgspec.structs.replace(LINEAR, step=D("1E-8"), min_quantity=D("2E-7"))
    dust = step(want("0"), "1E-7", instrument=fine)
    assert dust.refused == "0.0000001 is too little to close: the least quantity is 0.0000002"


def test_a_held_position_gets_its_stop_moved_once() -> None:
    """Where none rests, or another; a difference inside the stop's band is left, so is the stop of a target without."""
    target = want("1", "95")
    assert step(target, "10") == Plan(stop=D(95))
    assert step(target, "10", resting_stop=D("94.9")) == Plan(stop=D(95))
    assert step(target, "10", resting_stop=D("94.96")) == NOTHING
    assert step(target, "10", resting_stop=D("95.0475")) == NOTHING
    assert step(target, "10", resting_stop=D("95.0476")) == Plan(stop=D(95))
    assert step(want("1"), "10", resting_stop=D(90)) == NOTHING
    assert step(want("-1", "105"), "-10", resting_stop=D(106)) == Plan(stop=D(105))


def test_neither_dust_nor_another_order_keeps_the_stop_from_its_place() -> None:
    """The smallest partial fill is protected."""
    at_work = working(Purpose.ENTRY, Side.BUY, "9.99")
    assert step(want("1", "95"), "0.01", at_work, style=LIMIT) == Plan(stop=D(95))


def test_the_stop_of_a_position_that_is_to_be_closed_stays() -> None:
    """It protects until the exit is filled."""
    assert step(want("0"), "10").stop is None
    assert step(want("-1", "105"), "10").stop is None


def test_a_position_beyond_its_stop_is_left_to_the_resting_one_or_closed() -> None:
    """Closed at the market where no stop rests near, whatever the style of exits."""
    target = want("1", "100")
    assert step(target, "10", resting_stop=D("99.98")) == NOTHING
    for resting in (None, D(90)):
        leave = only(step(target, "10", resting_stop=resting, style=LIMIT))
        assert (leave.purpose, leave.kind, leave.quantity) == (Purpose.EXIT, OrderKind.MARKET, D(10))
        assert leave.reason == "price 99.9 is beyond the stop 100"


# --------------------------------------------------------------------------------------------------------- properties
quantities = st.integers(min_value=-12_000, max_value=12_000).map(lambda n: n * LINEAR.step)
prices = st.integers(min_value=1, max_value=100_000).map(lambda n: n * LINEAR.tick)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Any book that is not crossed."""
    bid = draw(prices)
    ask = bid + draw(st.integers(min_value=0, max_value=50)) * LINEAR.tick
    return msgspec.structs.replace(QUOTE, bid=bid, ask=ask)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Any target, its stop anywhere."""
    exposure = draw(st.decimals(min_value=-1, max_value=1, places=3))
    return Target(exposure=exposure, stop=draw(st.none() | prices), reason="because")


@st.composite
def orders(draw: st.DrawFn) -> tuple[Working, ...]:
    """Up to three orders at work, known or not."""
    drawn = draw(
        st.lists(
            st.builds(
                Working,
                client_id=st.just(ClientId("")),
                purpose=st.sampled_from(Purpose),
                side=st.sampled_from(Side),
                kind=st.sampled_from(OrderKind),
                remaining=st.integers(min_value=1, max_value=5_000).map(lambda n: n * LINEAR.step),
                age_ns=st.integers(min_value=0, max_value=20),
                unknown=st.booleans(),
                canceling=st.booleans(),
            ),
            max_size=3,
        )
    )
    return tuple(msgspec.structs.replace(each, client_id=ClientId(f"kb{i}")) for i, each in enumerate(drawn))


styles = st.builds(
    Style,
    kind=st.sampled_from(OrderKind),
    exit_kind=st.sampled_from(OrderKind),
    time_in_force=st.sampled_from(TimeInForce),
    patience_ns=st.just(10),
)
instruments = st.sampled_from([LINEAR, SPOT])
sizes = st.integers(min_value=1, max_value=100_000).map(D)


@given(
    target=targets(),
    net=quantities,
    at_work=orders(),
    instrument=instruments,
    quote=quotes(),
    size=sizes,
    style=styles,
    resting_stop=st.none() | prices,
)
def test_no_plan_does_harm(
    *,
    target: Target,
    net: D,
    at_work: tuple[Working, ...],
    instrument: Instrument,
    quote: Quote,
    size: D,
    style: Style,
    resting_stop: D | None,
) -> None:
    """Whatever is held and at work: filters hold, exits never flip, entries never exceed the target or the size."""
    result, again = (
        step(
            target,
            net,
            *at_work,
            instrument=instrument,
            quote=quote,
            size=size,
            style=style,
            resting_stop=resting_stop,
        )
        for _ in range(2)
    )
    assert result == again
    by_id = {each.client_id: each for each in at_work}
    assert len(set(result.cancels)) == len(result.cancels)
    assert all(not by_id[each].unknown and not by_id[each].canceling for each in result.cancels)
    if result.stop is not None:
        assert net != 0
        assert result.stop % instrument.tick == 0
        assert (quote.bid - result.stop if net > 0 else result.stop - quote.ask) > 0
    assert len(result.proposals) <= 1
    for proposal in result.proposals:
        assert all(each.unknown for each in at_work)
        check_filters(proposal, instrument)
        if proposal.purpose is Purpose.EXIT:
            unsure = sum((each.remaining for each in at_work if each.purpose is Purpose.EXIT), ZERO)
            assert proposal.side.sign * net < 0
            assert proposal.quantity <= abs(net) - unsure
        else:
            assert not at_work
            after = net + proposal.quantity * proposal.side.sign
            assert proposal.side.sign * target.exposure > 0
            assert abs(after) * proposal.reference <= abs(target.exposure) * size
            assert instrument.kind is InstrumentKind.LINEAR or 0 < after <= 50  # which is what one stop can sell


def check_filters(proposal: Proposal, instrument: Instrument) -> None:
    """Assert what the venue would ask of the order."""
    assert proposal.quantity % instrument.step == 0
    assert instrument.max_quantity is not None
    assert instrument.min_quantity <= proposal.quantity <= instrument.max_quantity
    if proposal.purpose is Purpose.ENTRY or instrument.kind is InstrumentKind.SPOT:
        assert proposal.quantity * max(proposal.price or ZERO, proposal.reference) >= instrument.min_notional
    if proposal.stop is not None:
        assert proposal.stop % instrument.tick == 0
        assert (proposal.reference - proposal.stop) * proposal.side.sign > 0
    if proposal.price is not None:
        assert proposal.price % instrument.tick == 0


@given(targets(), quantities, quotes(), sizes, instruments)
def test_filling_what_was_planned_comes_to_rest(
    target: Target, net: D, quote: Quote, size: D, instrument: Instrument
) -> None:
    """In a still market the plan is empty after a few fills, and its stop then rests."""
    assume(instrument.kind is InstrumentKind.LINEAR or net >= 0)
    resting: D | None = None
    passes = int(abs(net) / 50 + size / quote.bid / 50) + 4
    for _ in range(min(passes, 60)):
        result = step(target, net, instrument=instrument, quote=quote, size=size, resting_stop=resting)
        if not result.proposals and result.stop is None:
            return
        resting = resting if result.stop is None else result.stop
        for proposal in result.proposals:
            net += proposal.quantity * proposal.side.sign
            resting = proposal.stop or resting
    assert passes > 60, "it did not come to rest"  # else there are more of the venue's maxima than are worth a test
