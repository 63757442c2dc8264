"""What the venue refuses before it takes an order: each rule at its edge."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.model.orders import OrderKind, Side
from kangbot.sim.exchange.checks import check_filters, check_price, check_quantity, check_stops, check_trigger, reached
from kangbot.sim.exchange.orders import Direction, OrderRequest
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from tests.support.instruments import instrument_of

D = Decimal
MARKET = instrument_of(min_quantity=D("0.01"), max_quantity=D(2))  # a tick of 0.1, a step of 0.001, 5 at least


def asked(quantity: str = "1", **terms: object) -> OrderRequest:
    """Return a market order to buy."""
    plain = OrderRequest(market=MARKET.market, side=Side.BUY, kind=OrderKind.MARKET, quantity=D(quantity))
    return msgspec.structs.replace(plain, **terms)


def limit(price: str | None, quantity: str = "1") -> OrderRequest:
    """Return a limit order to buy."""
    return asked(quantity, kind=OrderKind.LIMIT, price=None if price is None else D(price))


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ("0", Reason.QUANTITY_INVALID),
        ("-1", Reason.QUANTITY_INVALID),
        ("0.0101", Reason.QUANTITY_INVALID),
        ("0.009", Reason.QUANTITY_SMALL),
        ("2.001", Reason.QUANTITY_LARGE),
    ],
)
def test_a_quantity_is_a_multiple_of_the_step_between_least_and_most(quantity: str, reason: Reason) -> None:
    """Each refusal has its own reason, and the bounds themselves are taken."""
    with pytest.raises(RequestRefused) as refused:
        check_quantity(MARKET, D(quantity))
    assert refused.value.reason is reason
    for bound in ("0.01", "2", "2.000"):
        check_quantity(MARKET, D(bound))


def test_a_market_may_have_no_largest_quantity() -> None:
    """As some venues tell none."""
    check_quantity(msgspec.structs.replace(MARKET, max_quantity=None), D(1_000_000))


@pytest.mark.parametrize("price", [None, "0", "-0.1", "100.05"])
def test_a_price_is_a_positive_multiple_of_the_tick(price: str | None) -> None:
    """One that is missing is no price either, and is told as that."""
    with pytest.raises(RequestRefused) as refused:
        check_price(MARKET, None if price is None else D(price))
    assert refused.value.reason is Reason.PRICE_INVALID
    check_price(MARKET, D("0.1"))


@pytest.mark.parametrize("named", ["price", "trigger", "stop", "target"])
def test_every_price_of_a_request_is_looked_at(named: str) -> None:
    """A market order has none of its own, and what stands there is not used."""
    beside = msgspec.structs.replace(asked(), **{named: D("100.05")})
    if named == "price":
        check_filters(MARKET, beside, D(100))
        beside = limit("100.05")
    with pytest.raises(RequestRefused) as refused:
        check_filters(MARKET, beside, D(100))
    assert refused.value.reason is Reason.PRICE_INVALID


def test_a_limit_order_without_a_price_is_refused() -> None:
    """Not passed on, and no fall of the venue's."""
    with pytest.raises(RequestRefused) as refused:
        check_filters(MARKET, limit(None), D(100))
    assert refused.value.reason is Reason.PRICE_INVALID


@pytest.mark.parametrize(
    ("request_", "last"),
    [
        (limit("499.9", "0.01"), "9999"),
        (asked("0.01"), "499.9"),
        (asked("0.01", trigger=D("499.9")), "9999"),
        (msgspec.structs.replace(limit("499.9", "0.01"), trigger=D(9999)), "9999"),
    ],
)
def test_an_order_is_worth_the_least_value_at_the_price_it_will_have(request_: OrderRequest, last: str) -> None:
    """Its limit, or its trigger, or the last price; what reduces a position may be worth less."""
    with pytest.raises(RequestRefused) as refused:
        check_filters(MARKET, request_, D(last))
    assert refused.value.reason is Reason.NOTIONAL_SMALL
    check_filters(MARKET, msgspec.structs.replace(request_, reduce_only=True), D(last))


def test_the_least_value_itself_is_enough() -> None:
    """Five Tether where five are asked for."""
    check_filters(MARKET, limit("500", "0.01"), D(1))
    check_filters(MARKET, asked("0.01"), D(500))


@pytest.mark.parametrize(("direction", "waits", "word"), [("rise", "100.1", "Rising"), ("fall", "99.9", "Falling")])
def test_a_trigger_is_beyond_the_last_price(direction: str, waits: str, word: str) -> None:
    """At it or short of it, it has been passed; the words say which way was expected."""
    way = Direction(direction)
    check_trigger(asked(trigger=D(waits), direction=way), D(100))
    with pytest.raises(RequestRefused, match=f"expect {word}, but trigger_price") as refused:
        check_trigger(asked(trigger=D(100), direction=way), D(100))
    assert refused.value.reason is Reason.TRIGGER_PASSED
    check_trigger(asked(), D(100))


@pytest.mark.parametrize(("side", "below", "above"), [(Side.BUY, "stop", "target"), (Side.SELL, "target", "stop")])
def test_stops_are_on_their_sides_of_the_price(side: Side, below: str, above: str) -> None:
    """A stop where money is lost, a target where it is won; on the price itself it would trigger at once."""

    def check(**prices: Decimal) -> None:
        check_stops(side, prices.get("stop"), prices.get("target"), D(100))

    check()
    check(**{below: D("99.9"), above: D("100.1")})
    for named, price in ((below, "100"), (below, "100.1"), (above, "100"), (above, "99.9")):
        with pytest.raises(RequestRefused) as refused:
            check(**{named: D(price)})
        assert refused.value.reason is Reason.STOP_SIDE


def test_a_trigger_is_reached_by_the_price_itself() -> None:
    """From below or from above."""
    found = [(way, last) for way in Direction for last in (99, 100, 101) if reached(D(100), way, D(last))]
    assert found == [(Direction.RISE, 100), (Direction.RISE, 101), (Direction.FALL, 99), (Direction.FALL, 100)]
