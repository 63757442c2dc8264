"""When a strategy takes too long: on the loop nobody else moves while it decides, so a slow one is asked aside.

::

    on the loop     up to `slow_ns`          fine
                    longer                   slow: told once, and asked aside from then on
    anywhere        longer than `block_ns`   stop its market
    aside           no call over `slow_ns`   for `within_ns` since the last: quick again, and asked on the loop
                    the loop stood still     for longer than `slow_ns` all the same: told once for `within_ns`
                    `times` within that      stop its market

Each time that it proves slow again the span until it counts as quick doubles: one that is slow once an hour costs the
others a moment a few times, and not once an hour. Durations are measured by the shell (`market/overseer.py`), the
wall's time and not the processor's: a strategy that sleeps or waits for a network holds up the loop like one that
computes.
"""

from enum import Enum

import msgspec

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS
_MOST_DOUBLINGS = 10  # a week, where the span is ten minutes


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy may take for one call."""

    slow_ns: int = 50 * MILLISECOND_NS
    block_ns: int = 10 * SECOND_NS
    times: int = 20
    within_ns: int = 600 * SECOND_NS


class Finding(Enum):
    """What one duration says of the strategy."""

    FINE = "fine"
    SLOW = "slow"  # the first for a while
    QUICK = "quick"  # it was slow, and is so no longer
    BLOCKS = "blocks"  # longer than anybody can wait for
    HOLDS = "holds"  # the loop stood still for it though it was asked aside; the first for a while
    TOO_OFTEN = "too often"


class Slowness(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one strategy; returns its successor."""

    bounds: Bounds = msgspec.field(default_factory=Bounds)
    slow: bool = False
    times_found: int = 0  # so often it was found slow, having been quick
    slow_at_ns: int = 0  # the last call that was slow
    held_at: tuple[int, ...] = ()  # when it held up the loop, oldest first, within the span
    longest_ns: int = 0

    def took(self, duration_ns: int, now_ns: int) -> "tuple[Slowness, Finding]":
        """Take in how long one call took, and say what follows."""
        bounds = self.bounds
        if duration_ns <= bounds.slow_ns:
            if not self.slow and duration_ns <= self.longest_ns:
                return self, Finding.FINE  # the usual case makes nothing
            quick = self.slow and now_ns - self.slow_at_ns >= self._patience_ns
            after = msgspec.structs.replace(
                self, slow=self.slow and not quick, longest_ns=max(self.longest_ns, duration_ns)
            )
            return after, Finding.QUICK if quick else Finding.FINE
        found = self.times_found + (not self.slow)
        longest_ns = max(self.longest_ns, duration_ns)
        after = msgspec.structs.replace(self, slow=True, times_found=found, slow_at_ns=now_ns, longest_ns=longest_ns)
        if duration_ns > bounds.block_ns:
            return after, Finding.BLOCKS
        return after, Finding.FINE if self.slow else Finding.SLOW

    def held(self, now_ns: int) -> "tuple[Slowness, Finding]":
        """Take in that the loop stood still for it while it was asked aside, and say what follows."""
        recent = tuple(at_ns for at_ns in self.held_at if now_ns - at_ns < self.bounds.within_ns)
        after = msgspec.structs.replace(self, held_at=(*recent, now_ns))
        if len(after.held_at) >= self.bounds.times:
            return after, Finding.TOO_OFTEN
        return after, Finding.FINE if recent else Finding.HOLDS

    @property
    def _patience_ns(self) -> int:
        return self.bounds.within_ns << min(self.times_found - 1, _MOST_DOUBLINGS)
