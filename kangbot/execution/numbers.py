"""The one sequence of intent numbers of a journal, shared by all its markets.

A number is a function of what the journal knows: after a crash the first number that no journalled intent bears is the
next one. A number whose intent never reached the disk was never sent, so it may be given again. Where the venue knows a
later one all the same, the journal is an older copy of itself, and what it gives next is beyond all that have left.
"""

from kangbot.model.ids import LOST_AT_MOST


class Numbers:
    """Counts on from the journal's memory."""

    def __init__(self, first: int) -> None:
        self._next = first

    @property
    def upcoming(self) -> int:
        """The number that `take` will return."""
        return self._next

    def heed(self, used: int) -> bool:
        """Learn of a number that an order at the venue bears; True where the journal does not know of it."""
        if used < self._next:
            return False
        self._next = used + LOST_AT_MOST
        return True

    def take(self) -> int:
        """Return the next number."""
        number = self._next
        self._next += 1
        return number
