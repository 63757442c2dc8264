"""What a service manager is told, and whether the process may go on: the words of sd_notify(3).

    RECOVERING ──▶ RUNNING ──▶ STOPPING        (a stop may come while it recovers)

- While it recovers, each look asks for more time: a venue that is away makes a start long, not wrong.
- READY is told once, when what the last run left behind is settled.
- While something that must never die is stuck, the watchdog is not fed, and no more time is asked for. Whoever watches
  ends the process then. The venue's health is never a reason for that: a restart would not mend it.
- While it stops, nothing counts as stuck: what is being taken down makes no progress. The stop has a bound of its own,
  which may be longer than the manager's, so each look asks for more time.
"""

from enum import Enum

import msgspec

MORE_TIME_US = 60_000_000  # asked for at each look while it recovers or stops; the looks are seconds apart


class Phase(Enum):
    """Where the process is in its life."""

    RECOVERING = "recovering"
    RUNNING = "running"
    STOPPING = "stopping"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found: the phase, one line for a person, and what is stuck ("" for nothing)."""

    phase: Phase
    status: str
    stuck: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: the lines of one message (none: nothing to tell), and whether the process counts as alive."""

    words: tuple[str, ...]
    alive: bool


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What was told so far."""

    phase: Phase = Phase.RECOVERING
    status: str = ""
    stuck: str = ""

    def looked(self, seen: Seen) -> tuple["Service", Answer]:
        """Return what is told from now on, and what follows from this look."""
        stuck = "" if seen.phase is Phase.STOPPING else seen.stuck
        words: list[str] = []
        match seen.phase:
            case Phase.RECOVERING if not stuck:
                words.append(f"EXTEND_TIMEOUT_USEC={MORE_TIME_US}")
            case Phase.RUNNING if self.phase is not Phase.RUNNING:
                words.append("READY=1")
            case Phase.STOPPING:
                words += ["STOPPING=1"] if self.phase is not Phase.STOPPING else []
                words.append(f"EXTEND_TIMEOUT_USEC={MORE_TIME_US}")
            case _:
                pass
        status = f"stuck: {stuck}" if stuck else seen.status
        if status != self.status:
            words.append(f"STATUS={status}")
        if not stuck:
            words.append("WATCHDOG=1")
        return Service(phase=seen.phase, status=status, stuck=stuck), Answer(words=tuple(words), alive=not stuck)
