"""Supervision."""

import asyncio
from itertools import pairwise

import pytest

from kangbot.machines.backoff import Backoff
from kangbot.machines.restarts import Restarts
from kangbot.runtime.supervisor import OnFall, Supervisor
from kangbot.runtime.world import Clock
from kangbot.sim.world.loop import run as run_in_virtual_time

S = 1_000_000_000


def tell(told: list[tuple[str, bool]]) -> OnFall:
    """Keep what a supervisor tells."""
    return lambda error, wait: told.append((str(error), wait is None))


def supervisor(limit: int = 2) -> Supervisor:
    """A supervisor whose waits are a millisecond."""
    return Supervisor(
        clock=Clock(),
        draw=lambda: 0.0,
        restarts=Restarts(limit=limit, window_ns=60 * S, backoff=Backoff(first_ns=1000, ceiling_ns=1000)),
        gave_up_wait_s=0.001,
    )


async def test_what_falls_is_started_again_until_it_ends_by_itself() -> None:
    """Falls are told with whether it gave up; giving up does not end the supervision."""
    told: list[tuple[str, bool]] = []
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 5:
            raise ValueError(str(runs))

    keeper = supervisor()
    await keeper.keep(run, tell(told))
    assert told == [("1", False), ("2", False), ("3", True), ("4", True)]
    assert keeper.falls == 4


def test_each_fall_is_followed_by_its_wait() -> None:
    """What falls at once, for ever, takes no core; once it has given up, it waits the longest."""
    runs_s: list[float] = []

    async def story() -> None:
        async def run() -> None:
            runs_s.append(asyncio.get_running_loop().time())
            if len(runs_s) < 5:
                raise ValueError

        keeper = Supervisor(
            clock=Clock(),
            draw=lambda: 0.0,
            restarts=Restarts(limit=2, window_ns=60 * S, backoff=Backoff(first_ns=2 * S, ceiling_ns=2 * S)),
            gave_up_wait_s=60,
        )
        await keeper.keep(run, tell([]))

    run_in_virtual_time(story())
    assert [after - before for before, after in pairwise(runs_s)] == [1, 1, 60, 60]


async def test_forgiveness_starts_the_count_anew() -> None:
    """After a start by hand the intensity is whole again."""
    told: list[tuple[str, bool]] = []
    runs = 0
    keeper = supervisor(limit=1)

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            keeper.forgive()
        if runs < 4:
            raise ValueError(str(runs))

    await keeper.keep(run, tell(told))
    assert told == [("1", False), ("2", False), ("3", True)]


async def test_a_cancellation_is_not_a_fall() -> None:
    """It passes through."""
    told: list[tuple[str, bool]] = []
    started = asyncio.Event()

    async def run() -> None:
        started.set()
        await asyncio.sleep(1000)

    task = asyncio.create_task(supervisor().keep(run, tell(told)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == []


async def test_what_may_not_wait_is_done_meanwhile() -> None:
    """For as long as the wait; falls of it count, and the wait after them is slept."""
    told: list[tuple[str, bool]] = []
    done: list[str] = []

    async def run() -> None:
        done.append("run")
        if done.count("run") < 4:
            raise ValueError("run")

    async def wait(for_ns: int) -> None:
        done.append(f"wait {for_ns}")
        if done.count("run") == 2:
            raise ValueError("wait")

    keeper = supervisor(limit=3)
    await keeper.keep(run, tell(told), wait)
    assert done == ["run", "wait 500", "run", "wait 500", "run", "wait 1000000", "run"]
    assert told == [("run", False), ("run", False), ("wait", False), ("run", True)]
