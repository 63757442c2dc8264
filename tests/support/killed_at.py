"""A piece of work in a process of its own, killed by SIGKILL before one of its steps.

A step is a call into C that changes something outside the process: a file, a folder, a database, what a socket carries.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

_FILES = frozenset({"chmod", "chown", "flock", "fsync", "mkdir", "pwrite", "rename", "replace", "rmdir", "unlink"})
_CHANGES = _FILES | {"write", "execute", "executemany", "backup", "commit", "send", "sendall"}


class _Steps:
    """Counts the steps, and strikes before the one that was asked for."""

    def __init__(self, at: int, strike: Callable[[], object]) -> None:
        self._left = at
        self._strike = strike

    def __call__(self, _: FrameType, event: str, called: object) -> None:
        """Hear of a call, as `sys.setprofile` has it told."""
        if event != "c_call" or getattr(called, "__name__", "") not in _CHANGES:
            return
        if isinstance(getattr(called, "__self__", None), str | list):  # methods of these names change nothing outside
            return
        self._left -= 1
        if not self._left:
            self._strike()

    @property
    def reached(self) -> bool:
        """Whether there was such a step."""
        return self._left <= 0


def struck(work: Callable[[], object], strike: Callable[[], object], *, at: int) -> tuple[bool, Exception | None]:
    """Do the work in this process, with `strike` before its step `at`.

    Return whether it has that many, and what it raised.
    """
    steps = _Steps(at, strike)
    threading.setprofile(steps)
    sys.setprofile(steps)
    try:
        work()
    except Exception as error:  # noqa: BLE001 -- the test's to judge
        return steps.reached, error
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return steps.reached, None


def killed(work: Callable[[], object], *, at: int) -> bool:
    """Do the work up to its step `at`, which is counted from 1; return whether it has that many."""
    child = os.fork()
    if not child:
        try:
            threading.setprofile(steps := _Steps(at, lambda: os.kill(os.getpid(), signal.SIGKILL)))
            sys.setprofile(steps)
            work()
            sys.setprofile(None)
        except BaseException:  # noqa: BLE001 -- nothing of the test may run on in the child
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the work failed by itself: {status}"
    return status == signal.SIGKILL
