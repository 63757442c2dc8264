"""Tasks with an owner and a name; the only place where tasks are made.

`asyncio.TaskGroup` cancels in the order of memory addresses and takes everything down with one failure. A daemon of
many markets wants the opposite: a failure is told to the owner, siblings go on, and closing cancels in the order of
creation so that the same seed gives the same history.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
OnCrash = Callable[[str, BaseException], None]


class Tasks:
    """The tasks of one owner. `on_crash(name, error)` is called once for each task that ends by an exception."""

    def __init__(self, owner: str, on_crash: OnCrash) -> None:
        self._owner = owner
        self._on_crash = on_crash
        self._tasks: dict[asyncio.Task[Any], None] = {}  # a dict keeps the order of creation; a set would not
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work` as the task `owner/name`. RuntimeError once the owner is closed (the coroutine is closed)."""
        if self._closed:
            work.close()
            raise RuntimeError(f"{self._owner} is closed: {name} cannot start")
        task = asyncio.create_task(work, name=f"{self._owner}/{name}")
        self._tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_crash(task.get_name(), error)

    async def settle(self, timeout_s: float) -> bool:
        """Wait until all tasks have ended by themselves; False where `timeout_s` did not suffice."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._tasks:
                    await wait_quietly(next(iter(self._tasks)))
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Cancel the tasks in the order of creation, and wait for each. Safe to call twice."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            await wait_quietly(next(iter(self._tasks)))


async def wait_quietly(task: asyncio.Task[Any]) -> None:
    """Wait for the end of `task`, however it ends. Our own cancellation is passed on, not to the task."""
    ended = asyncio.get_running_loop().create_future()

    def tell(_: asyncio.Task[Any]) -> None:
        if not ended.done():
            ended.set_result(None)

    task.add_done_callback(tell)
    try:
        await ended
    finally:
        task.remove_done_callback(tell)


async def close_task(task: asyncio.Task[Any]) -> None:
    """Cancel `task` and wait until it has ended."""
    task.cancel()
    await wait_quietly(task)
