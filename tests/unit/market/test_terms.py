"""How the markets of an account are run: who runs a task again, and after which waits."""

import asyncio

import pytest

from kangbot.market.terms import Terms
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop
from tests.support.trade_words import START

TERMS = Terms(restarts=3, restarts_within_s=100.0, first_wait_s=2.0, longest_wait_s=5.0)


def falls(*at_s: int, draw: float = 1.0) -> list[int | None]:
    """Return after how many seconds a task that falls then is run again each time; None where it is given up."""
    waits: list[int | None] = []

    async def story() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        left = iter(at_s)

        async def fall() -> None:
            if (at := next(left, None)) is None:
                return
            await asyncio.sleep(max(0.0, at - (clock.now_ns() - START) / SECOND_NS))
            raise ZeroDivisionError

        def told(_error: Exception, wait_ns: int | None) -> None:
            waits.append(None if wait_ns is None else wait_ns // SECOND_NS)

        await TERMS.supervisor(clock, lambda: draw).keep(fall, told)

    run(story())
    return waits


def test_a_task_that_falls_is_run_again_after_growing_waits() -> None:
    """From the first to the longest, and given up after as many falls as are allowed within the time."""
    assert falls(1, 10, 20, 30) == [2, 4, 5, None]


def test_falls_of_long_ago_are_forgotten() -> None:
    """To the second."""
    assert falls(1, 10, 20, 102)[-1] is not None
    assert falls(1, 10, 20, 100)[-1] is None


def test_given_up_it_is_run_again_after_the_longest_wait() -> None:
    """Nothing ends in silence: what it does then is told by whoever was told."""
    began = START

    async def story() -> None:
        nonlocal began
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        runs: list[int] = []

        async def fall() -> None:
            runs.append(clock.now_ns())
            if len(runs) < 6:
                raise ZeroDivisionError

        await TERMS.supervisor(clock, lambda: 1.0).keep(fall, lambda _error, _wait_ns: None)
        assert runs[-1] - runs[-2] == 5 * SECOND_NS

    run(story())


def test_each_task_has_its_own() -> None:
    """The falls of one are not held against another."""
    clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
    one, other = (TERMS.supervisor(clock, lambda: 0.0) for _ in range(2))
    assert one is not other
    assert one._restarts is not other._restarts


def test_the_usual_waits_are_those_of_the_configuration() -> None:
    """An exit that is refused has the rules asked for sooner than an entry; both no more often than all are."""
    usual = Terms()
    assert 0 < usual.rules_exit_pause_s < usual.rules_pause_s < usual.rules_s
    assert 0 < usual.first_wait_s < usual.longest_wait_s < usual.restarts_within_s
    with pytest.raises(AttributeError):
        usual.restarts = 1  # type: ignore[misc]
