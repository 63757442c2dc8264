"""The one sequence of intent numbers of a journal, shared by all its markets.

A number is a function of what the journal knows: after a crash the first number that no journalled intent bears is the
next one. A number whose intent never reached the disk was never sent, so it may be given again. Where the venue knows a
later one all the same, the journal is an older copy of itself, and what it gives next is beyond all that have left.

An exit may have to leave before the venue has said which numbers it knows. It goes by one that is beyond all that could
have left: under a used one the venue would refuse it as the order that it has, and that would be taken for it.
"""

from collections.abc import Iterable

from kangbot.model.ids import LOST_AT_MOST, MarketId

_KEPT = 1024  # numbers of which it is known who got them: a twin that starts beside us counts as we do, at first


class Numbers:
    """Counts on from the journal's memory. `unheard`: the venue has yet to say which numbers it knows."""

    def __init__(self, first: int, *, unheard: bool = False) -> None:
        self._next = first
        self._unheard = unheard
        self._passed_over = range(0)  # what an older copy of the journal would have given again
        self._taken: dict[int, MarketId] = {}  # by this process, oldest first

    @property
    def upcoming(self) -> int:
        """The number that `take` will return."""
        return self._next + LOST_AT_MOST if self._unheard else self._next

    def heed(self, used: Iterable[int]) -> int:
        """Learn which numbers the venue knows; return the highest that the journal does not, told once; 0 for none."""
        unknown = max((number for number in used if number >= self._next or number in self._passed_over), default=0)
        self._unheard, self._passed_over = False, range(0)
        if unknown >= self._next:
            self.leap(unknown)
        return unknown

    def leap(self, used: int) -> None:
        """Count on far beyond that number, and what was given up to now."""
        self._taken.pop(used, None)
        self._next = max(self._next, used) + LOST_AT_MOST

    def strange(self, used: int, market: MarketId) -> bool:
        """Whether an order of that market cannot have the number from us: it has not been given, or to another one."""
        return used >= self._next or self._taken.get(used, market) != market

    def take(self, market: MarketId) -> int:
        """Return the next number, for an order of that market."""
        if self._unheard:
            self._unheard, first = False, self._next
            self._next += LOST_AT_MOST
            self._passed_over = range(first, self._next)
        number = self._next
        self._next += 1
        self._taken[number] = market
        if len(self._taken) > _KEPT:
            del self._taken[next(iter(self._taken))]
        return number
