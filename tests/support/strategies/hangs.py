"""A strategy that trades like `ema_cross`, until a file `hang` lies beside it: then it never comes back."""

import time
from pathlib import Path

from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators

FLAG = Path(__file__).with_name("hang")


class Hangs(EmaCross):
    """What a mistake in somebody's loop looks like to the daemon."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, or hang."""
        while FLAG.exists():
            time.sleep(3600)
        return super().decide(view)
