"""The one sequence of intent numbers of a journal, shared by all its markets.

A number is a function of what the journal knows: after a crash the first number that no journalled intent bears is the
next one. A number whose intent never reached the disk was never sent, so it may be given again. Where the venue knows a
later one all the same, the journal is an older copy of itself, and what it gives next is beyond all that have left.
"""

from kangbot.model.ids import LOST_AT_MOST, MarketId

_KEPT = 1024  # numbers of which it is known who got them: a twin that starts beside us counts as we do, at first


class Numbers:
    """Counts on from the journal's memory."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._taken: dict[int, MarketId] = {}  # by this process, oldest first

    @property
    def upcoming(self) -> int:
        """The number that `take` will return."""
        return self._next

    def heed(self, used: int) -> bool:
        """Learn of a number that an order at the venue bears; True where the journal does not know of it."""
        if used < self._next:
            return False
        self.leap(used)
        return True

    def leap(self, used: int) -> None:
        """Count on far beyond that number, and what was given up to now."""
        self._taken.pop(used, None)
        self._next = max(self._next, used) + LOST_AT_MOST

    def strange(self, used: int, market: MarketId) -> bool:
        """Whether an order of that market cannot have the number from us: it has not been given, or to another one."""
        return used >= self._next or self._taken.get(used, market) != market

    def take(self, market: MarketId) -> int:
        """Return the next number, for an order of that market."""
        number = self._next
        self._next += 1
        self._taken[number] = market
        if len(self._taken) > _KEPT:
            del self._taken[next(iter(self._taken))]
        return number
