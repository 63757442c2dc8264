"""How soon the next order of a kind may follow one that came to nothing.

A target that is not reached is wanted again on the very next turn. Where the venue refuses the order, has no offers for
it or cannot be reached, the same order would leave again and again, as fast as the request budget lets it: hundreds
within a minute that change nothing, cost every other market its turn and end as a ban. So what came to nothing is tried
again after a growing wait; whatever moved the position, or was withdrawn by ourselves, leaves no wait behind.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """The waits between orders of one market and purpose; returns its successor. Times are of our clock."""

    first_ns: int
    ceiling_ns: int
    failures: int = 0
    not_before_ns: int = 0

    def ended(self, now_ns: int, *, moved: bool, withdrawn: bool, slow: bool = False) -> "Pacing":
        """Return it after an order's end: whether the position moved meanwhile, and whether we took the order back.

        `slow`: the venue is known to be in trouble, so that the wait is the longest at once.
        """
        if moved:
            return replace(self, failures=0, not_before_ns=0)
        if withdrawn:
            return self
        wait_ns = self.ceiling_ns if slow else min(self.first_ns << min(self.failures, 40), self.ceiling_ns)
        return replace(self, failures=self.failures + 1, not_before_ns=now_ns + wait_ns)

    def due_ns(self, now_ns: int) -> int | None:
        """Return when the next order may leave; None where it may leave now."""
        return self.not_before_ns if now_ns < self.not_before_ns else None
