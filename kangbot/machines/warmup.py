"""Joining fetched bars to streamed ones: no gap, no overlap, and a plain word about what is missing.

A market warms up in this order: subscribe, keep what streams, fetch, join. A bar that both know is taken from the
stream, which tells a bar only when it is final, while a fetch right after a bar's end may see it unfinished: one that
only a fetch knows is missing until its grace is over. Fetching, waiting and trying again are left to the market's task.

Of a time in which nothing could be traded some venues never have a bar. To wait would keep a market from deciding
until the hole is older than its look-back, which is days. So where history goes on to have what came before and after,
what is between them is taken for what it was: bars of the last close, without a trade.
"""

from collections.abc import Iterable
from enum import Enum
from itertools import pairwise

import msgspec

from kangbot.model.data import Bar
from kangbot.model.money import ZERO

SECOND_NS = 1_000_000_000
MOST = 5_000  # bars that may be needed: what the longest parameters that ship look back on, and 4 MB a market
SPARE = 1_000  # bars beyond those that are needed
AHEAD_NS = 86_400 * SECOND_NS  # by which a bar may be ahead of our clock; a later one has a wrong time
ABSENT = 7  # fetches that lack a bar between others: one more than until people are told that bars are missing


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Bars are needed that open in [`first_ns`, `until_ns`): fetch again. `count` is how many those are."""

    first_ns: int
    until_ns: int
    count: int


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The newest bars, oldest first, without a gap; at least as many as were needed."""

    bars: tuple[Bar, ...]


class Fit(Enum):
    """How a bar follows the newest one known."""

    NEXT = "next"
    REPEAT = "repeat"  # it is known already
    GAP = "gap"  # bars between the two were never seen: warm up again


def fit(newest: Bar, bar: Bar) -> Fit:
    """Return how `bar` follows `newest`; both of the same market and timeframe."""
    if bar.open_ns == newest.close_ns:
        return Fit.NEXT
    return Fit.REPEAT if bar.open_ns < newest.close_ns else Fit.GAP


class WarmUp:
    """The bars of one market while it warms up. Mutable: one writer.

    `needed` is the number of closed bars that must be there (at least 1); `grace_ns` how long after its end a bar may
    be missing because it is on its way, or change in the venue's history. Of what waits for the rest the newest are
    kept. ValueError for a bar of another timeframe or off the grid of the epoch.
    """

    def __init__(self, *, timeframe_s: int, needed: int, grace_ns: int = 5 * SECOND_NS) -> None:
        self._timeframe_s = timeframe_s
        self._span_ns = timeframe_s * SECOND_NS
        self._needed = max(needed, 1)
        self._grace_ns = grace_ns
        self._fetched: dict[int, Bar] = {}  # by opening time
        self._streamed: dict[int, Bar] = {}
        self._absent: dict[int, int] = {}  # by opening time: so many fetches in a row had bars around it

    def fetched(self, bars: Iterable[Bar]) -> None:
        """Take in closed bars from REST, in any order; a second fetch adds to the first."""
        history = sorted((self._checked(bar) for bar in bars), key=lambda bar: bar.open_ns)
        for bar in history:
            self._fetched[bar.open_ns] = bar
        self._fill(history)
        self._trim(self._fetched)

    def streamed(self, bar: Bar) -> None:
        """Take in a bar from the stream."""
        self._streamed[self._checked(bar).open_ns] = bar
        self._trim(self._streamed)

    def join(self, now_ns: int) -> Ready | Missing:
        """Return the bars without a gap up to the newest that is due at `now_ns`, or the newest stretch missing."""
        reached_ns = now_ns - self._grace_ns
        due_ns = reached_ns - reached_ns % self._span_ns - self._span_ns  # the newest bar that must be there
        for known in (self._fetched, self._streamed):
            for open_ns in [open_ns for open_ns in known if open_ns > now_ns + AHEAD_NS]:
                del known[open_ns]  # what never was keeps nobody waiting
        newest_ns = max((due_ns, *self._fetched, *self._streamed))
        bars = {open_ns: bar for open_ns, bar in self._fetched.items() if open_ns <= due_ns} | self._streamed
        first_ns = newest_ns - (self._needed - 1) * self._span_ns
        wanted = range(newest_ns, first_ns - 1, -self._span_ns)  # newest first
        last_missing = next((open_ns for open_ns in wanted if open_ns not in bars), None)
        if last_missing is None:
            while first_ns - self._span_ns in bars:
                first_ns -= self._span_ns
            return Ready(bars=tuple(bars[open_ns] for open_ns in range(first_ns, newest_ns + 1, self._span_ns)))
        older = (open_ns for open_ns in range(last_missing, first_ns - 1, -self._span_ns) if open_ns in bars)
        start_ns = next(older, first_ns - self._span_ns) + self._span_ns
        until_ns = last_missing + self._span_ns
        return Missing(first_ns=start_ns, until_ns=until_ns, count=(until_ns - start_ns) // self._span_ns)

    def _fill(self, history: list[Bar]) -> None:
        """Have bars without a trade where fetch after fetch has none; what streamed stays as it is."""
        before, self._absent = self._absent, {}
        for last, following in pairwise(history):
            if following.open_ns - last.close_ns > SPARE * self._span_ns:
                continue  # nobody needs so many, and inventing them would be worse than to wait
            for open_ns in range(last.close_ns, following.open_ns, self._span_ns):
                self._absent[open_ns] = before.get(open_ns, 0) + 1
                if self._absent[open_ns] >= ABSENT:
                    close = last.close
                    self._fetched[open_ns] = msgspec.structs.replace(
                        last, open_ns=open_ns, open=close, high=close, low=close, volume=ZERO
                    )

    def _trim(self, bars: dict[int, Bar]) -> None:
        """Keep the newest: history may not come for days while the stream flows."""
        if (over := len(bars) - self._needed - SPARE) > 0:
            for open_ns in sorted(bars)[:over]:
                del bars[open_ns]

    def _checked(self, bar: Bar) -> Bar:
        if bar.timeframe_s != self._timeframe_s or bar.open_ns % self._span_ns:
            raise ValueError(
                f"{bar.market}: a bar of {bar.timeframe_s} s opening at {bar.open_ns} does not belong here"
            )
        return bar
