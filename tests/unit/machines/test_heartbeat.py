"""Whether a socket still lives."""

import pytest

from kangbot.machines.heartbeat import Heartbeat


@pytest.fixture
def pulse() -> Heartbeat:
    """A heartbeat every 100, asked for after 30 of silence, answered within 20."""
    return Heartbeat(every_ns=100, probe_ns=30, pong_ns=20, now_ns=0)


def test_it_is_due_at_its_interval(pulse: Heartbeat) -> None:
    """And not while one is under way."""
    assert not pulse.in_doubt, "nobody has been asked yet"
    assert not pulse.dead(99)
    assert not pulse.due(99)
    assert pulse.due(100)
    pulse.sent(100)
    assert not pulse.due(300)
    pulse.pong(110)
    assert not pulse.due(199)
    assert pulse.due(200)


def test_it_is_due_at_once_when_a_flow_stops(pulse: Heartbeat) -> None:
    """Data flowed and stopped: waiting for the interval would cost seconds."""
    pulse.data(10)
    assert not pulse.due(39)
    assert pulse.due(40)


def test_a_quiet_account_is_not_asked_all_the_time(pulse: Heartbeat) -> None:
    """Where no data flowed since the last heartbeat, only the interval counts."""
    pulse.data(10)
    pulse.sent(40)
    pulse.pong(41)
    assert not pulse.due(80)
    assert pulse.due(140)


def test_nothing_at_all_after_asking_is_a_death(pulse: Heartbeat) -> None:
    """In doubt from the asking on, dead when the time for the answer is over."""
    pulse.data(10)
    pulse.sent(40)
    assert pulse.in_doubt
    assert not pulse.dead(59)
    assert pulse.dead(60)


def test_a_missing_answer_while_frames_come_is_no_death(pulse: Heartbeat) -> None:
    """Any frame proves the socket as well as the heartbeat does."""
    pulse.sent(40)
    pulse.heard_ns = 45
    assert not pulse.in_doubt
    assert not pulse.dead(60)
    assert not pulse.dead(1_000)
    assert pulse.due(1_000)


def test_our_own_absence_is_not_the_sockets_death(pulse: Heartbeat) -> None:
    """What came meanwhile has not been read yet."""
    pulse.sent(40)
    pulse.slept(1000, 2000)
    assert pulse.in_doubt
    assert not pulse.dead(1059)
    assert pulse.dead(1060)


@pytest.mark.parametrize(("now_ns", "due_ns"), [(1_020, 1_040), (1_005, 1_035)])
def test_a_flow_is_not_taken_to_have_stopped_because_we_were_away(pulse: Heartbeat, now_ns: int, due_ns: int) -> None:
    """Nor is it heard of later than now, however long we think that we were away."""
    pulse.data(10)
    pulse.slept(1000, now_ns)
    assert not pulse.due(due_ns - 1)
    assert pulse.due(due_ns)
