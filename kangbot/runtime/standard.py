"""The three standard streams, whatever is left of them by whoever started us.

A process may be started with one of them closed (`2>&-`, a supervisor that tidies up). The next file that it opens then
gets that number: whatever writes to standard error (a library in C, the stacks of a hang) would write into a socket or
into the journal, and uvloop ends the process where it is to close such a number. So a stream that is closed leads to
nowhere before anything else is opened.
"""

import os
import sys

_READ, _WRITE = "r", "w"


def hold_standard_streams() -> None:
    """Open those that are closed, and have `sys` know them. Called first thing; leaves the others as they are."""
    for number, name, mode in ((0, "stdin", _READ), (1, "stdout", _WRITE), (2, "stderr", _WRITE)):
        try:
            os.fstat(number)
        except OSError:
            _lead_nowhere(number)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 -- for good
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def opened_again(number: int) -> int:
    """Return a handle of our own on the pipe or terminal that `number` leads to, on which no write waits. OSError.

    By the link that Linux keeps of it: to have `number` itself not wait would change it for all who share it.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(f"/proc/self/fd/{number}", flags)


def _lead_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:  # the lowest number that is free
        os.set_inheritable(number, True)  # noqa: FBT003 -- its own form
    else:
        os.dup2(nowhere, number)
        os.close(nowhere)
