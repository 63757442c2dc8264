"""Bars of any timeframe out of trades: pure, told every trade and the time.

Bars are aligned to the epoch: a bar of n seconds opens where the venue's time is a multiple of n. A bar closes when a
trade of a later bar arrives, or when `tick` is told a time that lies beyond its end by the grace that late trades have.
What cannot be known to be whole is not told: the interval in which the first trade was seen, and one with a hole in it.

Joining history to the stream: subscribe, wait until the topic is live, fetch the newest trades by REST, and `prime` the
builder with them and with what the stream brought meanwhile. A trade that both know is counted once, by its id; and
because the fetch came after the subscription there is no trade that neither knows. After a reconnect the same call
closes the hole, or says that the fetched trades do not reach back far enough.

Whoever owns the builder must not `tick` it while the feed is down: silence would be taken for a quiet market.
"""

from collections.abc import Sequence

from kangbot.model.data import Bar, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO, Price

SECOND_NS = 1_000_000_000
MINUTE_S = 60


class BarBuilder:
    """The bar that is being built, and what is needed to build the next. Mutable: one writer.

    `grace_ns` is how long after a bar's end its late trades may come before `tick` closes it. `fill_empty` tells an
    interval without trades as a bar of the previous close and no volume, so that indicators keep time; by default only
    below one minute, where such intervals are common. A pause of more than `most_empty` intervals is not filled.
    `ids_kept` must be at least the number of trades that one fetch returns.
    """

    def __init__(
        self,
        *,
        market: MarketId,
        timeframe_s: int,
        grace_ns: int = SECOND_NS // 2,
        fill_empty: bool | None = None,
        most_empty: int = 600,
        ids_kept: int = 1000,
    ) -> None:
        self._market = market
        self._timeframe_s = timeframe_s
        self._span_ns = timeframe_s * SECOND_NS
        self._grace_ns = grace_ns
        self._fill_empty = timeframe_s < MINUTE_S if fill_empty is None else fill_empty
        self._most_empty = most_empty
        self._ids_kept = ids_kept
        self._seen: dict[str, None] = {}  # trade ids, oldest first
        self._newest_ns = 0  # of all trades taken
        self._open_ns: int | None = None  # of the current interval; None before the first trade
        self._whole = False  # every trade of the current interval is known
        self._traded = False
        self._open = self._high = self._low = self._close = self._volume = ZERO
        self._first_ns = self._last_ns = 0  # of the trades that made open and close

    @property
    def ends_ns(self) -> int | None:
        """The end of the current interval, in venue time: a trade at or after it closes a bar. None before a trade."""
        return None if self._open_ns is None else self._open_ns + self._span_ns

    @property
    def deadline(self) -> int | None:
        """When `tick` has something to do; None before the first trade."""
        return None if self._open_ns is None else self._open_ns + self._span_ns + self._grace_ns

    def add(self, trade: Trade) -> Sequence[Bar]:
        """Take in one trade and return the bars that it closed, oldest first. A trade seen before changes nothing."""
        if trade.trade_id in self._seen:
            return ()
        self._seen[trade.trade_id] = None
        if len(self._seen) > self._ids_kept:
            del self._seen[next(iter(self._seen))]
        start_ns = trade.at_ns - trade.at_ns % self._span_ns
        closed: Sequence[Bar] = ()
        if self._open_ns is None:
            self._open_ns = start_ns
        elif start_ns < self._open_ns:
            return ()
        elif start_ns > self._open_ns:
            closed = self._advance(self._open_ns, start_ns)
        self._take(trade)
        return closed

    def tick(self, now_ns: int) -> Sequence[Bar]:
        """Return the bars that ended before `now_ns` less the grace, oldest first."""
        reached_ns = now_ns - self._grace_ns
        start_ns = reached_ns - reached_ns % self._span_ns
        if self._open_ns is None or start_ns <= self._open_ns:
            return ()
        return self._advance(self._open_ns, start_ns)

    def prime(self, history: Sequence[Trade], streamed: Sequence[Trade] = ()) -> Sequence[Bar]:
        """Take in fetched trades and those that came by the stream meanwhile, and return the bars that they closed.

        `history` is oldest first and was fetched after the stream went live. Where it does not reach back to the
        newest trade known, the current interval is given up, and so is the one in which the history begins.
        """
        if history and self._open_ns is not None and not self._reaches(history):
            self.torn()
        told_ns = self._open_ns or 0  # history before this belongs to bars that are told already
        trades = [trade for trade in history if trade.at_ns >= told_ns]
        closed: list[Bar] = []
        for trade in sorted((*trades, *streamed), key=_time):  # stable: trades of one instant stay in their order
            closed.extend(self.add(trade))
        return closed

    def torn(self) -> None:
        """Learn that trades are missing before the next: the current interval is given up, and so is theirs."""
        self._open_ns, self._whole, self._traded = None, False, False

    def _reaches(self, history: Sequence[Trade]) -> bool:
        return history[0].at_ns < self._newest_ns or any(trade.trade_id in self._seen for trade in history)

    def _take(self, trade: Trade) -> None:
        price, at_ns = trade.price, trade.at_ns
        self._newest_ns = max(self._newest_ns, at_ns)
        if not self._traded:
            self._traded = True
            self._open = self._high = self._low = self._close = price
            self._volume = trade.quantity
            self._first_ns = self._last_ns = at_ns
            return
        self._volume += trade.quantity
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        if at_ns >= self._last_ns:
            self._close, self._last_ns = price, at_ns
        elif at_ns < self._first_ns:
            self._open, self._first_ns = price, at_ns

    def _advance(self, open_ns: int, start_ns: int) -> Sequence[Bar]:
        """Close the current interval and all up to the one that opens at `start_ns`, which becomes the current one."""
        closed: list[Bar] = []
        if self._traded:
            if self._whole:
                closed.append(self._traded_bar(open_ns))
            open_ns += self._span_ns
        if self._fill_empty:
            closed.extend(self._empty_bars(open_ns, start_ns))
        self._open_ns, self._whole, self._traded = start_ns, True, False
        return closed

    def _traded_bar(self, open_ns: int) -> Bar:
        return Bar(
            market=self._market,
            timeframe_s=self._timeframe_s,
            open_ns=open_ns,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
        )

    def _empty_bars(self, open_ns: int, until_ns: int) -> Sequence[Bar]:
        if (until_ns - open_ns) // self._span_ns > self._most_empty:
            return ()  # hours of invented bars would be worse than none
        return [self._empty_bar(at_ns, self._close) for at_ns in range(open_ns, until_ns, self._span_ns)]

    def _empty_bar(self, open_ns: int, price: Price) -> Bar:
        return Bar(
            market=self._market,
            timeframe_s=self._timeframe_s,
            open_ns=open_ns,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=ZERO,
        )


def _time(trade: Trade) -> int:
    return trade.at_ns
