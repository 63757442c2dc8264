"""The virtual-time loop."""

import asyncio
import subprocess
import sys
from time import perf_counter

import pytest

from kangbot.runtime.world import Clock
from kangbot.sim.world.loop import DeadlockError, VirtualLoop, run


def test_an_hour_passes_at_once() -> None:
    """Waiting moves the clock and costs nothing."""

    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    before = perf_counter()
    assert run(main()) == 3600
    assert perf_counter() - before < 60


def test_the_clock_is_the_loop() -> None:
    """A Clock over the loop shows virtual time."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=1_000)
        await asyncio.sleep(0.000_000_5)
        return clock.now_ns()

    assert run(main()) == 1_500


def test_timers_fire_in_order_and_timeouts_work() -> None:
    """Asyncio's own timeouts run on virtual time."""

    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(2, seen.append, "two")
        loop.call_later(1, seen.append, "one")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        return seen

    assert run(main()) == ["one", "two"]


def test_a_deadlock_is_told() -> None:
    """Where a real daemon would hang for ever, the simulation raises."""

    async def main() -> None:
        await asyncio.Event().wait()

    loop = VirtualLoop()
    task = loop.create_task(main())
    with pytest.raises(DeadlockError):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def test_threads_are_refused() -> None:
    """A thread would bring the real world's timing in."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="thread"):
            loop.run_in_executor(None, print)
        with pytest.raises(RuntimeError, match="thread"):
            loop.call_soon_threadsafe(print)

    run(main())


ORDER = """
import asyncio
from kangbot.sim.world.loop import run
async def main():
    loop = asyncio.get_running_loop()
    out = []
    async def one(name):
        try:
            await asyncio.sleep(100)
        finally:
            out.append(name)
    try:
        async with asyncio.TaskGroup() as group:
            for name in "abcdefghijklmnop":
                group.create_task(one(name))
            await asyncio.sleep(1)
            raise ValueError
    except* ValueError:
        pass
    print("".join(out))
run(main())
"""


def test_sets_of_tasks_have_one_order() -> None:
    """Even a TaskGroup, which cancels in the order of hashes, is the same in two processes."""
    outs = {
        subprocess.run(
            [sys.executable, "-c", ORDER], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert outs == {"abcdefghijklmnop\n"}
