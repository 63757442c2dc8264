"""Which closed bars are more than the history keeps, and when to look. Pure.

Bars are nearly all of a history, and nothing of the daemon needs old ones: without an end they fill the disk of a small
server, within weeks where they are of a second. Each market and length has as many as fit into the time of so many; the
oldest go in the transaction that stores newer ones, a portion at a time, so that a database which was never cleared is
cleared over hours and no transaction is a long one.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from kangbot.model.events import BarStored, Record
from kangbot.model.ids import MarketId
from kangbot.runtime.world import SECOND_NS
from kangbot.storage.projection import time_of

PORTION = 2000  # rows a statement
_CUTS = 8  # statements a transaction
_LOOKS = 100  # so many while as many bars come as are kept


class Cut(msgspec.Struct, frozen=True):
    """Bars of one market and length that opened before a time: the oldest `PORTION` of them are to go."""

    market: MarketId
    timeframe_s: int
    before: datetime


class Surplus:
    """Keeps the newest `keep` bars of each market and length; all where that is 0."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._newest: dict[tuple[MarketId, int], int] = {}  # opened, in nanoseconds, of those to be looked at
        self._looked: dict[tuple[MarketId, int], int] = {}  # as of which newest bar nothing was too old

    def due(self, stored: Iterable[Record]) -> list[Cut]:
        """Return what is to be removed now that these records are stored; a few at a time, the others next time."""
        if not self._keep:
            return []
        for record in stored:
            if isinstance(record.event, BarStored):
                bar = record.event.bar
                key = (bar.market, bar.timeframe_s)
                looked_ns = self._looked.get(key)
                newest_ns = min(
                    bar.open_ns, record.event.at_ns
                )  # a bar of a time to come would have all others removed
                if looked_ns is None or (newest_ns - looked_ns) * _LOOKS >= self._span_ns(bar.timeframe_s):
                    self._newest[key] = max(newest_ns, self._newest.get(key, 0))
        return [self._cut(*key) for key in list(self._newest)[:_CUTS]]

    def removed(self, cut: Cut, rows: int) -> None:
        """Learn how many rows the cut has removed: a whole portion may not have been the last."""
        if rows < PORTION:
            key = (cut.market, cut.timeframe_s)
            self._looked[key] = self._newest.pop(key)

    def _cut(self, market: MarketId, timeframe_s: int) -> Cut:
        # The newest is kept itself, so the oldest that is kept opened `keep - 1` lengths before it.
        oldest_ns = self._newest[market, timeframe_s] - self._span_ns(timeframe_s) + timeframe_s * SECOND_NS
        return Cut(market, timeframe_s, time_of(max(oldest_ns, 0)))

    def _span_ns(self, timeframe_s: int) -> int:
        return self._keep * timeframe_s * SECOND_NS
