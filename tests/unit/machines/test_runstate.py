"""The run-state table."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines import runstate
from kangbot.machines.runstate import ImpossibleSignalError, Signal, accepts, next_state
from kangbot.model.events import RunState


def written() -> dict[tuple[RunState, Signal], RunState]:
    """Return the rows of the table that stands in the module's docstring."""
    rows: dict[tuple[RunState, Signal], RunState] = {}
    for line in (runstate.__doc__ or "").splitlines():
        if row := re.fullmatch(r" {4}([A-Z, ]+?)  +([A-Z_, ]+?) *→ ([A-Z]+|unchanged)(?:\W.*)?", line):
            states, signals, after = row[1].split(", "), row[2].split(", "), row[3]
            for state in states:
                for signal in signals:
                    rows[RunState[state], Signal[signal]] = RunState[state if after == "unchanged" else after]
    return rows


def test_the_table_is_the_one_that_is_written_above_it() -> None:
    """Row by row, both ways. What repeats itself is in the words below it: it changes nothing."""
    rows = written()
    assert len(rows) > 25
    assert all(next_state(*pair) is after for pair, after in rows.items())
    others = [(state, signal) for state in RunState for signal in Signal if (state, signal) not in rows]
    assert all(next_state(*pair) is pair[0] for pair in others if accepts(*pair))


def test_a_market_lives_its_life() -> None:
    """From stopped to live to stopped, by the rows of the table."""
    state = RunState.STOPPED
    seen = []
    for signal in (Signal.START, Signal.SUBSCRIBED, Signal.WARMED, Signal.PAUSE, Signal.RESUME, Signal.STOP):
        state = next_state(state, signal)
        seen.append(state.value)
    assert seen == ["starting", "warming", "live", "paused", "live", "draining"]
    assert next_state(state, Signal.DRAINED) is RunState.STOPPED


@pytest.mark.parametrize("state", list(RunState))
def test_a_stop_always_leads_to_rest(state: RunState) -> None:
    """Whatever a market is doing, STOP and then DRAINED stop it."""
    after = next_state(state, Signal.STOP)
    assert after is RunState.STOPPED or next_state(after, Signal.DRAINED) is RunState.STOPPED


@pytest.mark.parametrize("state", list(RunState))
def test_a_fall_is_always_answered(state: RunState) -> None:
    """No state is without an answer to a crash: a supervisor must never raise."""
    assert accepts(state, Signal.CRASHED)
    assert accepts(state, Signal.GAVE_UP)


@pytest.mark.parametrize(
    ("signal", "states"),
    [
        (Signal.START, (RunState.STARTING, RunState.WARMING, RunState.LIVE, RunState.PAUSED)),
        (Signal.STOP, (RunState.STOPPED, RunState.DRAINING)),
        (Signal.PAUSE, (RunState.PAUSED,)),
        (Signal.RESUME, (RunState.LIVE,)),
    ],
)
def test_a_command_that_is_repeated_is_no_mistake(signal: Signal, states: tuple[RunState, ...]) -> None:
    """What already is stays."""
    assert [next_state(state, signal) for state in states] == list(states)


def test_what_the_table_does_not_have_raises() -> None:
    """A stopped market cannot warm up."""
    assert not accepts(RunState.STOPPED, Signal.WARMED)
    with pytest.raises(ImpossibleSignalError, match="WARMED cannot reach a market that is stopped"):
        next_state(RunState.STOPPED, Signal.WARMED)


@given(st.lists(st.sampled_from(list(Signal))))
def test_only_an_operator_revives_what_failed(signals: list[Signal]) -> None:
    """From FAILED, nothing but START or STOP leads anywhere."""
    state = RunState.FAILED
    for signal in signals:
        if signal in (Signal.START, Signal.STOP):
            break
        if accepts(state, signal):
            state = next_state(state, signal)
        assert state is RunState.FAILED
