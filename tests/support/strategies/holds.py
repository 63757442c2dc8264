"""A strategy that wants in at once, without a stop, and never out."""

from decimal import Decimal

from kangbot.model.data import Bar
from kangbot.model.target import Target
from kangbot.strategy.base import Parameters, Strategy, View


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameters."""


class Blind:
    """Looks at nothing."""

    def update(self, bar: Bar) -> None:
        """Take one bar."""


class Holds(Strategy[Nothing, Blind]):
    """Holds what it has bought."""

    name = "holds"
    parameters_type = Nothing
    __slots__ = ()

    @property
    def lookback(self) -> int:
        """One bar."""
        return 1

    def indicators(self) -> Blind:
        """Return what looks at nothing."""
        return Blind()

    def decide(self, view: View[Blind]) -> Target | None:
        """Want in."""
        del view
        return Target(exposure=Decimal(1), stop=None, reason="it holds")
