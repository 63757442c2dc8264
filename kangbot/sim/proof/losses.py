"""What a day may lose: no entry is made once as much has been realised on it.

Counted from the events as they are made, for the daemon knows what it has not written yet; what a crash takes with it
is forgotten here too. The daemon may stop before that, by its equity: that is not held against it.
"""

from collections.abc import Callable

from kangbot.model.events import CashFlowApplied, Event, OrderIntended, RoundTripClosed
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Purpose

_DAY_NS = 86_400_000_000_000


class LossWatch:
    """Watches one session. `limit` is None where losses are not limited; `fail(what)` is told of a broken promise."""

    def __init__(self, limit: Money | None, fail: Callable[[str], None]) -> None:
        self._limit = limit
        self._fail = fail
        self._kept: dict[int, Money] = {}  # realised, by day since the epoch: what is on disk
        self._made: dict[int, Money] = {}  # and what has been made in this life beside it

    def begins(self) -> None:
        """Learn that a life begins, which knows what is on disk."""
        self._made = dict(self._kept)

    def synced(self, event: Event) -> None:
        """Learn of an event that is on disk."""
        _count(self._kept, event)

    def announced(self, event: Event) -> None:
        """Learn of an event as it is made."""
        _count(self._made, event)
        if self._limit is None or not isinstance(event, OrderIntended) or event.intent.purpose is not Purpose.ENTRY:
            return
        lost = -self._made.get(event.at_ns // _DAY_NS, ZERO)
        if lost >= self._limit:
            self._fail(f"entry {event.intent.client_id} is intended when the day has lost {lost} of {self._limit}")


def _count(days: dict[int, Money], event: Event) -> None:
    match event:
        case RoundTripClosed(trip=trip, at_ns=at_ns):
            amount = trip.net_profit
        case CashFlowApplied(flow=flow, at_ns=at_ns):
            amount = flow.amount
        case _:
            return
    days[at_ns // _DAY_NS] = days.get(at_ns // _DAY_NS, ZERO) + amount
