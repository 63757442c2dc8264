"""The process ends itself when its loop hangs: with the stacks of all threads, so that the reason can be read.

A loop that hangs serves no market and answers nobody, and nothing inside it can notice. Docker restarts only what has
exited, and a person looks after months. So the loop postpones the end again and again; when it does not, the end comes.

Why faulthandler's timer and not a thread of ours: it is a thread in C that needs no interpreter lock. A regular
expression that never ends, or a library that holds the lock, hangs every Python thread; this one still fires. What it
cannot do is log: the stacks stand on standard error as they are, and the exit code is its own, 1. Nor can it hold the
threads still: of one that runs it may catch half a stack, which is why a loop that lives shows its stacks itself.

The bound is measured by the clock that runs on while the process is stopped (SIGSTOP, a paused container): a pause
that is longer than it may end the process when it goes on. Whatever starts it again finds the journal as after a kill.
"""

import faulthandler
from typing import TextIO

HANG_S = 60.0
"""From the last sign of life to the end. Far above the longest turn of a loop that is well (milliseconds), above half a
minute of a machine that was paused, and short enough that nobody waits for a person."""


class HangGuard:
    """Ends the process `after_s` seconds after the last `beat`. Nothing happens before the first one."""

    def __init__(self, out: TextIO, after_s: float = HANG_S) -> None:
        self._out = out
        self._after_s = after_s

    def beat(self) -> None:
        """Postpone the end. About a tenth of a millisecond: the timer is a thread that is made anew."""
        faulthandler.dump_traceback_later(self._after_s, exit=True, file=self._out)

    def show(self) -> None:
        """Write the stacks of all threads now. Unlike those at the end they are exact: none of ours runs meanwhile."""
        faulthandler.dump_traceback(self._out, all_threads=True)

    def release(self) -> None:
        """Call the end off for good. Safe to call twice."""
        faulthandler.cancel_dump_traceback_later()
