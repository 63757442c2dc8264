"""Clock and chance."""

import time

import pytest

from kangbot.runtime.world import SECOND_NS, Clock, World, earliest, real_world, sleep_until


async def test_the_clock_is_anchored_once() -> None:
    """Wall time at the start, monotonic time since."""
    ticks = iter([100, 150, 175])
    clock = Clock(monotonic_ns=lambda: next(ticks), anchor_ns=1_000)
    assert clock.now_ns() == 1_050
    assert clock.now_ns() == 1_075


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux has it")
def test_what_the_machine_slept_through_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's monotonic time stands still while a laptop or a virtual machine is suspended; markets do not."""
    hour_ns = 3600 * SECOND_NS
    clock, asked = Clock(), time.clock_gettime_ns
    before_ns = clock.now_ns()
    monkeypatch.setattr(
        time, "clock_gettime_ns", lambda which: asked(which) + (hour_ns if which == time.CLOCK_BOOTTIME else 0)
    )
    assert hour_ns <= clock.now_ns() - before_ns < hour_ns + 60 * SECOND_NS


def test_a_shifted_clock_runs_at_the_same_pace() -> None:
    """Ahead, or behind, by the same for ever."""
    ticks = [100]
    clock = Clock(monotonic_ns=lambda: ticks[0], anchor_ns=1_000)
    ticks[0] = 150
    behind = clock.shifted(-30)
    for ticks[0] in (150, 400):
        assert clock.now_ns() - behind.now_ns() == 30


def test_draws_belong_to_their_name() -> None:
    """Another market's draws do not shift when one is added."""
    world = World(clock=Clock(), seed=b"seed")
    alone = [world.fork("a").random() for _ in range(3)]
    world.fork("b").random()
    assert [world.fork("a").random() for _ in range(3)] == alone
    assert world.fork("a").random() != world.fork("b").random()


def test_a_token_is_letters_and_digits() -> None:
    """And two worlds do not share it."""
    first, second = real_world().token("journal", 8), real_world().token("journal", 8)
    assert len(first) == 8
    assert first.isalnum()
    assert first != second


async def test_sleeping_until_a_time_that_has_passed_returns() -> None:
    """And one that has not is waited for."""
    clock = Clock()
    await sleep_until(clock, 0)
    wanted = clock.now_ns() + 5_000_000
    await sleep_until(clock, wanted)
    assert clock.now_ns() >= wanted


def test_what_is_due_first_is_what_is_waited_for() -> None:
    """Whatever is not due at all does not count, and the epoch itself is a time like any other."""
    assert earliest(7, None, 0, 9) == 0
    assert earliest(None, 5) == 5
    assert earliest(None, None) is None
    assert earliest() is None
