"""At most so many events in any span of time: the strict sliding window that venues count by.

A token bucket lets through twice its size across a window's edge, and that is the burst which gets an address banned.
This window knows each stamp it still counts, so no window of that length, wherever it begins, holds more than `most`.
Whoever waits, in which order, and what an event costs is left to the caller.
"""

from collections.abc import Iterable

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` events in any half-open window [t, t + span_ns); returns its successor.

    `stamps` are the newest events, oldest first, never more than `most`: what must be kept over a restart.
    """

    most: int
    span_ns: int
    stamps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.most < 1 or self.span_ns < 1:
            raise ValueError(f"a window admits at least one event in at least 1 ns, not {self.most} in {self.span_ns}")

    def wait_ns(self, now_ns: int) -> int:
        """Return how long until one more event is admitted; 0 where it is admitted now."""
        if len(self.stamps) < self.most:
            return 0
        return max(0, self.stamps[0] + self.span_ns - now_ns)

    def admit(self, now_ns: int) -> "tuple[Window, int]":
        """Return the window with the event of `now_ns` in it and 0, or the same window and the wait in ns.

        An event earlier than the newest stamp counts at the newest stamp: stamps never run backwards.
        """
        if wait := self.wait_ns(now_ns):
            return self, wait
        at_ns = max(now_ns, self.stamps[-1]) if self.stamps else now_ns
        return Window(most=self.most, span_ns=self.span_ns, stamps=(*self.stamps, at_ns)[-self.most :]), 0

    def free(self, now_ns: int) -> int:
        """Return how many events would be admitted at `now_ns`, all at once."""
        return self.most - sum(stamp + self.span_ns > now_ns for stamp in self.stamps)

    def restored(self, stamps: Iterable[int], now_ns: int) -> "Window":
        """Return the window that also counts `stamps` of an earlier life.

        A stamp in the future (the wall clock was set back between two lives) counts as now: too careful, never too
        free.
        """
        known = sorted((*self.stamps, *(min(stamp, now_ns) for stamp in stamps)))
        return msgspec.structs.replace(self, stamps=tuple(known[-self.most :]))
