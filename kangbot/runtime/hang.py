"""The process ends itself when its loop hangs: with the stacks of all threads, so that the reason can be read.

A loop that hangs serves no market and answers nobody, and nothing inside it can notice. Docker restarts only what has
exited, and a person looks after months. So the loop postpones the end again and again; when it does not, the end comes.

Why faulthandler's timer and not a thread of ours: it is a thread in C that needs no interpreter lock. A regular
expression that never ends, or a library that holds the lock, hangs every Python thread; this one still fires. What it
cannot do is log: the stacks stand on standard error as they are, and the exit code is its own, 1. Nor can it hold the
threads still: of one that runs it may catch half a stack, which is why a loop that lives shows its stacks itself.

The bound is measured by the clock that runs on while the process is stopped (SIGSTOP, a paused container): a pause
that is longer than it may end the process when it goes on. Whatever starts it again finds the journal as after a kill.

Nobody may be reading: a write to a pipe that is full waits, and the end would never come. So the stacks go where no
write waits for long, and what finds no room is left out.
"""

import faulthandler
import os
import socket
import stat
import struct
from typing import TextIO

from kangbot.runtime.standard import opened_again

HANG_S = 60.0
"""From the last sign of life to the end. Far above the longest turn of a loop that is well (milliseconds), above half a
minute of a machine that was paused, and short enough that nobody waits for a person."""

_A_WRITE = struct.pack("@ll", 0, 5_000)  # a timeval: 5 ms


class HangGuard:
    """Ends the process `after_s` seconds after the last `beat`. Nothing happens before the first one."""

    def __init__(self, out: TextIO, after_s: float = HANG_S) -> None:
        self._out = without_waiting(out)
        self._after_s = after_s

    def beat(self) -> bool:
        """Postpone the end. About a tenth of a millisecond: the timer is a thread that is made anew.

        False where the system has no thread to give: until the next beat that finds one, no end is near.
        """
        try:
            faulthandler.dump_traceback_later(self._after_s, exit=True, file=self._out)
        except RuntimeError:
            return False
        return True

    def show(self) -> None:
        """Write the stacks of all threads now. Unlike those at the end they are exact: none of ours runs meanwhile."""
        faulthandler.dump_traceback(self._out, all_threads=True)

    def release(self) -> None:
        """Call the end off for good. Safe to call twice."""
        faulthandler.cancel_dump_traceback_later()


def without_waiting(out: TextIO) -> int:
    """Return a handle for stacks: on what `out` leads to, and for as long as the process lasts.

    A socket cannot be opened again. It gets a bound instead, which the few who share it have to live with: stacks are
    some hundred writes, and all of them together are to take seconds.
    """
    number = out.fileno()
    kind = os.fstat(number).st_mode
    try:
        if stat.S_ISFIFO(kind) or out.isatty():
            return opened_again(number)
        if stat.S_ISSOCK(kind):
            with socket.socket(fileno=os.dup(number)) as ours:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _A_WRITE)
    except OSError:  # it may not be opened again: it waits, as ever
        pass
    return number
