"""Candles of one market, built from its trades; one-minute candles are kept, longer ones are merged from them.

A candle opens at the price where the last one closed, as Bybit's do (consecutive rows of its documented kline answer
share close and open), so a minute without trades is a flat candle and not a gap.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from kangbot.model.data import Bar, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.sim.markets.spec import MINUTE_NS, SECOND_NS

_WEEK_S = 7 * 86_400
_MONDAY_S = 4 * 86_400  # the first Monday of the epoch: weeks start there


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """A bar that may still be open. Prices in quote currency, volume in base, turnover in quote."""

    market: MarketId
    timeframe_s: int
    open_ns: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity = ZERO
    turnover: Money = ZERO
    closed: bool = False
    at_ns: int = 0  # the last trade in it, or its opening

    @property
    def bar(self) -> Bar:
        """The bar as the rest of the house knows it."""
        return Bar(
            market=self.market,
            timeframe_s=self.timeframe_s,
            open_ns=self.open_ns,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
        )


class Klines:
    """The candles of one market, the newest `kept` minutes. Trades come in the order of their times."""

    def __init__(self, market: MarketId, first: Price, start_ns: int, kept: int = 20_000) -> None:
        self._market = market
        self._minutes: deque[Candle] = deque(maxlen=kept)
        self._open_ns = start_ns // MINUTE_NS * MINUTE_NS
        self._open = self._high = self._low = self._close = first
        self._volume = ZERO
        self._turnover = ZERO
        self._at_ns = self._open_ns

    def add(self, trade: Trade) -> tuple[Candle, ...]:
        """Take a trade; return the minutes that its time closed."""
        closed = self.roll(trade.at_ns)
        price = trade.price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += trade.quantity
        self._turnover += price * trade.quantity
        self._at_ns = trade.at_ns
        return closed

    def roll(self, now_ns: int) -> tuple[Candle, ...]:
        """Close every minute that ended by `now_ns`, and return them, oldest first."""
        if now_ns < self._open_ns + MINUTE_NS:
            return ()
        closed: list[Candle] = []
        while now_ns >= self._open_ns + MINUTE_NS:
            closed.append(self._minute(closed=True))
            self._open_ns += MINUTE_NS
            self._open = self._high = self._low = self._close
            self._volume = self._turnover = ZERO
            self._at_ns = self._open_ns
        self._minutes.extend(closed)
        return tuple(closed)

    def current(self, timeframe_s: int) -> Candle:
        """Return the open candle of that timeframe (whole minutes)."""
        start_ns = bucket_ns(self._open_ns, timeframe_s)
        inside: list[Candle] = []
        for candle in reversed(self._minutes):
            if candle.open_ns < start_ns:
                break
            inside.append(candle)
        return merge([*reversed(inside), self._minute(closed=False)], timeframe_s, closed=False)

    def last(self, timeframe_s: int) -> Candle | None:
        """Return the newest closed candle of that timeframe; None before the first."""
        end_ns = bucket_ns(self._open_ns, timeframe_s)
        start_ns = bucket_ns(end_ns - 1, timeframe_s)
        inside = [candle for candle in self._minutes if start_ns <= candle.open_ns < end_ns]
        return merge(inside, timeframe_s, closed=True) if inside else None

    def candles(
        self, timeframe_s: int, limit: int, start_ns: int | None = None, end_ns: int | None = None
    ) -> Sequence[Candle]:
        """Return at most `limit` candles that open in [start_ns, end_ns], oldest first, the open one included.

        Where only `start_ns` is given these are the oldest from there, otherwise the newest, as Bybit's kline does.
        """
        found = [
            candle
            for candle in _merged([*self._minutes, self._minute(closed=False)], timeframe_s)
            if (start_ns is None or candle.open_ns >= start_ns) and (end_ns is None or candle.open_ns <= end_ns)
        ]
        return found[:limit] if start_ns is not None and end_ns is None else found[-limit:]

    def _minute(self, *, closed: bool) -> Candle:
        return Candle(
            market=self._market,
            timeframe_s=60,
            open_ns=self._open_ns,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
            turnover=self._turnover,
            closed=closed,
            at_ns=self._at_ns,
        )


def bucket_ns(at_ns: int, timeframe_s: int) -> int:
    """Return the opening of the candle that contains `at_ns`; weeks open on Monday, all others divide the epoch."""
    offset = _MONDAY_S * SECOND_NS if timeframe_s == _WEEK_S else 0
    return (at_ns - offset) // (timeframe_s * SECOND_NS) * (timeframe_s * SECOND_NS) + offset


def merge(minutes: Sequence[Candle], timeframe_s: int, *, closed: bool) -> Candle:
    """Return one candle of consecutive ones (at least one)."""
    first, last = minutes[0], minutes[-1]
    return Candle(
        market=first.market,
        timeframe_s=timeframe_s,
        open_ns=bucket_ns(first.open_ns, timeframe_s),
        open=first.open,
        high=max(candle.high for candle in minutes),
        low=min(candle.low for candle in minutes),
        close=last.close,
        volume=sum((candle.volume for candle in minutes), Decimal(0)),
        turnover=sum((candle.turnover for candle in minutes), Decimal(0)),
        closed=closed,
        at_ns=last.at_ns,
    )


def _merged(minutes: Iterable[Candle], timeframe_s: int) -> Iterator[Candle]:
    """Yield candles of that timeframe; one is closed when its last minute is."""
    inside: list[Candle] = []
    bucket = -1
    for candle in minutes:
        if (here := bucket_ns(candle.open_ns, timeframe_s)) != bucket and inside:
            yield merge(inside, timeframe_s, closed=True)
            inside = []
        bucket = here
        inside.append(candle)
    if inside:
        yield merge(inside, timeframe_s, closed=False)
