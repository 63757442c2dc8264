"""What of a market's unwritten events can be left out, while its disk takes nothing.

The disk may take nothing for days, and what is learnt meanwhile waits in memory. Left out is what later events say as
well, so that a fold of what stays comes to the same as a fold of all (`machines/memory.py`)::

    an order's change            where a later one of the same order says as much: the last remains
    the position's stop          where a later one rests: it remains, and a removal after it
    notes that are remembered    hands, contradictions, releases: the same again is one, where it came last
    all other notes              the newest of each kind remains; each was in the log when it was made
    executions, cash flows,      all of them: nothing else says what they say
    round trips

A note that stands for others says for how many (`times`). What remains, once nothing can be left out any more, is what
the venue has done: `KEPT` says from when on that is no longer listened to. Groups stay groups, in their order.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from kangbot.machines.contradiction import of_contradiction
from kangbot.machines.hands import of_hands
from kangbot.model.events import Event, Noted, OrderChanged, StopSet
from kangbot.model.ids import ClientId
from kangbot.model.orders import Evidence

KEPT = 2_000  # events a market: some 2 MB. A storm of executions by hand; as many as its inbox keeps

Group = tuple[Event, ...]
_TIMES = "times"


def conflated(groups: Iterable[Group]) -> list[Group]:
    """Return the groups without what later events say as well; none of them is empty."""
    all_of = tuple(groups)
    times = Counter[_Same]()
    for note in (event for group in all_of for event in group if isinstance(event, Noted)):
        times[_same(note)] += int(note.fields.get(_TIMES, "1"))
    later = _Later()
    left: list[Group] = []
    for group in reversed(all_of):
        kept = [_counted(event, times) for event in reversed(group) if later.leaves(event)]
        if kept:
            left.append(tuple(reversed(kept)))
    return left[::-1]


_Same = tuple[str, ...]


def _same(note: Noted) -> _Same:
    """Return what two notes have in common where the newer one says enough."""
    if of_hands(note) or of_contradiction(note):
        named = (f"{name}={value}" for name, value in note.fields.items() if name != _TIMES)
        return (note.kind, note.message, *named)
    return (note.kind,)


def _counted(event: Event, times: Counter[_Same]) -> Event:
    if not isinstance(event, Noted) or (stands_for := times[_same(event)]) == 1:
        return event
    return msgspec.structs.replace(event, fields={**event.fields, _TIMES: str(stands_for)})


class _Later:
    """What was said later, while the events are looked through from the newest to the oldest."""

    def __init__(self) -> None:
        self._orders: dict[ClientId, OrderChanged] = {}
        self._notes: set[_Same] = set()
        self._stop_set = False
        self._stop_rests = False

    def leaves(self, event: Event) -> bool:
        """Whether the event stays; it has been said, from then on."""
        match event:
            case OrderChanged(client_id=client_id):
                if (later := self._orders.get(client_id)) is not None and _says_as_much(later, event):
                    return False
                self._orders[client_id] = event
            case StopSet(price=price):
                # One that is gone is remembered as the one to restore, so a removal alone does not say it all.
                if self._stop_rests or (self._stop_set and price is None):
                    return False
                self._stop_set, self._stop_rests = True, price is not None
            case Noted():
                if (same := _same(event)) in self._notes:
                    return False
                self._notes.add(same)
            case _:
                pass
        return True


def _says_as_much(later: OrderChanged, earlier: OrderChanged) -> bool:
    """Whether nothing of `earlier` is lost with it: a fold remembers the most filled, and that the venue knew it."""
    known = earlier.venue_order_id is not None or earlier.evidence is Evidence.DUPLICATE_ID
    return later.filled >= earlier.filled and (later.venue_order_id is not None or not known)
