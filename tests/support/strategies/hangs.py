"""A strategy that trades like `ema_cross`, until a file `hang` lies beside it: then it never comes back.

The last that it does is to make a file `hung`, where it may: a service may write nothing beside its configuration.
"""

import contextlib
import ctypes
from pathlib import Path

from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators

FLAG = Path(__file__).with_name("hang")
DONE = Path(__file__).with_name("hung")


class Hangs(EmaCross):
    """What a library that locks twice looks like to the daemon: it holds the interpreter, and no signal reaches it."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, or hang."""
        if FLAG.exists():
            mutex = ctypes.create_string_buffer(128)  # all zeros: PTHREAD_MUTEX_INITIALIZER
            held = ctypes.PyDLL(None)  # unlike CDLL it keeps the interpreter's lock
            held.pthread_mutex_lock(mutex)
            with contextlib.suppress(OSError):
                DONE.touch()
            held.pthread_mutex_lock(mutex)
        return super().decide(view)
