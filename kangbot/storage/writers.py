"""Who writes into a database: one daemon at a time, for what is held and what the account is worth has one row. Pure.

`journals` has a row for each journal: how far it is stored, from which place (host and state folder) that was done
last, and how long ago by the database's clock, so that no two clocks are compared. A daemon that finds a journal of
another place written of late is refused, and the other one does not notice. What is not written for an hour has no
daemon any more: whoever comes then takes over; at once where the other one ended in order, for it says so. A journal of
the daemon's own place is a predecessor's, for a folder has one daemon. Its own journal may come from another place: it
was moved. Where that happens while it writes, the folder was copied, and two daemons have one memory.
"""

from collections.abc import Iterable

import msgspec

from kangbot.errors import NeedsHuman

ALIVE_S = 3600.0
"""Longer than a daemon with markets that run is silent: it stores closed bars, and what its account is worth."""

REMEDY = (
    "give each a database of its own in database.url; where that one is gone for good, wait: this one takes over an "
    "hour after its last record"
)
COPIED = (
    "stop one of the two, now: it was begun on a copy of the other's state folder, and each takes the other's orders "
    "for its own; begin it anew with an empty state folder, and an account and a database of its own"
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a journal is stored; `age_s` is None where nobody has said since when."""

    tag: str
    stored: int
    place: str
    age_s: float | None

    def __str__(self) -> str:
        return f"{self.place}, journal {self.tag}, {self.age_s or 0:.0f} s ago"

    @property
    def fresh(self) -> bool:
        """Whether its daemon lives. A time that is ahead is a clock's that was put back."""
        return self.age_s is not None and abs(self.age_s) < ALIVE_S


def marks(rows: Iterable[tuple[object, ...]]) -> list[Mark]:
    """Return the marks, from rows of (tag, stored, place, age in seconds)."""
    return [
        Mark(
            tag=str(tag),
            stored=int(str(stored)),
            place=str(place or ""),
            age_s=None if age_s is None else float(str(age_s)),
        )
        for tag, stored, place, age_s in rows
    ]


def stored(known: Iterable[Mark], tag: str, place: str, where: str, *, wrote: bool = False) -> int:
    """Return how far the journal is stored; 0 where nothing is. NeedsHuman where another daemon writes there.

    `wrote` is whether this daemon has stored some of it: from then on the mark has its place, or a copy's daemon lives.
    Where two began in the same moment both have written, and the one whose journal has the lower tag stays.
    """
    own, others = None, []
    for mark in known:
        if mark.tag == tag:
            own = mark
        elif mark.fresh and mark.place != place:
            others.append(mark)
    if own and wrote and own.fresh and own.place != place:
        raise NeedsHuman(f"{where} gets this daemon's journal from another kangbot as well: {own}", remedy=COPIED)
    for other in others:
        if own is None or not own.fresh or other.tag < tag:
            raise NeedsHuman(
                f"{where} is written by another kangbot: {other}",
                remedy=REMEDY,
            )
    return own.stored if own else 0


def another(known: Iterable[Mark], place: str) -> Mark | None:
    """Return who keeps the daemon of this place out, as far as it can be told without its journal; None for nobody."""
    fresh = [mark for mark in known if mark.fresh]
    return None if any(mark.place == place for mark in fresh) else next(iter(fresh), None)
