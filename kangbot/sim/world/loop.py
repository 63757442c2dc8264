"""A loop whose time is virtual: it never waits, it moves the clock to the next timer.

A `SelectorEventLoop` over a selector that does no I/O: asked to wait for `timeout`, it adds the timeout to the loop's
time and reports nothing ready. So the coroutines of the daemon run as they are, an hour takes as long as its work, and
the order of everything is a function of the program alone.

Asked to wait without a timeout, nothing is armed and nothing is ready: every task waits for another. In the real world
that is a daemon that hangs for ever; here it raises `DeadlockError`. Threads and sockets would bring the real world's
order back in, so they are refused.
"""

import asyncio
import itertools
import selectors
from collections.abc import Coroutine, Generator, Mapping
from contextvars import Context
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

_SECOND_NS = 1_000_000_000


class DeadlockError(RuntimeError):
    """Everything waits and no timer is armed."""


class _NoIo(selectors.BaseSelector):
    """A selector that moves time instead of waiting."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("every task waits and no timer is armed")
        if timeout > 0:
            self.now_ns += max(1, round(timeout * _SECOND_NS))
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class _NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number: sets of tasks are iterated in the order of creation, not of addresses."""

    def __init__(self, number: int, *args: Any, **kwargs: Any) -> None:
        self._number = number  # before the task exists: its constructor already puts it into a set
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of the simulation. `now_ns` is the virtual time since its start."""

    def __init__(self) -> None:
        self._no_io = _NoIo()
        super().__init__(self._no_io)
        numbers = itertools.count(1)

        def make_task(
            loop: asyncio.AbstractEventLoop,
            work: Coroutine[Any, Any, T] | Generator[Any, None, T],
            *,
            context: Context | None = None,
            **named: Any,
        ) -> asyncio.Task[T]:
            return _NumberedTask(next(numbers), work, loop=loop, context=context, **named)

        self.set_task_factory(make_task)

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        return self._no_io.now_ns

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that have not ended, in the order of their creation."""
        return sorted(asyncio.all_tasks(self), key=hash)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._no_io.now_ns / _SECOND_NS

    def run_in_executor(self, *work: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: a thread's timing is the real world's."""
        raise RuntimeError(f"{work!r} would run in a thread, whose timing no seed decides")

    def call_soon_threadsafe(self, *work: Any, **_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: there is no other thread."""
        raise RuntimeError(f"{work!r} was called from a thread, whose timing no seed decides")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a virtual loop of its own and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
