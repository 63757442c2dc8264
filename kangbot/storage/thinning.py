"""Which marks of equity are more than anybody needs, and when to look. Pure.

The account's equity is marked at every change: half a million times a year where something is held, which is most of
what the history of few trades has. Of the last `KEPT` each is kept. Of each hour before that, and of each currency, the
first, the last, the highest and the lowest stay: what a report says of a day and of a drawdown, and what the limits of
loss remember of a highest, comes to the same.

Where money was moved, what lies before is compared with what lies after only as far as that is left out, and where the
drawdown was counted anew, or the balance was another, not at all. So an hour is cut in two there, of each of which as
many stay, and the marks beside a transfer, of which it has to be found out on which side they lie, all stay.

The others go in the transaction that stores newer ones, a portion at a time in the order of the journal, out of
`equity` and out of `events`; `journals.thinned` is how far. So a history of years is thinned over hours, a restart goes
on, and no transaction is a long one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import msgspec

from kangbot.model.events import EquityMarked, Record
from kangbot.risk.account import NEW_BALANCE
from kangbot.storage.projection import time_of

PORTION = 1000  # marks a transaction
KEPT = timedelta(days=30)
_BESIDE = timedelta(minutes=1)  # of a transfer: more than the clocks, and a height of `risk/heights.py`, may be apart
_TABLES = ("equity", "events")  # which have a row of each mark
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
_HOUR = len("2026-01-31 12")
_LOOKS = timedelta(hours=1)


class Mark(NamedTuple):
    """A row of `equity`, as either database answers it."""

    sequence: int
    venue: str
    currency: str
    equity: Decimal | str
    marked_at: datetime | str

    @property
    def hour(self) -> str:
        """Which hour it is of."""
        return str(self.marked_at)[:_HOUR]


class Act(NamedTuple):
    """What a person did to the equity, or to the count of it, as either database answers it."""

    moved: int  # 1: money was moved; 0: the drawdown was counted anew, or a simulated balance is another
    at: datetime | str


class Thinned(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go, by its sequence, and up to which one all has been looked at then."""

    surplus: Sequence[int] = ()
    up_to: int
    more: bool  # whether there may be some that can be looked at already


def reading(place: str) -> str:
    """Return the statement that reads the next marks: of the journal, after the sequence, so many.

    `place` is how the driver marks a place in a statement.
    """
    return (
        "SELECT sequence, venue, currency, equity, marked_at FROM equity "  # noqa: S608 -- marks only
        f"WHERE journal = {place} AND sequence > {place} ORDER BY sequence LIMIT {place}"
    )


def acts(place: str, marks: Sequence[Mark]) -> tuple[str, tuple[str, ...]]:
    """Return the statement that reads what people did in the time of these marks, and its arguments."""
    times = [_time(mark.marked_at) for mark in marks]
    between = (f"{min(times) - _BESIDE:{_FORMAT}}", f"{max(times) + _BESIDE:{_FORMAT}}")
    return (
        f"SELECT 1, moved_at FROM transfers WHERE moved_at BETWEEN {place} AND {place} UNION ALL "  # noqa: S608 -- marks
        f"SELECT 0, at FROM events WHERE listed = 1 AND at BETWEEN {place} AND {place} "
        f"AND kind IN ('drawdown_reset', '{NEW_BALANCE}')"
    ), (*between, *between)


def removing(place: str, marks: int) -> list[str]:
    """Return the statements that remove so many marks: of the journal, by their sequences."""
    places = ", ".join([place] * marks)
    return [f"DELETE FROM {table} WHERE journal = {place} AND sequence IN ({places})" for table in _TABLES]  # noqa: S608 -- the same


class Thinning:
    """When to look."""

    def __init__(self) -> None:
        self._next = datetime.min  # noqa: DTZ901 -- as the databases keep times, without a zone

    def due(self, stored: Iterable[Record]) -> datetime | None:
        """Return before when marks may go now that these records are stored; None where nobody need look."""
        marked_ns = max((record.event.at_ns for record in stored if isinstance(record.event, EquityMarked)), default=0)
        newest = time_of(marked_ns)
        return newest - KEPT if marked_ns and newest >= self._next else None

    def done(self, before: datetime, thinned: Thinned) -> None:
        """Learn what came of a look."""
        if not thinned.more:
            self._next = before + KEPT + _LOOKS


def thin(marks: Sequence[Mark], before: datetime, after: int, did: Iterable[Act] = ()) -> Thinned:
    """Return which of the next marks after the sequence `after`, at most a portion and in order, are to go.

    Only whole hours before `before` are looked at; the last hour of a portion waits for the next one, unless nothing
    else is in it. `did` is what people did in that time.
    """
    hours = [list(each) for _, each in groupby(marks, key=lambda mark: mark.hour)]
    more = len(marks) >= PORTION
    if len(hours) > 1 or not more:
        hours = hours[:-1]
    bound = str(before)[:_HOUR]
    old = [hour for hour in hours if hour[0].hour < bound]
    cuts = _Cuts(did)
    return Thinned(
        surplus=[mark.sequence for hour in old for mark in _surplus(hour, cuts)],
        up_to=old[-1][-1].sequence if old else after,
        more=more and bool(old) and len(old) == len(hours),
    )


class _Cuts:
    """Where an hour is cut."""

    def __init__(self, did: Iterable[Act]) -> None:
        every = sorted((_time(act.at), act.moved) for act in did)
        self._all = [at for at, _ in every]
        self._moved = [at for at, moved in every if moved]

    def side(self, mark: Mark) -> int:
        """Return a number that two marks have in common where nothing was done between them."""
        return bisect_right(self._all, _time(mark.marked_at))

    def beside(self, mark: Mark) -> bool:
        """Whether it is beside a transfer."""
        at = _time(mark.marked_at)
        first = bisect_left(self._moved, at - _BESIDE)
        return first < len(self._moved) and self._moved[first] <= at + _BESIDE


def _surplus(hour: Sequence[Mark], cuts: _Cuts) -> Iterable[Mark]:
    """Return which marks of one hour are neither first nor last nor an extreme of their currency and side."""
    parts: dict[tuple[str, str, int], list[Mark]] = {}
    for mark in hour:
        parts.setdefault((mark.venue, mark.currency, cuts.side(mark)), []).append(mark)
    kept: set[int] = set()
    for own in parts.values():
        by_worth = sorted(own, key=lambda mark: Decimal(mark.equity))  # stable: of equals, the first
        kept.update(mark.sequence for mark in (own[0], own[-1], by_worth[0], by_worth[-1]))
    return [mark for mark in hour if mark.sequence not in kept and not cuts.beside(mark)]


def _time(at: datetime | str) -> datetime:
    return datetime.fromisoformat(str(at))
