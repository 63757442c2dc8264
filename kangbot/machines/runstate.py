"""The run state of a market, as a table.

::

    state      signal       → state
    STOPPED    START        → STARTING
    FAILED     START        → STARTING     an operator's start forgives
    STARTING   SUBSCRIBED   → WARMING      every topic acknowledged
    WARMING    WARMED       → LIVE         bars for the look-back, orders and position agreed with the venue
    LIVE       PAUSE        → PAUSED       positions stay managed, entries do not leave
    PAUSED     RESUME       → LIVE
    STARTING   STOP         → DRAINING     orders of an earlier run may still be in flight
    WARMING    STOP         → DRAINING
    LIVE       STOP         → DRAINING
    PAUSED     STOP         → DRAINING
    FAILED     STOP         → DRAINING     its position and orders were still looked after
    DRAINING   DRAINED      → STOPPED
    DRAINING   START        → STARTING     changed their mind
    STARTING, WARMING, LIVE, PAUSED   CRASHED → STARTING
    STARTING, WARMING, LIVE, PAUSED   GAVE_UP → FAILED
    STARTING, WARMING, LIVE, PAUSED   CHANGED → STARTING   traded otherwise, or interrupted: bars are gathered anew
    DRAINING   CRASHED      → DRAINING     goes on draining
    DRAINING   GAVE_UP      → FAILED
    STOPPED, FAILED         CRASHED, GAVE_UP → unchanged: the caretaker fell, the market did not

A signal that asks for what already is (START while running, STOP while stopped, PAUSE while paused) changes nothing:
operators repeat themselves. PAUSE before LIVE is the roster's business: it is wanted, and signalled once LIVE.
"""

from enum import Enum, auto

from kangbot.model.events import RunState


class Signal(Enum):
    """What can move a market's run state."""

    START = auto()
    SUBSCRIBED = auto()
    WARMED = auto()
    PAUSE = auto()
    RESUME = auto()
    STOP = auto()
    DRAINED = auto()
    CHANGED = auto()
    CRASHED = auto()
    GAVE_UP = auto()


_S, _G = RunState, Signal
_RUNNING = (_S.STARTING, _S.WARMING, _S.LIVE, _S.PAUSED)

_TABLE: dict[tuple[RunState, Signal], RunState] = {
    (_S.STOPPED, _G.START): _S.STARTING,
    (_S.FAILED, _G.START): _S.STARTING,
    (_S.DRAINING, _G.START): _S.STARTING,
    (_S.STARTING, _G.SUBSCRIBED): _S.WARMING,
    (_S.WARMING, _G.WARMED): _S.LIVE,
    (_S.LIVE, _G.PAUSE): _S.PAUSED,
    (_S.PAUSED, _G.RESUME): _S.LIVE,
    (_S.DRAINING, _G.DRAINED): _S.STOPPED,
    (_S.DRAINING, _G.CRASHED): _S.DRAINING,
    (_S.DRAINING, _G.GAVE_UP): _S.FAILED,
    (_S.FAILED, _G.STOP): _S.DRAINING,
    **{(state, _G.STOP): _S.DRAINING for state in _RUNNING},
    **{(state, signal): _S.STARTING for state in _RUNNING for signal in (_G.CRASHED, _G.CHANGED)},
    **{(state, _G.GAVE_UP): _S.FAILED for state in _RUNNING},
    # What already is, is not an error.
    **{(state, _G.START): state for state in _RUNNING},
    (_S.STOPPED, _G.STOP): _S.STOPPED,
    (_S.DRAINING, _G.STOP): _S.DRAINING,
    (_S.PAUSED, _G.PAUSE): _S.PAUSED,
    (_S.LIVE, _G.RESUME): _S.LIVE,
    **{(state, signal): state for state in (_S.STOPPED, _S.FAILED) for signal in (_G.CRASHED, _G.GAVE_UP)},
}


class ImpossibleSignalError(ValueError):
    """The table has no such row: a fault of ours, never of the world."""


def next_state(state: RunState, signal: Signal) -> RunState:
    """Return the state that follows; ImpossibleSignalError for a pair that the table does not have."""
    try:
        return _TABLE[state, signal]
    except KeyError:
        raise ImpossibleSignalError(f"{signal.name} cannot reach a market that is {state.value}") from None


def accepts(state: RunState, signal: Signal) -> bool:
    """Whether the table has a row for the pair: what a console may offer."""
    return (state, signal) in _TABLE
