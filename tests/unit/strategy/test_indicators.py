"""Indicators agree with an independent library, on real and on synthetic candles, and stay small."""

import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import pytest
import talib

from kangbot.model.data import Bar
from kangbot.strategy.indicators import Atr, Ema, Rsi, Signal


class Valued(Protocol):
    """An indicator of one value."""

    def update(self, bar: Bar) -> None: ...
    @property
    def value(self) -> float | None: ...


Expected = Callable[[Sequence[Bar], int], Any]


def closes(bars: Sequence[Bar]) -> Any:
    """Return the closes as TA-Lib takes them."""
    return np.array([float(bar.close) for bar in bars])


def talib_ema(bars: Sequence[Bar], period: int) -> Any:
    """Return TA-Lib's EMA."""
    return talib.EMA(closes(bars), timeperiod=period)


def talib_rsi(bars: Sequence[Bar], period: int) -> Any:
    """Return TA-Lib's RSI."""
    return talib.RSI(closes(bars), timeperiod=period)


def talib_atr(bars: Sequence[Bar], period: int) -> Any:
    """Return TA-Lib's ATR."""
    high, low = (np.array([float(getattr(bar, side)) for bar in bars]) for side in ("high", "low"))
    return talib.ATR(high, low, closes(bars), timeperiod=period)


CASES = [
    (kind, expected, period)
    for kind, expected in ((Ema, talib_ema), (Rsi, talib_rsi), (Atr, talib_atr))
    for period in (2, 5, 14, 50)
]


def agree(indicator: Valued, bars: Sequence[Bar], expected: Any) -> None:
    """Assert the same value after each bar, and none where the other has none."""
    assert len(bars) > 100
    for bar, other in zip(bars, expected, strict=True):
        indicator.update(bar)
        if np.isnan(other):
            assert indicator.value is None
        else:
            assert indicator.value == pytest.approx(other, rel=1e-9, abs=1e-9)


@pytest.mark.recorded
@pytest.mark.parametrize(("kind", "expected", "period"), CASES)
def test_values_agree_with_ta_lib_on_recorded_candles(
    recorded: list[Bar], kind: Callable[[int], Valued], expected: Expected, period: int
) -> None:
    """Two years of days and a day of minutes; bar by bar, from the first value to the last."""
    agree(kind(period), recorded, expected(recorded, period))


@pytest.mark.parametrize(("kind", "expected", "period"), CASES)
def test_values_agree_with_ta_lib_on_a_random_walk(
    walk: Callable[[int, int], list[Bar]], kind: Callable[[int], Valued], expected: Expected, period: int
) -> None:
    """Many times longer than what is kept: purging changes no value."""
    bars = walk(2000, period)
    agree(kind(period), bars, expected(bars, period))


def test_a_market_without_a_loss_is_at_a_hundred(bars_of: Callable[..., list[Bar]]) -> None:
    """No division by nothing."""
    rsi = Rsi(3)
    for bar in bars_of([1, 2, 3, 4, 5]):
        rsi.update(bar)
    assert (rsi.previous, rsi.value) == (100.0, 100.0)


def test_the_value_before_is_kept(bars_of: Callable[..., list[Bar]]) -> None:
    """For strategies that look at a change."""
    ema = Ema(2)
    for bar in bars_of([1, 3, 6]):
        ema.update(bar)
    assert ema.previous == 2.0
    assert ema.value == pytest.approx(2 / 3 * 6 + 1 / 3 * 2)


@pytest.mark.parametrize("kind", [Ema, Rsi, Atr])
def test_memory_does_not_grow(walk: Callable[[int, int], list[Bar]], kind: Callable[[int], Valued]) -> None:
    """Thousands of bars later an indicator is no larger."""
    bars, indicator = walk(4000, 1), kind(20)
    for bar in bars[:500]:
        indicator.update(bar)
    tracemalloc.start()
    try:
        for bar in bars[500:]:
            indicator.update(bar)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 16_000  # what is kept, replaced once; 3,500 bars unpurged would be ten times that


def test_a_signal_remembers_its_turn() -> None:
    """The first direction is as old as the memory; a repeated one is no turn."""
    signal, seen = Signal(), []
    for direction, at_ns in ((1, 10), (-1, 20), (-1, 30), (0, 40)):
        signal.point(direction, at_ns)
        seen.append((signal.direction, signal.since_ns))
    assert Signal().direction is None
    assert seen == [(1, 0), (-1, 20), (-1, 20), (0, 40)]
