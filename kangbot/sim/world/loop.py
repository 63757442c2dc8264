"""A loop whose time is virtual: it never waits, it moves the clock to the next timer.

What runs on it is asyncio as it is: tasks, futures, timeouts. Only what a loop adds to them is the simulation's own: a
queue of what is due now, and a heap of timers in nanoseconds, those of one instant in the order in which they were set.
So an hour takes as long as its work, and the order of everything is a function of the program alone. There is no
selector to ask and no clock to read, which is a good part of a session's time.

With nothing to do and no timer armed, every task waits for another. In the real world that is a daemon that hangs for
ever; here it raises `DeadlockError`. Threads and sockets would bring the real world's order back in, so they are
refused.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from functools import partial
from heapq import heappop, heappush
from typing import Any, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SECOND_NS = 1_000_000_000
_new = object.__new__


class DeadlockError(RuntimeError):
    """Everything waits and no timer is armed."""


class _Call(asyncio.TimerHandle):
    """A callback that is due. It does without what the base class keeps for a debug mode, its constructor included.

    A session makes ten thousand: whoever makes one sets `args`, `callback`, `context`, `due_ns` and `void` in place.
    """

    __slots__ = ("args", "callback", "context", "due_ns", "void")

    args: tuple[Any, ...]
    callback: Callable[..., object]
    context: Context
    due_ns: int
    void: bool

    def __repr__(self) -> str:
        return f"<call of {self.callback!r}{' (cancelled)' if self.void else ''}>"

    def cancel(self) -> None:
        """Let it be passed over when its turn comes."""
        self.void = True
        self.args = ()  # what they hold may be large

    def cancelled(self) -> bool:
        """Whether it will be passed over."""
        return self.void

    def when(self) -> float:
        """Return the loop's time, in seconds, at which it is due."""
        return self.due_ns / _SECOND_NS


class _NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number: sets of tasks are iterated in the order of creation, not of addresses."""

    def __init__(
        self,
        number: int,
        work: Generator[Any, None, T] | Coroutine[Any, Any, T],
        loop: asyncio.AbstractEventLoop,
        name: object,
        context: Context | None,
    ) -> None:
        self._number = number  # before the task exists: its constructor already puts it into a set
        super().__init__(work, loop=loop, name=name, context=context)  # type: ignore[arg-type]  # any name will do

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop of the simulation. `now_ns` is the virtual time since its start."""

    _stopping: bool  # the base class's: `stop` was called

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self._due: deque[_Call] = deque()
        self._timers: list[tuple[int, int, _Call]] = []
        self._numbers = itertools.count(1)
        self._task_numbers = itertools.count(1)
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]  # without a frame

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Start the coroutine as a task, numbered."""
        return _NumberedTask(next(self._task_numbers), coro, self, name, context)

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that have not ended, in the order of their creation."""
        return sorted(asyncio.all_tasks(self), key=hash)

    # False, and without a frame, for every future asks: who made a callback is a matter of loops that wait.
    get_debug = staticmethod(bool)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.now_ns / _SECOND_NS

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call it in the next turn, after what is due already."""
        call = _new(_Call)
        call.callback = callback
        call.args = args
        call.context = copy_context() if context is None else context
        call.due_ns = self.now_ns
        call.void = False
        self._due.append(call)
        return call

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call it `delay` seconds from now."""
        call = _new(_Call)  # as in `call_at`, written out: a session arms thousands of timers, and a frame each shows
        call.callback = callback
        call.args = args
        call.context = copy_context() if context is None else context
        call.due_ns = due_ns = self.now_ns + round(delay * _SECOND_NS)
        call.void = False
        heappush(self._timers, (due_ns, next(self._numbers), call))
        return call

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call it at the loop's time `when`, in seconds."""
        call = _new(_Call)
        call.callback = callback
        call.args = args
        call.context = copy_context() if context is None else context
        call.due_ns = due_ns = round(when * _SECOND_NS)
        call.void = False
        heappush(self._timers, (due_ns, next(self._numbers), call))
        return call

    def _run_once(self) -> None:
        """Take turns until the loop is stopped: `BaseEventLoop.run_forever` would come back for each one."""
        due, timers = self._due, self._timers
        while not self._stopping:
            while timers and timers[0][2].void:
                heappop(timers)
            if not due:
                if not timers:
                    raise DeadlockError("every task waits and no timer is armed")
                self.now_ns = max(self.now_ns, timers[0][0])
            while timers and timers[0][0] <= self.now_ns:
                due.append(heappop(timers)[2])
            for _ in range(len(due)):
                call = due.popleft()
                if call.void:
                    continue
                try:
                    call.context.run(call.callback, *call.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 -- as every loop does: told, and the others go on
                    self.call_exception_handler({"message": f"{call.callback!r} raised", "exception": error})

    def close(self) -> None:
        """Let go of everything that was to be called."""
        super().close()
        self._due.clear()
        self._timers.clear()

    def run_in_executor(self, *work: Any) -> NoReturn:  # type: ignore[override]  # whatever is asked
        """Refuse: a thread's timing is the real world's."""
        raise RuntimeError(f"{work!r} would run in a thread, whose timing no seed decides")

    def call_soon_threadsafe(self, *work: Any, **_: Any) -> NoReturn:  # type: ignore[override]  # same
        """Refuse: there is no other thread."""
        raise RuntimeError(f"{work!r} was called from a thread, whose timing no seed decides")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a virtual loop of its own and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
