"""When a strategy costs the other markets too much: one loop serves all, and while one decides nobody else moves.

::

    up to `slow_ns`          fine
    longer                   slow: told once, and counted for `within_ns`
    longer than `block_ns`   stop its market
    `times` slow ones        stop its market

Durations are measured by the shell (`market/overseer.py`), the wall's time and not the processor's: a strategy that
sleeps or waits for a network holds up the loop like one that computes.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a strategy may take for one bar."""

    slow_ns: int = 50 * MILLISECOND_NS
    block_ns: int = SECOND_NS
    times: int = 20
    within_ns: int = 600 * SECOND_NS


class Finding(Enum):
    """What one duration says of the strategy."""

    FINE = "fine"
    SLOW = "slow"  # the first for a while
    QUICK = "quick"  # it was slow, and is so no longer
    BLOCKS = "blocks"  # longer than anybody can wait for
    TOO_OFTEN = "too often"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """What is known of one strategy; returns its successor."""

    bounds: Bounds = field(default_factory=Bounds)
    slow_at: tuple[int, ...] = ()  # when it was slow, oldest first, within the span
    longest_ns: int = 0

    def took(self, duration_ns: int, now_ns: int) -> "tuple[Slowness, Finding]":
        """Take in how long one bar took, and say what follows."""
        bounds = self.bounds
        if duration_ns <= bounds.slow_ns and not self.slow_at and duration_ns <= self.longest_ns:
            return self, Finding.FINE  # the usual case makes nothing
        recent = tuple(at_ns for at_ns in self.slow_at if now_ns - at_ns < bounds.within_ns)
        slow = duration_ns > bounds.slow_ns
        known = (*recent, now_ns) if slow else recent
        after = replace(self, slow_at=known, longest_ns=max(self.longest_ns, duration_ns))
        if duration_ns > bounds.block_ns:
            return after, Finding.BLOCKS
        if len(known) >= bounds.times and slow:
            return after, Finding.TOO_OFTEN
        if slow:
            return after, Finding.FINE if recent else Finding.SLOW
        return after, Finding.QUICK if self.slow_at and not recent else Finding.FINE
