"""Orders as the venue keeps them, and the requests that they come from."""

from decimal import ROUND_UP, Context, Decimal, localcontext

import msgspec
import pytest

from kangbot.model.ids import VenueOrderId, client_id, stop_id
from kangbot.model.orders import OrderKind, OrderStatus, Purpose, Side, TimeInForce
from kangbot.sim.exchange.orders import Cause, Direction, OrderRequest, Origin, SimOrder
from tests.support.sim_bench import START_NS, Bench
from tests.support.trade_words import MARKET, TAG, intent

D = Decimal
LIMIT = OrderRequest(market=MARKET, side=Side.BUY, kind=OrderKind.LIMIT, quantity=D(3), price=D(100), client_id="kb1")
ORDER = SimOrder(
    order_id=VenueOrderId("1"), request=LIMIT, quantity=D(3), price=D(100), created_ns=START_NS, updated_ns=START_NS
)


def order(**changes: object) -> SimOrder:
    """Return an order to buy three at 100."""
    return msgspec.structs.replace(ORDER, **changes)


def test_a_request_carries_the_whole_intent() -> None:
    """A contract's stop rides with it."""
    meant = msgspec.structs.replace(
        intent(2, 3, purpose=Purpose.EXIT, time_in_force=TimeInForce.POST_ONLY, stop="90"), reduce_only=True
    )
    assert OrderRequest.of(meant) == OrderRequest(
        market=MARKET,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity=D(3),
        price=D(100),
        time_in_force=TimeInForce.POST_ONLY,
        reduce_only=True,
        client_id=client_id(TAG, 2),
        stop=D(90),
    )


def test_a_request_for_coins_reduces_nothing_and_brings_no_stop() -> None:
    """There is no position that it could be for."""
    meant = msgspec.structs.replace(intent(stop="90"), market=Bench.spot, reduce_only=True)
    request = OrderRequest.of(meant)
    assert (request.reduce_only, request.stop, request.quantity) == (False, None, D(1))


@pytest.mark.parametrize(("net", "side"), [("2", Side.SELL), ("-2", Side.BUY)])
def test_a_position_is_closed_by_an_order_of_the_other_side(net: str, side: Side) -> None:
    """All of it, at the market, and never beyond."""
    request = OrderRequest.closing(MARKET, D(net), trigger=D(90), direction=Direction.FALL)
    assert (request.side, request.kind, request.quantity) == (side, OrderKind.MARKET, D(2))
    assert (request.reduce_only, request.time_in_force, request.client_id) == (True, TimeInForce.IOC, "")
    assert (request.trigger, request.direction) == (D(90), Direction.FALL)


def test_what_is_left_is_what_may_still_be_filled() -> None:
    """Of the amended quantity; nothing of an order that has ended."""
    assert order(filled=D(1), status=OrderStatus.PARTIAL).left == 2
    assert order(filled=D(1), quantity=D(5), status=OrderStatus.PARTIAL).left == 4
    assert order(filled=D(1), status=OrderStatus.CANCELED).left == 0


def test_the_average_is_the_venues_own_arithmetic() -> None:
    """Whatever a library has made of the thread's; without a fill there is none."""
    assert order().average is None
    third = order(filled=D(3), value=D(100))
    with localcontext(Context(prec=4, rounding=ROUND_UP)):
        assert third.average == D("33.33333333333333333333333333")


@pytest.mark.parametrize(
    ("origin", "name", "protective", "guards"),
    [
        (Origin.USER, "kb1", False, False),
        (Origin.USER, stop_id(client_id(TAG, 1), 0), False, True),
        (Origin.STOP_LOSS, "", True, True),
        (Origin.TAKE_PROFIT, "", True, True),
        (Origin.LIQUIDATION, "", True, True),
    ],
)
def test_a_stop_is_told_from_an_order_of_a_hand(origin: Origin, name: str, protective: bool, guards: bool) -> None:
    """One that the venue made, or ours beside a holding; in a report both are protective."""
    made = order(origin=origin, request=msgspec.structs.replace(LIMIT, client_id=name))
    assert (made.protective, made.guards, made.report().protective) == (protective, guards, guards)
    assert made.report().client_id == (name or None)


@pytest.mark.parametrize(
    ("price", "trigger", "reserved"), [("100", "90", "100"), (None, "90", "90"), (None, None, "0")]
)
def test_margin_is_reserved_at_the_price_that_an_order_would_have(
    price: str | None, trigger: str | None, reserved: str
) -> None:
    """Its limit, else its trigger; one at the market rests only where it is the venue's."""
    asked = [None if text is None else D(text) for text in (price, trigger)]
    assert order(price=asked[0], trigger=asked[1]).reserve_price == D(reserved)


def test_a_report_has_all_that_the_house_reads() -> None:
    """As it stands now, with the time of its last change and why it ended."""
    ended = order(
        status=OrderStatus.CANCELED,
        filled=D(1),
        value=D(99),
        quantity=D(4),
        trigger=D(95),
        cause=Cause.REDUCE_ONLY,
        request=msgspec.structs.replace(LIMIT, reduce_only=True),
        updated_ns=START_NS + 5,
    )
    told = ended.report()
    assert (told.venue_order_id, told.market, told.side, told.status) == ("1", MARKET, Side.BUY, OrderStatus.CANCELED)
    assert (told.quantity, told.filled, told.average, told.trigger) == (D(4), D(1), D(99), D(95))
    assert (told.reduce_only, told.code, told.at_ns) == (True, "reduce_only", START_NS + 5)
