"""A strategy that takes a position up and down in steps, turns it, and begins again: the same at the same second.

Every coin is at a step of its own, so that at no time all of them hold nothing.
"""

from decimal import Decimal

from kangbot.model.data import Bar
from kangbot.model.target import Target
from kangbot.strategy.base import Parameters, Strategy, View

STEPS = tuple(map(Decimal, ("1", "0.5", "1", "0.25", "-1", "-0.4", "-0.8", "0")))
HELD_NS = 2_000_000_000
FAR = Decimal("0.1")


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameters."""


class Seconds:
    """Knows the time of the newest bar."""

    at_ns = 0

    def update(self, bar: Bar) -> None:
        """Take one bar."""
        self.at_ns = bar.close_ns


class Scales(Strategy[Nothing, Seconds]):
    """Wants another share every two seconds."""

    name = "scales"
    parameters_type = Nothing
    __slots__ = ()

    @property
    def lookback(self) -> int:
        """One bar."""
        return 1

    def indicators(self) -> Seconds:
        """Return what knows the time."""
        return Seconds()

    def decide(self, view: View[Seconds]) -> Target:
        """Want the share of this time, with a stop that is far away."""
        own = sum(view.instrument.base.encode())
        share = STEPS[(view.indicators.at_ns // HELD_NS + own) % len(STEPS)]
        side = 1 if share > 0 else -1
        stop = view.bar.close * (1 - side * FAR) if share else None
        return Target(exposure=share, stop=stop, reason=f"it is time for {share:f}")
