"""How soon a thread gets the interpreter's lock while the loop is busy.

A commit needs it twice, to begin and to tell. The interpreter asks whoever holds it to let go after 5 ms, and the loop
of a daemon whose markets all close a bar at once is busy for longer than that: the order that is already decided then
waits 5 ms before its commit begins and as long after it has ended. The journal's threads hold the lock for some fifty
microseconds at a time, so letting them in sooner costs the loop next to nothing. It is the other way round beside a
strategy that computes in a thread (`runtime/aside.py`): there it is the loop that is let in.
"""

import sys

_INTERVAL_S = 0.0005


def let_threads_in() -> None:
    """Have the interpreter's lock handed over within half a millisecond."""
    sys.setswitchinterval(_INTERVAL_S)
