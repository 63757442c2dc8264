"""A market's data on their way in: which streams flow, the bars that they make, and history for the holes in them.

It tells the bars that have closed, oldest first and without a gap, when history is to be fetched for them, and why the
data cannot be relied on. What a bar leads to, and whether it is worth a fetch, is the business of the market's task.
"""

from collections import deque
from collections.abc import Callable, Sequence

import structlog

from kangbot.errors import Retryable
from kangbot.machines.session_words import Trouble
from kangbot.machines.warmup import AHEAD_NS
from kangbot.market.backfill import Backfill
from kangbot.market.bars import Bars, TradeBars
from kangbot.market.inbox import Batch, FeedChanged
from kangbot.market.preparation import Preparation
from kangbot.market.streams import Streams
from kangbot.market.together import Say
from kangbot.model.data import Bar, Trade
from kangbot.model.ids import MarketId
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

_CLOSED = f"{Trouble.CLOSED}:"  # how the reason begins where a stream went down with its connection


class Intake:
    """One market's data, between `begin` and `end`; called by its task.

    `ended` is told what befalls them, for the breaker of their lane. Bars begin and end by the venue's clock, which is
    `offset_ns` ahead of ours.
    """

    def __init__(
        self,
        *,
        market: MarketId,
        clock: Clock,
        preparation: Preparation,
        ended: Callable[[Exception | None], None],
        offset_ns: Callable[[], int],
        say: Say,
    ) -> None:
        self._market = market
        self._clock = clock
        self._preparation = preparation
        self._ended = ended
        self._offset_ns = offset_ns
        self._say = say
        self._bars: Bars | None = None
        self._span_ns = 0  # of a bar
        self._streams = Streams()
        self._backfill = Backfill(offset_ns)

    # ----------------------------------------------------------------------------------------------------------- life
    def begin(self, bars: Bars, timeframe_s: int, *, eager: bool) -> None:
        """Subscribe to what these bars are made of, and fetch what they begin with; `eager` as in `ports.Feeds`."""
        self._bars, self._span_ns = bars, timeframe_s * SECOND_NS
        self._backfill.begun()
        self._streams.asked(bars.channels)
        self._streams_changed()
        self._preparation.begin(bars, eager=eager)

    def end(self) -> None:
        """Let the streams go, and what is under way. Harmless when repeated."""
        self._preparation.end()
        self._bars = None
        self._backfill.ended()
        self._streams.ended()
        self._streams_changed()

    # -------------------------------------------------------------------------------------------------------- reading
    @property
    def begun(self) -> bool:
        """Whether data come in."""
        return self._bars is not None

    @property
    def joined(self) -> bool:
        """Whether history and stream are one."""
        return self._bars is not None and self._bars.joined

    @property
    def lacks(self) -> str:
        """What the venue's history has not had for more than a moment; "" for nothing."""
        return self._backfill.lacks

    @property
    def why_stale(self) -> str:
        """Why no entry may rely on the data, in words; "" where each stream flows."""
        return self._streams.why_stale

    @property
    def quoted(self) -> bool:
        """Whether quotes were asked for, and flow."""
        return self.begun and not self._streams.lost(Channel.QUOTE)

    @property
    def wake_trade_ns(self) -> int | None:
        """A trade at or after this closes a bar; None where trades close none."""
        return self._bars.ends_ns if isinstance(self._bars, TradeBars) else None

    def deadline_ns(self) -> int | None:
        """Return when time closes a bar, by our clock; None where it closes none."""
        ends_ns = None if self._bars is None else self._bars.deadline_ns()
        return None if ends_ns is None else ends_ns - self._offset_ns()

    # --------------------------------------------------------------------------------------------------------- stream
    def closed(self, batch: Batch, now_ns: int) -> Sequence[Bar]:
        """Return the bars that a batch, or time, has closed."""
        bars, venue_ns = self._bars, now_ns + self._offset_ns()
        if bars is None:
            return ()
        latest_ns = venue_ns + AHEAD_NS
        if any(trade.at_ns > latest_ns for trade in batch.trades):
            batch.trades = deque(trade for trade in batch.trades if trade.at_ns <= latest_ns)
        return (*bars.take(batch), *bars.tick(venue_ns))

    def holed(self) -> None:
        """Learn that data did not fit into the inbox."""
        if self._bars is not None:
            self._bars.broken()

    def feed_changed(self, change: FeedChanged) -> None:
        """Learn that a topic is down or back. Once it is back, history closes the hole."""
        if self._bars is None:
            return
        channel = change.topic.channel
        cut = not change.live and change.reason.startswith(_CLOSED)
        if channel is Channel.TRADE and change.live and self._streams.lost(channel):
            self._backfill.trades_are_back()
        self._streams.changed(channel, live=change.live, reason=change.reason)
        if cut:
            self._streams.cut(change.reason)
        self._streams_changed()
        if not change.live and not cut:  # a connection's end is no market's failure
            self._ended(Retryable(f"the {channel.value} stream is down: {change.reason}"))
        if self._streams.bars_lost and self._bars.joined:
            self._say(log.warning, "market.bars_interrupted", reason=change.reason)
            self._bars.broken()

    def _streams_changed(self) -> None:
        self._backfill.stream_changed(self._clock.now_ns(), lost=self._streams.bars_lost)

    # -------------------------------------------------------------------------------------------------------- history
    def fetch_ns(self) -> int | None:
        """Return when history is to be fetched; None where it need not, or is under way."""
        return None if self._bars is None or self._bars.joined else self._backfill.due_ns()

    def fetch(self) -> None:
        """Fetch history once more: the stream has a hole, or bars were missing."""
        if self._bars is not None:
            self._backfill.begun()
            self._preparation.fetch_again(self._bars)

    def fetched(self, history: Sequence[Bar] | Sequence[Trade]) -> Sequence[Bar]:
        """Close the hole with what was fetched, and return its bars; none where some are missing.

        Where the stream is still down the next candle is fetched as well.
        """
        bars = self._bars
        if bars is None or not self._backfill.answered():  # stopped meanwhile, or asked for too early
            return ()
        now_ns = self._clock.now_ns()
        venue_ns, down = now_ns + self._offset_ns(), self._streams.bars_lost
        joined = bars.join(_believed(history, venue_ns), venue_ns)
        if isinstance(joined, str):
            if self._backfill.missing(now_ns, joined, down=down):
                log.warning("market.bars_missing", market=self._market, reason=joined)
            return ()
        self._backfill.whole()
        if down:
            bars.broken()
            self._backfill.candle_came(now_ns, self._span_ns)
        return joined


def _believed(told: Sequence[Bar] | Sequence[Trade], venue_ns: int) -> Sequence[Bar] | Sequence[Trade]:
    """Return it without trades of a time to come: all until then would be of a bar that is over."""
    trades = [one for one in told if isinstance(one, Trade)]
    return [trade for trade in trades if trade.at_ns <= venue_ns + AHEAD_NS] if trades else told
