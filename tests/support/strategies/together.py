"""Has every market enter at the same second, move its stop at the same second, and leave at the same second."""

from decimal import Decimal

from kangbot.model.data import Bar
from kangbot.model.money import ZERO
from kangbot.model.target import Target
from kangbot.strategy.base import Parameters, Strategy, View
from kangbot.strategy.protect import stop_price

ROUND_S = 14  # as many seconds as all of them take to enter, to move their stops and to leave, at ten requests a second
MOVES_S, LEAVES_S = 5, 9
NEAR, FAR = Decimal(2), Decimal(3)  # percent


class Nothing(Parameters, frozen=True, kw_only=True):
    """No parameters."""


class Seconds:
    """Knows the time of the newest bar."""

    at_s = 0

    def update(self, bar: Bar) -> None:
        """Take one bar."""
        self.at_s = bar.close_ns // 1_000_000_000


class Together(Strategy[Nothing, Seconds]):
    """Wants the same in every market."""

    name = "together"
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
        """Want to be long for the first seconds of each round, with a stop that moves once."""
        second = view.indicators.at_s % ROUND_S
        if second >= LEAVES_S:
            return Target(exposure=ZERO, reason="the round is over")
        percent = FAR if second < MOVES_S else NEAR
        stop = stop_price(view.position, view.bar.close, 1, percent)
        return Target(exposure=Decimal(1), stop=stop, reason="the round has begun")
