"""The run-state table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.runstate import ImpossibleSignalError, Signal, accepts, next_state
from kangbot.model.events import RunState


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
