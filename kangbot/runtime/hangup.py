"""SIGHUP at the start of a daemon: it means the configuration's file, and ends nothing before there is who hears it.

Looked at before all else is imported, like `dated`: what a command line needs takes a quarter of a second to import on
the smallest server, in which the system's own answer to the signal would end the process.
"""

import signal
import sys


def ignore_hangup() -> None:
    """Have SIGHUP do nothing, in this process and in what replaces it; a terminal that is closed ends them still."""
    if sys.stdin is None or not sys.stdin.isatty():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


if sys.argv[1:2] == ["run"]:
    ignore_hangup()
