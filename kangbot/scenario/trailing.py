"""A strategy whose stop follows the price: on every bar it is another, nearer or farther than the one that rests.

The shipped ones leave a stop where the entry put it, so with them alone a daemon that never moves one would pass.
"""

import msgspec

from kangbot.model.position import Position
from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators
from kangbot.strategy.protect import stop_price


class Trailing(EmaCross):
    """`ema_cross`, with its stop so far from the newest close as that one's is from the entry."""

    name = "trailing"

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Want what `ema_cross` wants, by a stop of this bar."""
        target = super().decide(view)
        if target is None or target.stop is None:
            return target
        direction = 1 if target.exposure > 0 else -1
        nothing = Position(market=view.position.market)
        stop = stop_price(nothing, view.bar.close, direction, self.parameters.stop_percent)
        return msgspec.structs.replace(target, stop=stop)
