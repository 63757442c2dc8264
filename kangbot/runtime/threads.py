"""Threads with a name and a queue; the only place where the daemon's threads are made.

What must not block the loop and cannot be awaited (SQLite and its fsync) runs here. One `Worker` is one thread: its
calls run in the order they were posted, one at a time, so that what it owns needs no lock. Results come back to the
loop by `call_soon_threadsafe`. Cancelling an await never reaches the work: a half-written disk is nobody's wish.
An idle worker sleeps in the kernel: no polling, no timer.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from kangbot.errors import Retryable

T = TypeVar("T")
_LEAST = 12  # ours are six or seven, the event loop takes four for names and files; one is made at each beat


def find_threads() -> None:
    """Find out now whether this process may have the threads it needs; the event loop would end it without a word.

    Retryable where the system does not give them: somebody else may have taken what there is, and give it back.
    """
    found = threading.Event()
    begun: list[threading.Thread] = []
    try:
        for _ in range(_LEAST):
            thread = threading.Thread(target=found.wait, name="probe", daemon=True)
            thread.start()
            begun.append(thread)
    except RuntimeError:
        raise Retryable(
            f"the system gives this process {len(begun)} threads more, and it needs {_LEAST}: see ulimit -u"
            " and -v, TasksMax= of the unit, or the container's limit of processes"
        ) from None
    finally:
        found.set()
        for thread in begun:
            thread.join()


class Worker:
    """One named thread that belongs to the running loop. Make it on the loop, close it on the loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._woken = asyncio.Event()
        self._closed = False
        self._ended = False
        # A daemon thread: one that hangs in a dying disk must not keep the process from ending.
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def post(self, call: Callable[[], object]) -> None:
        """Run `call` on the thread, after all that was posted before. RuntimeError once the worker is closed.

        An exception out of `call` goes to the loop's exception handler; the thread lives on.
        """
        if self._closed:
            raise RuntimeError(f"the thread {self._name} is closed")
        self._calls.put(call)

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` on the thread and return its result, or raise what it raised.

        Cancelling this await leaves the call in the queue: it will run all the same.
        """
        outcome: asyncio.Future[T] = self._loop.create_future()

        def answer() -> None:
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 -- handed whole to whoever awaits
                self.tell(_settle, outcome, None, error)
            else:
                self.tell(_settle, outcome, result, None)

        self.post(answer)
        return await outcome

    def tell(self, callback: Callable[..., object], *arguments: object) -> None:
        """From the thread: run `callback` on the loop. Dropped where the loop has ended, for then nobody waits."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    async def aclose(self, timeout_s: float) -> bool:
        """Let the thread finish what was posted, and end it; False where `timeout_s` did not suffice.

        Safe to call twice. A thread that did not end in time is left behind: it ends with the process.
        """
        if not self._closed:
            self._closed = True
            self._calls.put(None)
        if not self._ended:
            self._woken.clear()
            late = self._loop.call_later(timeout_s, self._woken.set)
            await self._woken.wait()
            late.cancel()
        return self._ended

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            if call is None:
                break
            try:
                call()
            except BaseException as error:  # noqa: BLE001 -- told to the loop; the thread serves others too
                failed = {"message": f"a call on the thread {self._name} failed", "exception": error}
                self.tell(self._loop.call_exception_handler, failed)
            del call  # while the thread sleeps it must not keep the last call's data alive
        self.tell(self._end)

    def _end(self) -> None:
        self._ended = True
        self._woken.set()


def _settle(outcome: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if outcome.done():  # the await was cancelled
        return
    if error is None:
        outcome.set_result(result)
    else:
        outcome.set_exception(error)
