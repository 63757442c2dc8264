"""Tasks with an owner."""

import asyncio

import pytest

from kangbot.runtime.tasks import Tasks, close_task


async def test_a_crash_is_told_and_siblings_go_on() -> None:
    """A failing task is told once, by name; the others do not notice."""
    crashes: list[tuple[str, str]] = []
    tasks = Tasks("owner", lambda name, error: crashes.append((name, str(error))))
    going = asyncio.Event()

    async def fail() -> None:
        raise ValueError("no")

    async def go() -> None:
        await going.wait()

    tasks.spawn("bad", fail())
    good = tasks.spawn("good", go())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert crashes == [("owner/bad", "no")]
    assert not good.done()
    going.set()
    assert await tasks.settle(5)
    assert len(tasks) == 0


async def test_closing_cancels_in_the_order_of_creation() -> None:
    """And waits for each to end; nothing starts afterwards."""
    ended: list[int] = []
    tasks = Tasks("owner", lambda name, error: None)

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(number)

    for number in range(5):
        tasks.spawn(str(number), wait(number))
    await asyncio.sleep(0)
    assert not await tasks.settle(0.01)
    await tasks.aclose()
    await tasks.aclose()
    assert ended == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="owner is closed"):
        tasks.spawn("late", wait(9))


async def test_a_task_that_resists_its_cancellation_is_waited_for() -> None:
    """`close_task` returns when the task has ended, not when it was asked to."""
    cleaned = False

    async def slow() -> None:
        nonlocal cleaned
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            cleaned = True
            raise

    tasks = Tasks("owner", lambda name, error: None)
    task = tasks.spawn("slow", slow())
    await asyncio.sleep(0)
    await close_task(task)
    assert cleaned
    assert task.cancelled()
