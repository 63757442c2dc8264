"""Where a market's bars come from, and how history is joined to the stream.

A bar of a minute or more is the venue's own closed candle: what a restart fetches is then what the stream told. Below a
minute venues have none, so bars are built from trades. Both know three moments: the network part (`fetch`, an errand),
the join of what was fetched with what streamed meanwhile, and the stream afterwards. A hole in the stream (a reconnect,
a flood) sends the source back to the first moment, so that a strategy never sees a gap.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from kangbot.errors import Refused
from kangbot.machines.bars import BarBuilder
from kangbot.machines.warmup import MOST, Fit, Missing, Ready, WarmUp, fit
from kangbot.market.inbox import TRADES_KEPT, Batch
from kangbot.model.data import Bar, Trade
from kangbot.model.market import Instrument
from kangbot.ports import Channel, Venue
from kangbot.runtime.world import SECOND_NS

_BARS_A_REQUEST = 1000  # Bybit's own bound; Binance's is higher
_SPARE_BARS = 5  # so that a bar that closes during the fetch leaves no gap
_MOST_TRADES = 1000
_MINUTE_S = 60
_TOLD_NS = 10 * SECOND_NS  # so long after its end the stream has told a candle, or history has it
_ASK_AGAIN_NS = 60 * SECOND_NS  # it has not: nothing was traded, or the venue rests


class Bars(Protocol):
    """A source of closed bars, oldest first and without a gap once joined."""

    channels: Mapping[Channel, int | None]
    requests: int  # of the venue that a fetch is, at most

    @property
    def joined(self) -> bool:
        """Whether history and stream are one."""

    async def fetch(self, venue: Venue) -> Sequence[Bar] | Sequence[Trade]:
        """Fetch history. Safe to cancel; changes nothing here."""

    def join(self, history: Sequence[Bar] | Sequence[Trade], now_ns: int) -> Sequence[Bar] | str:
        """Take in history: the bars to begin with (after a hole: those that were missed), or what is still missing."""

    def take(self, batch: Batch) -> Sequence[Bar]:
        """Return the bars that a batch closed. May find a hole: `joined` is False then."""

    def tick(self, now_ns: int) -> Sequence[Bar]:
        """Return the bars that time closed."""

    def deadline_ns(self) -> int | None:
        """When `tick` has something to do."""

    def broken(self) -> None:
        """Learn that the stream was interrupted."""


def bars_of(instrument: Instrument, timeframe_s: int, needed: int) -> Bars:
    """Return the source for the timeframe; `needed` closed bars must be there before it is joined."""
    if timeframe_s < _MINUTE_S:
        return TradeBars(instrument, timeframe_s, needed)
    return VenueBars(instrument, timeframe_s, needed)


class VenueBars:
    """The venue's own candles."""

    def __init__(self, instrument: Instrument, timeframe_s: int, needed: int) -> None:
        if needed > MOST:
            raise Refused(f"the strategy looks back {needed} bars; a market begins with at most {MOST}")
        self.channels: Mapping[Channel, int | None] = {Channel.QUOTE: None, Channel.BAR: timeframe_s}
        self.requests = (needed + _SPARE_BARS) // _BARS_A_REQUEST + 1  # the bar that runs is one of them
        self._instrument = instrument
        self._timeframe_s = timeframe_s
        self._needed = needed
        self._warm: WarmUp | None = WarmUp(timeframe_s=timeframe_s, needed=needed)
        self._newest: Bar | None = None
        self._asking = False  # for a bar that nobody told of in time, and for nothing else
        self._ask_ns = 0  # not before this

    @property
    def joined(self) -> bool:
        """Whether history and stream are one."""
        return self._warm is None

    async def fetch(self, venue: Venue) -> Sequence[Bar]:
        """Fetch a little more than is needed."""
        return await venue.bars(self._instrument, self._timeframe_s, self._needed + _SPARE_BARS)

    def join(self, history: Sequence[Bar] | Sequence[Trade], now_ns: int) -> Sequence[Bar] | str:
        """Join; after a hole return only what is newer than the newest bar told."""
        if self._warm is None:
            return ()
        self._warm.fetched(bar for bar in history if isinstance(bar, Bar))
        match self._warm.join(now_ns):
            case Ready(bars=bars):
                told = self._newest
                self._warm, self._newest = None, bars[-1]
                return [bar for bar in bars if told is None or bar.open_ns > told.open_ns]
            case Missing() if self._asking:  # no hole: nobody knows of a later one
                self._warm, self._ask_ns = None, now_ns + _ASK_AGAIN_NS
                return ()
            case Missing(count=count):
                return f"{count} of {self._needed} bars are missing"

    def take(self, batch: Batch) -> Sequence[Bar]:
        """Return the streamed bars that follow on; a gap begins the warm-up anew."""
        closed = []
        for bar in batch.bars:
            if self._warm is not None:
                self._asking = False
                self._warm.streamed(bar)
            elif self._newest is None or fit(self._newest, bar) is Fit.NEXT:
                self._newest = bar
                closed.append(bar)
            elif fit(self._newest, bar) is Fit.GAP:
                self.broken()
                self._again().streamed(bar)
        return closed

    def tick(self, now_ns: int) -> Sequence[Bar]:
        """Return nothing: the venue closes these bars. For one that it does not tell of in time history is asked."""
        if (due_ns := self.deadline_ns()) is not None and due_ns <= now_ns:
            self._again()
            self._asking = True
        return ()

    def deadline_ns(self) -> int | None:
        """When the bar that runs would have been told: without it nobody knew of it before the next one is."""
        if self._warm is not None or self._newest is None:
            return None
        return max(self._newest.close_ns + self._timeframe_s * SECOND_NS + _TOLD_NS, self._ask_ns)

    def broken(self) -> None:
        """Warm up again; what was told is not told twice."""
        self._asking = False
        self._again()

    def _again(self) -> WarmUp:
        if self._warm is None:
            self._warm = WarmUp(timeframe_s=self._timeframe_s, needed=self._needed)
        return self._warm


class TradeBars:
    """Bars built from trades. History is the newest public trades: enough seconds to begin with in a busy market.

    While it cannot be fetched, so many trades of the stream are kept that none of history's would be among the others.
    """

    def __init__(self, instrument: Instrument, timeframe_s: int, needed: int) -> None:
        self.channels: Mapping[Channel, int | None] = {Channel.QUOTE: None, Channel.TRADE: None}
        self.requests = 1
        self._instrument = instrument
        self._needed_ns = (needed + 2) * timeframe_s * SECOND_NS
        self._builder = BarBuilder(market=instrument.market, timeframe_s=timeframe_s)
        self._streamed: deque[Trade] | None = deque()  # while history is being fetched; None once joined
        self._cut = False  # the oldest of them were not kept

    @property
    def joined(self) -> bool:
        """Whether history and stream are one."""
        return self._streamed is None

    async def fetch(self, venue: Venue) -> Sequence[Trade]:
        """Fetch the newest public trades."""
        return await venue.trades(self._instrument, _MOST_TRADES)

    def join(self, history: Sequence[Bar] | Sequence[Trade], now_ns: int) -> Sequence[Bar] | str:  # noqa: ARG002 -- same
        """Join by trade ids."""
        if self._streamed is None:
            return ()
        streamed, self._streamed = self._streamed, None
        if self._cut:  # history is far shorter than what streamed, and neither knows what came before
            self._cut = False
            self._builder.torn()
            return self._builder.prime((), tuple(streamed))
        trades: Sequence[Trade] = [trade for trade in history if isinstance(trade, Trade)]
        if self._builder.ends_ns is None and trades:
            trades = self._newest(trades)
        return self._builder.prime(trades, tuple(streamed))

    def _newest(self, trades: Sequence[Trade]) -> Sequence[Trade]:
        """Return what the look-back needs: a thousand trades of a quiet market are hours of empty seconds."""
        since_ns = trades[-1].at_ns - self._needed_ns
        first = bisect_left(trades, since_ns, key=lambda trade: trade.at_ns)
        return trades[max(0, first - 1) :]  # the trade before tells the price that empty bars begin with

    def take(self, batch: Batch) -> Sequence[Bar]:
        """Return the bars that the trades closed."""
        if self._streamed is not None:
            self._streamed.extend(batch.trades)
            while len(self._streamed) > TRADES_KEPT:
                self._streamed.popleft()
                self._cut = True
            return ()
        closed: list[Bar] = []
        for trade in batch.trades:
            closed.extend(self._builder.add(trade))
        return closed

    def tick(self, now_ns: int) -> Sequence[Bar]:
        """Return the bars that ended without a later trade."""
        return () if self._streamed is not None else self._builder.tick(now_ns)

    def deadline_ns(self) -> int | None:
        """When the current bar ends with its grace."""
        return None if self._streamed is not None else self._builder.deadline

    @property
    def ends_ns(self) -> int | None:
        """A trade at or after this closes a bar, or is the first of all: 0. None while trades wait for history."""
        return None if self._streamed is not None else self._builder.ends_ns or 0

    def broken(self) -> None:
        """Keep what streams until history has closed the hole."""
        if self._streamed is None:
            self._streamed = deque()
