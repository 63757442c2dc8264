"""Trade against exaggeration: long when the relative strength index is low, short when it is high, out in the middle.

What is wanted follows from the index and the position alone, so that a restart wants the same. One fall below the low
level (one rise above the high one) is one trade: after a stop the next is waited for.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from kangbot.model.data import Bar
from kangbot.model.money import ZERO
from kangbot.model.target import Target
from kangbot.strategy.base import Parameters, Strategy, View
from kangbot.strategy.indicators import Rsi, Signal
from kangbot.strategy.protect import stop_price, traded

Level = Annotated[float, Meta(gt=0, lt=100)]


class RsiReversionParameters(Parameters, frozen=True, kw_only=True):
    """Parameters of `rsi_reversion`. Levels are values of the index, between 0 and 100."""

    period: Annotated[int, Meta(ge=2, le=500, description="Bars of the index.")] = 14
    low: Annotated[Level, Meta(description="Enter long below; below exit.")] = 30.0
    high: Annotated[Level, Meta(description="Enter short above; above exit.")] = 70.0
    exit: Annotated[Level, Meta(description="Leave a long at or above, a short at or below.")] = 50.0
    stop_percent: Annotated[
        Decimal, Meta(description="Distance of the stop from the entry, in percent of the price; above 0, below 100.")
    ] = Decimal(2)
    allow_short: Annotated[bool, Meta(description="Whether to be short at all. Spot markets are never short.")] = True

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the fields."""
        if not self.low < self.exit:
            yield "low", f"must be below exit ({self.exit}), not {self.low}"
        if not self.high > self.exit:
            yield "high", f"must be above exit ({self.exit}), not {self.high}"
        if not 0 < self.stop_percent < 100:
            yield "stop_percent", f"must be above 0 and below 100, not {self.stop_percent}"


class RsiReversionIndicators:
    """The index, and since when it has been low or high."""

    __slots__ = ("_high", "_low", "rsi", "signal")

    def __init__(self, period: int, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.rsi = Rsi(period)
        self.signal = Signal()

    def update(self, bar: Bar) -> None:
        """Take in one closed bar."""
        self.rsi.update(bar)
        value = self.rsi.value
        if value is not None:
            self.signal.point((value < self._low) - (value > self._high), bar.close_ns)


class RsiReversion(Strategy[RsiReversionParameters, RsiReversionIndicators]):
    """Long when oversold, short when overbought, flat again in the middle."""

    name = "rsi_reversion"
    parameters_type = RsiReversionParameters

    @property
    def lookback(self) -> int:
        """Ten times the period: what its seed weighs by then is below 0.1 % for the usual periods."""
        return 10 * self.parameters.period

    def indicators(self) -> RsiReversionIndicators:
        """Return a fresh index."""
        return RsiReversionIndicators(self.parameters.period, self.parameters.low, self.parameters.high)

    def decide(self, view: View[RsiReversionIndicators]) -> Target | None:
        """Want a side when the index is beyond its level, and keep it until the index is back at `exit`."""
        value, signal = view.indicators.rsi.value, view.indicators.signal
        if value is None or signal.direction is None:
            return None
        held = (view.position.net > 0) - (view.position.net < 0)
        if held and not self._allowed(held):
            return self._flat(f"{self._index(value)}; short positions are not allowed")
        if held and signal.direction != -held:
            return self._keep(view, value, held)
        return self._enter(view, value, signal)

    def _keep(self, view: View[RsiReversionIndicators], value: float, held: int) -> Target:
        exit_level, back = self.parameters.exit, "at or above" if held > 0 else "at or below"
        if (value - exit_level) * held >= 0:
            return self._flat(f"{self._index(value)} is {back} exit {exit_level:g}")
        waits = "above" if held < 0 else "below"
        return self._want(view, held, f"{self._index(value)} is still {waits} exit {exit_level:g}")

    def _enter(self, view: View[RsiReversionIndicators], value: float, signal: Signal) -> Target:
        low, high = self.parameters.low, self.parameters.high
        direction = signal.direction
        if not direction:
            return self._flat(f"{self._index(value)} is between low {low:g} and high {high:g}")
        reason = f"{self._index(value)} is " + (f"below low {low:g}" if direction > 0 else f"above high {high:g}")
        if not self._allowed(direction):
            return self._flat(f"{reason}; short positions are not allowed")
        if traded(signal, direction, view.last_trip):
            return self._flat(f"{reason}; this signal has had its trade")
        return self._want(view, direction, reason)

    def _allowed(self, direction: int) -> bool:
        return direction > 0 or self.parameters.allow_short

    def _index(self, value: float) -> str:
        return f"RSI {self.parameters.period} ({value:.2f})"

    def _want(self, view: View[RsiReversionIndicators], direction: int, reason: str) -> Target:
        stop = stop_price(view.position, view.bar.close, direction, self.parameters.stop_percent)
        return Target(exposure=Decimal(direction), stop=stop, reason=reason)

    @staticmethod
    def _flat(reason: str) -> Target:
        return Target(exposure=ZERO, reason=reason)
