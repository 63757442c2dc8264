"""Ctrl-C before there is who hears it: it ends the process, without a traceback of the import that it interrupted.

Looked at before all else is imported, like `hangup`: what a command line or a daemon needs takes half a second to
import on the smallest server, and people change their minds in less. Nothing is begun by then, so the system's own
answer to the signal is the right one. Where it is ignored, as in what a script starts in the background, it stays so.
"""

import signal


def hear_interrupts() -> None:
    """Have Ctrl-C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
