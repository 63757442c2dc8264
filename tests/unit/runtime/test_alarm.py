"""Calls that do not return are interrupted."""

import contextlib
import signal
import time
from collections.abc import Iterator

import pytest

from kangbot.runtime.alarm import Alarm, OverranError

SLEEPS_S = 600


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    made = Alarm(0.1)
    yield made
    made.close()


def spin(_: None) -> None:
    """Compute for ever."""
    while True:
        pass


def sleep(_: None) -> None:
    """Wait for longer than anybody would."""
    time.sleep(SLEEPS_S)


def swallow(_: None) -> None:
    """Catch whatever can be caught by an ordinary handler, for ever."""
    while True:
        with contextlib.suppress(Exception):
            spin(None)


def catch_everything(_: None) -> None:
    """Swallow even the interruption, twice."""
    for _time in range(2):
        with contextlib.suppress(BaseException):
            spin(None)
    spin(None)


@pytest.mark.parametrize("call", [spin, sleep, swallow, catch_everything])
def test_a_call_that_does_not_return_is_interrupted(alarm: Alarm, call: object) -> None:
    """Whether it computes, sleeps, or catches what it can."""
    began = time.perf_counter()
    with pytest.raises(OverranError):
        alarm.run(call, None)  # type: ignore[arg-type]
    assert time.perf_counter() - began < SLEEPS_S
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_returns_in_time_is_left_alone() -> None:
    """Its answer and its own errors pass, and nothing is left that would ring afterwards."""
    alarm = Alarm(3600.0)
    assert alarm.run(abs, -3) == 3
    with pytest.raises(ZeroDivisionError):
        alarm.run(lambda number: 1 // number, 0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    alarm.close()


def test_closing_gives_the_signal_back() -> None:
    """Whoever had it before has it again."""
    before = signal.getsignal(signal.SIGALRM)
    alarm = Alarm(1.0)
    assert signal.getsignal(signal.SIGALRM) != before
    alarm.close()
    assert signal.getsignal(signal.SIGALRM) == before
