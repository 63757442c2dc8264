"""A strategy that trades like `ema_cross`, until a file `eat` lies beside it: then it takes all the memory there is."""

from pathlib import Path

from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators

FLAG = Path(__file__).with_name("eat")
MEAL = 1 << 30  # in one piece, so that nothing interrupts it


class Eats(EmaCross):
    """What a list that only grows looks like to the machine."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, or eat."""
        eaten: list[bytes] = []
        if FLAG.exists():
            eaten.append(b"x" * MEAL)
        return super().decide(view)
