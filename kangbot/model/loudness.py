"""How loud an event is: in a message to people as in the history, where `severity` finds it."""

from kangbot.model.events import (
    BreakerChanged,
    BreakerState,
    DrawdownReset,
    EntriesPaused,
    Event,
    KillSwitchReleased,
    KillSwitchSet,
    Lane,
    Noted,
    RequestsPaused,
    RunState,
    RunStateChanged,
    Severity,
)

LONG_PAUSE_NS = 60_000_000_000  # of a venue that wants to be left alone: an order can wait so long


def severity_of(event: Event) -> Severity | None:
    """Return how loud it is; None for what belongs to the ordinary course."""
    match event:
        case Noted(severity=severity):
            return severity
        case RunStateChanged(after=RunState.FAILED) | KillSwitchSet():
            return Severity.CRITICAL
        case BreakerChanged(after=BreakerState.OPEN, lane=lane):
            return Severity.ERROR if lane is Lane.EXIT else Severity.WARNING
        case RequestsPaused(until_ns=until_ns, at_ns=at_ns):
            return Severity.ERROR if until_ns - at_ns >= LONG_PAUSE_NS else Severity.INFO
        case EntriesPaused(until_ns=until_ns):
            return Severity.WARNING if until_ns else Severity.INFO
        case KillSwitchReleased() | DrawdownReset():
            return Severity.WARNING
        case _:
            return None
