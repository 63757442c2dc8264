"""Prices and quantities fit the venue's rules, and round to the side that does no harm."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.sizing import Book, below_minimum, clamp, limit_price, protective
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import OrderKind, Purpose, Side, TimeInForce
from tests.support.instruments import instrument_of

D = Decimal  # figures are read here more than types


def instrument(kind: InstrumentKind = InstrumentKind.LINEAR, maximum: str | None = "100") -> Instrument:
    """A market with a tick of 0.5 and a step of 0.001."""
    most = None if maximum is None else D(maximum)
    linear = instrument_of(tick=D("0.5"), min_quantity=D("0.002"), max_quantity=most)
    return msgspec.structs.replace(linear, kind=kind)


BOOK = Book(bid=D("99.7"), ask=D("100.2"))  # between ticks, to see the rounding


def test_opening_pays_the_far_side_and_closing_takes_the_near_one() -> None:
    """A long buys at the ask and sells at the bid; a short the other way round."""
    assert (BOOK.entry_price(1), BOOK.exit_price(1)) == (D("100.2"), D("99.7"))
    assert (BOOK.entry_price(-1), BOOK.exit_price(-1)) == (D("99.7"), D("100.2"))


@pytest.mark.parametrize(
    ("quantity", "maximum", "fits"),
    [("1.23456", "100", "1.234"), ("100.5", "100", "100"), ("100.5", "99.9995", "99.999"), ("100.5", None, "100.5")],
)
def test_a_quantity_is_rounded_down_and_capped(quantity: str, maximum: str | None, fits: str) -> None:
    """Never more than was asked, never more than the venue takes."""
    assert clamp(D(quantity), instrument(maximum=maximum)) == D(fits)


@pytest.mark.parametrize(
    ("kind", "purpose", "quantity", "price", "says"),
    [
        (InstrumentKind.LINEAR, Purpose.ENTRY, "0.1", "100", ""),
        (InstrumentKind.LINEAR, Purpose.ENTRY, "0.05", "100", ""),
        (InstrumentKind.LINEAR, Purpose.ENTRY, "0.002", "100000", ""),
        (InstrumentKind.LINEAR, Purpose.ENTRY, "0.01", "100", "the least value is 5 USDT"),
        (InstrumentKind.LINEAR, Purpose.ENTRY, "0.0019", "100000", "the least quantity is 0.002"),
        (InstrumentKind.LINEAR, Purpose.EXIT, "0.01", "100", ""),
        (InstrumentKind.LINEAR, Purpose.EXIT, "0", "100", "the least quantity is 0.002"),
        (InstrumentKind.SPOT, Purpose.EXIT, "0.01", "100", "the least value is 5 USDT"),
        (InstrumentKind.SPOT, Purpose.EXIT, "0.1", "100", ""),
        (InstrumentKind.SPOT, Purpose.EXIT, "0.0509", "99", "the least value is 5 USDT"),  # 0.05 of it can be sold
    ],
)
def test_the_minimum_that_is_missed_is_named(
    kind: InstrumentKind, purpose: Purpose, quantity: str, price: str, says: str
) -> None:
    """A reduce-only order of a derivative is exempt from the least value, and nothing from the least quantity."""
    assert below_minimum(D(quantity), D(price), instrument(kind), purpose) == says


def test_nothing_is_less_than_any_minimum() -> None:
    """Of a venue that names none, too; one step is not."""
    free = msgspec.structs.replace(instrument(), min_quantity=D(0), min_notional=D(0))
    assert below_minimum(D("0.0009"), D(100), free, Purpose.EXIT) == "the least quantity is 0"
    assert not below_minimum(D("0.001"), D(100), free, Purpose.ENTRY)


@pytest.mark.parametrize(
    ("kind", "time_in_force", "side", "price"),
    [
        (OrderKind.MARKET, TimeInForce.GTC, Side.BUY, None),
        (OrderKind.LIMIT, TimeInForce.IOC, Side.BUY, "100.5"),
        (OrderKind.LIMIT, TimeInForce.IOC, Side.SELL, "99.5"),
        (OrderKind.LIMIT, TimeInForce.GTC, Side.BUY, "99.5"),
        (OrderKind.LIMIT, TimeInForce.POST_ONLY, Side.SELL, "100.5"),
    ],
)
def test_a_limit_joins_its_side_or_crosses(
    kind: OrderKind, time_in_force: TimeInForce, side: Side, price: str | None
) -> None:
    """IOC is sure to trade; the others are sure to rest."""
    expected = None if price is None else D(price)
    assert limit_price(kind, time_in_force, side, BOOK, instrument()) == expected


@given(st.decimals(min_value="0.5", max_value="100000", places=4), st.sampled_from([1, -1]))
def test_a_stop_is_rounded_towards_the_price(stop: D, direction: int) -> None:
    """On the tick, at most a tick away, and never to the side of the larger loss."""
    rounded = protective(stop, direction, instrument())
    assert rounded % D("0.5") == 0
    assert 0 <= (rounded - stop) * direction < D("0.5")
