"""The one sequence of intent numbers of a journal, shared by all its markets.

A number is a function of what the journal knows: after a crash the first number that no journalled intent bears is the
next one. A number whose intent never reached the disk was never sent, so it may be given again.
"""


class Numbers:
    """Counts on from the journal's memory."""

    def __init__(self, first: int) -> None:
        self._next = first

    @property
    def upcoming(self) -> int:
        """The number that `take` will return."""
        return self._next

    def take(self) -> int:
        """Return the next number."""
        number = self._next
        self._next += 1
        return number
