"""Indicators for strategies: talipp's incremental ones, fed with bars and kept small.

talipp keeps every input and output; here the old ones are purged, so that a market's memory stays the same over months
while the work a bar stays constant. Values are floats: an indicator compares, money is counted elsewhere. They agree
with TA-Lib's (the tests compare them on real and on synthetic candles).
"""

from typing import Protocol

from talipp.indicators import EMA, RSI, SMMA

from kangbot.model.data import Bar

_SLACK = 32  # inputs beyond what the formula needs, dropped together: purging costs a copy, once in so many bars


class _Series(Protocol):
    """The part of talipp's indicators that is used here."""

    def add(self, value: float) -> None: ...
    def purge_oldest(self, size: int) -> None: ...
    def __getitem__(self, index: int) -> float | None: ...
    def __len__(self) -> int: ...


class _Bounded:
    """One talipp indicator with bounded memory, its newest value and the one before."""

    __slots__ = ("_keep", "_series", "previous", "value")

    def __init__(self, series: _Series, period: int) -> None:
        self._series = series
        self._keep = period + 2  # talipp seeds itself anew when exactly `period` (+ 1) inputs are left
        self.value: float | None = None  # None until there are enough bars
        self.previous: float | None = None  # a bar earlier

    def add(self, value: float) -> None:
        """Take in one input."""
        self.previous = self.value
        self._series.add(value)
        self.value = self._series[-1]
        surplus = len(self._series) - self._keep
        if surplus >= _SLACK:
            self._series.purge_oldest(surplus)


class _OfCloses:
    """An indicator over the closes of `period` bars or more."""

    __slots__ = ("_series", "period")

    def __init__(self, series: _Series, period: int) -> None:
        self.period = period
        self._series = _Bounded(series, period)

    def update(self, bar: Bar) -> None:
        """Take in one closed bar."""
        self._series.add(float(bar.close))

    @property
    def value(self) -> float | None:
        """The value at the last bar; None while there are too few."""
        return self._series.value

    @property
    def previous(self) -> float | None:
        """The value a bar earlier."""
        return self._series.previous


class Ema(_OfCloses):
    """Exponential moving average of closes, in the quote currency; None for the first `period` - 1 bars.

    It is seeded with the simple average of the first `period` closes.
    """

    __slots__ = ()

    def __init__(self, period: int) -> None:
        super().__init__(EMA(period), period)


class Rsi(_OfCloses):
    """Wilder's relative strength index of closes, in [0, 100], 100 where nothing was lost; None for `period` bars."""

    __slots__ = ()

    def __init__(self, period: int) -> None:
        super().__init__(RSI(period), period)


class Atr:
    """Wilder's average true range.

    The first bar has no close before it and hence no true range. talipp's own ATR counts it all the same; this one
    averages as Wilder and TA-Lib do, with talipp's smoothed average over the true ranges.
    """

    __slots__ = ("_close", "_series", "period")

    def __init__(self, period: int) -> None:
        self.period = period
        self._series = _Bounded(SMMA(period), period)
        self._close: float | None = None

    def update(self, bar: Bar) -> None:
        """Take in one closed bar."""
        high, low, before = float(bar.high), float(bar.low), self._close
        if before is not None:
            self._series.add(max(high, before) - min(low, before))
        self._close = float(bar.close)

    @property
    def value(self) -> float | None:
        """In the quote currency; None for the first `period` bars."""
        return self._series.value


class Signal:
    """Which way an indicator points, and since when: what makes one signal one trade.

    `direction` is 1, 0 or -1. `since_ns` is the close of the bar that turned it; 0 where the turn is older than the
    memory.
    """

    __slots__ = ("direction", "since_ns")

    def __init__(self) -> None:
        self.direction: int | None = None  # None before the first
        self.since_ns = 0

    def point(self, direction: int, at_ns: int) -> None:
        """Take in the direction at the close of one bar."""
        if direction != self.direction:
            self.since_ns = 0 if self.direction is None else at_ns
            self.direction = direction
