"""What the shipped strategies share: where the stop goes, and when a signal has had its trade."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from kangbot.model.ids import MarketId
from kangbot.model.orders import Side
from kangbot.model.position import Position, RoundTrip
from kangbot.strategy.indicators import Signal
from kangbot.strategy.protect import stop_price, traded

D = Decimal


def held(net: int, entry: int = 100) -> Position:
    """Return a position of so much that was entered at `entry`."""
    return Position(market=MarketId("v:A"), net=D(net), entered=abs(D(net)), entry_value=abs(D(net)) * entry)


def signal(since_ns: int) -> Signal:
    """Return one that has pointed its way since then."""
    made = Signal()
    made.since_ns = since_ns
    return made


@pytest.mark.parametrize(
    ("net", "direction", "stop"),
    [(2, 1, 95), (-2, -1, 105), (0, 1, 190), (0, -1, 210), (-2, 1, 190), (2, -1, 210)],
)
def test_a_stop_is_measured_from_the_entry_of_what_is_held_and_else_from_the_close(
    net: int, direction: int, stop: int
) -> None:
    """Five percent of 100 while it is held; of the close, 200, where flat or held the other way: a flip enters anew."""
    assert stop_price(held(net), D(200), direction, D(5)) == stop


def test_a_signal_has_had_its_trade_once_a_trip_its_way_was_opened_since(
    trip: Callable[[Side, int], RoundTrip],
) -> None:
    """One of before it, one the other way, or none, leaves it open; the moment that it began in counts."""
    long = trip(Side.BUY, 5)
    for since_ns, expected in ((long.opened_ns - 1, True), (long.opened_ns, True), (long.opened_ns + 1, False)):
        assert traded(signal(since_ns), 1, long) is expected
    assert not traded(signal(0), -1, long)
    assert traded(signal(0), -1, trip(Side.SELL, 5))
    assert not traded(signal(0), 1, None)
