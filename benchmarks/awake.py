"""Cores that do not go to sleep: a loop on each at the kernel's idle priority, which gives way to everything else.

A virtual core that has nothing to do is taken away, and what wakes it then waits for it and finds its caches cold. How
long is a matter of the host and of the day. With `awake()` a figure is that of the software and the disk alone; without
it, of the machine as well. A server on which anything else computes is awake of itself.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_LOOP = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def awake() -> Iterator[None]:
    """Keep every core awake for as long as the block lasts."""
    with ExitStack() as stack:
        for core in sorted(os.sched_getaffinity(0)):
            stack.callback(_ended, subprocess.Popen([sys.executable, "-S", "-c", _LOOP, str(core)]))
        yield


def _ended(loop: subprocess.Popen[bytes]) -> None:
    loop.kill()
    loop.wait()
