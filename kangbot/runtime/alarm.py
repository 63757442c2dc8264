"""Interrupts a call that does not return, on the loop's own thread: for code that is not ours.

A timer of the system (`ITIMER_REAL`) sends SIGALRM, whose handler raises in the middle of whatever runs. So it may be
set around pure computation only: an exception out of nowhere would break anything that has state to keep whole. It also
ends a call that sleeps. It does not reach into a library that computes without the interpreter.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")


class OverranError(Exception):
    """The call was interrupted."""


class _Rung(BaseException):
    """Raised by the handler: no `except Exception` of the interrupted code can swallow it."""


class Alarm:
    """Lets a call run for `after_s` at most. Make it on the main thread; one a process."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._armed = False
        self._before = signal.signal(signal.SIGALRM, self._ring)

    def close(self) -> None:
        """Give SIGALRM back."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def run(self, call: Callable[[A], T], argument: A) -> T:
        """Return what the call returns. OverranError where it had to be interrupted; its own errors pass."""
        try:
            self._armed = True
            # Again and again: code that catches everything is interrupted once more.
            signal.setitimer(signal.ITIMER_REAL, self._after_s, self._after_s / 10)
            try:
                return call(argument)
            finally:
                self._armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _Rung:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)  # it may have rung in the very moment of the end
            raise OverranError from None

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise _Rung
