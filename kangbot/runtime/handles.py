"""How many files this process may have open: sockets, the journal, whoever looks on.

A shell gives 1,024, some supervisors far less, and a process may give itself more up to a bound that root sets.
Who runs out of handles can neither dial nor write, and what it says of it names whatever happened to come last. So the
process takes what it may at its start, does not begin with too few, and keeps from those who look on what it needs.
"""

import resource

from kangbot.errors import NeedsHuman

_ENOUGH = 4096  # two listeners of the control API with 512 connections each, and far more sockets than a venue takes
_LEAST = 64  # 27 markets, their journal and history have some forty
_OURS = 96  # those, and as many connections for requests as there may be at once
_LOOKS = 8  # where there are no more than that: `kangbot status` and one page


def take_handles() -> None:
    """Raise the limit as far as it may be, up to what is enough. NeedsHuman where that is too little to run."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < _LEAST:
        raise NeedsHuman(
            f"this process may have {soft} files open, and needs {_LEAST} at least",
            remedy="raise the limit: ulimit -n 1024, LimitNOFILE= of the unit, or --ulimit nofile= of the container",
        )


def for_onlookers() -> int:
    """Return how many handles may go to those who look on; the others are for trading alone."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_LOOKS, (_ENOUGH if soft == resource.RLIM_INFINITY else soft) - _OURS)
