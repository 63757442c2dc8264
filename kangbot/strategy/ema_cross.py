"""Follow the trend: long while a fast average of closes is above a slow one, short or flat while it is below.

The target is a state and not an event: it is the same on every bar between two crossings, so that a restart in between
wants what was wanted before. One crossing is one trade: after a stop the next crossing is waited for.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from kangbot.model.data import Bar
from kangbot.model.money import ZERO
from kangbot.model.target import Target
from kangbot.strategy.base import Parameters, Strategy, View
from kangbot.strategy.indicators import Ema, Signal
from kangbot.strategy.protect import stop_price, traded


class EmaCrossParameters(Parameters, frozen=True, kw_only=True):
    """Parameters of `ema_cross`."""

    fast: Annotated[int, Meta(ge=1, le=500, description="Bars of the fast average; below slow.")] = 5
    slow: Annotated[int, Meta(ge=2, le=500, description="Bars of the slow average.")] = 20
    stop_percent: Annotated[
        Decimal, Meta(description="Distance of the stop from the entry, in percent of the price; above 0, below 100.")
    ] = Decimal("1.5")
    allow_short: Annotated[
        bool, Meta(description="Whether to be short below the crossing; otherwise flat. Spot markets are never short.")
    ] = True

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the fields."""
        if self.fast >= self.slow:
            yield "fast", f"must be below slow ({self.slow}), not {self.fast}"
        if not 0 < self.stop_percent < 100:
            yield "stop_percent", f"must be above 0 and below 100, not {self.stop_percent}"


class EmaCrossIndicators:
    """The two averages, and which way they point since when."""

    __slots__ = ("fast", "signal", "slow")

    def __init__(self, fast: int, slow: int) -> None:
        self.fast = Ema(fast)
        self.slow = Ema(slow)
        self.signal = Signal()

    def update(self, bar: Bar) -> None:
        """Take in one closed bar."""
        self.fast.update(bar)
        self.slow.update(bar)
        fast, slow = self.fast.value, self.slow.value
        if fast is not None and slow is not None and fast != slow:  # equal: neither above nor below, as it was
            self.signal.point(1 if fast > slow else -1, bar.close_ns)


class EmaCross(Strategy[EmaCrossParameters, EmaCrossIndicators]):
    """Long above, short (or flat) below."""

    name = "ema_cross"
    parameters_type = EmaCrossParameters

    @property
    def lookback(self) -> int:
        """Four times the slow average: what its seed weighs by then is below 0.3 %."""
        return 4 * self.parameters.slow

    def indicators(self) -> EmaCrossIndicators:
        """Return two fresh averages."""
        return EmaCrossIndicators(self.parameters.fast, self.parameters.slow)

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Want the side of the fast average; None while there are too few bars."""
        memory, signal = view.indicators, view.indicators.signal
        direction = signal.direction
        if direction is None:
            return None
        reason = self._reason(memory, direction, turned=signal.since_ns == view.bar.close_ns)
        if direction < 0 and not self.parameters.allow_short:
            return Target(exposure=ZERO, reason=reason)
        if view.position.net * direction <= 0 and traded(signal, direction, view.last_trip):
            return Target(exposure=ZERO, reason=f"{reason}; this crossing has had its trade")
        stop = stop_price(view.position, view.bar.close, direction, self.parameters.stop_percent)
        return Target(exposure=Decimal(direction), stop=stop, reason=reason)

    def _reason(self, memory: EmaCrossIndicators, direction: int, *, turned: bool) -> str:
        verb = "crossed" if turned else "is"
        word, sign = ("above", ">") if direction > 0 else ("below", "<")
        fast, slow = self.parameters.fast, self.parameters.slow
        return f"EMA {fast} {verb} {word} EMA {slow} ({_digits(memory.fast.value)} {sign} {_digits(memory.slow.value)})"


def _digits(average: float | None) -> str:
    """Return eight digits as a price has them: by itself a small float would be written with an exponent."""
    return f"{Decimal(f'{average:.8g}'):f}"
