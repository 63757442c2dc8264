"""A strategy that trades like `ema_cross`, and holds the loop once for each file `block` that lies beside it."""

import ctypes
import time
from pathlib import Path

from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators

FLAG = Path(__file__).with_name("block")
FOR_S = 15


class Blocks(EmaCross):
    """What a library that computes without the interpreter looks like: nothing else of the process runs meanwhile."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, after the block where there is one."""
        if FLAG.exists():
            FLAG.unlink()
            held, until = ctypes.PyDLL(None), time.monotonic() + FOR_S  # unlike CDLL it keeps the interpreter's lock
            while (left_s := until - time.monotonic()) > 0:  # a signal ends a wait early
                held.poll(None, 0, int(left_s * 1000) + 1)
        return super().decide(view)
