"""What the shipped strategies have in common: where the stop goes, and when a signal has had its trade."""

from decimal import Decimal

from kangbot.model.money import Price
from kangbot.model.position import Position, RoundTrip
from kangbot.strategy.indicators import Signal


def stop_price(position: Position, close: Price, direction: int, percent: Decimal) -> Price:
    """Return the stop `percent` away from the entry of a position held in `direction`, else from the newest close.

    A function of the position and not of past decisions: after a restart the stop is where it was.
    """
    entry = position.entry
    held = (position.net > 0) - (position.net < 0)
    base = entry if entry is not None and held == direction else close
    return base * (1 - direction * percent / 100)


def traded(signal: Signal, direction: int, last_trip: RoundTrip | None) -> bool:
    """Whether the signal in `direction` has already led to a round trip that is closed (by its stop, or by hand).

    A signal older than the memory counts as traded where the newest round trip went its way.
    """
    return last_trip is not None and last_trip.side.sign == direction and last_trip.opened_ns >= signal.since_ns
