"""A thread for code that is not ours and takes its time: it works beside the loop, and can be left.

Its calls run in the order they were posted, one at a time. Nobody can end a thread from outside; what can be done is to
have an exception raised in it, which reaches code of Python wherever it is, and neither a wait of the system nor a
library. So one that is left is asked to end a few times, and where it does not, that is told: it goes on taking its
share of the processor, and ends with the process at the latest. The loop gets the interpreter's lock beside it within
what `runtime/switching.py` says, unless a library keeps it.
"""

import asyncio
import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

_AGAIN_S = 1.0
_TRIES = 5


class _Left(SystemExit):
    """Raised in the thread: no `except Exception` swallows it, and a thread that ends by it is not reported."""


def _nobody() -> None:
    """Tell nobody."""


class Aside:
    """One named thread that belongs to the running loop. Make it, and leave it, on the loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._ended: Callable[[], None] = _nobody
        self._clock: int | None = None  # of the processor time it takes; its name is only told by the thread itself
        # A daemon thread: one that never comes back must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def post(self, call: Callable[[], object]) -> None:
        """Run `call` on the thread, after all that was posted before. It raises nothing of its own."""
        self._calls.put(call)

    def tell(self, callback: Callable[..., object], *arguments: object) -> None:
        """From the thread: run `callback` on the loop. Dropped where the loop has ended, for then nobody waits."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def computed_ns(self) -> int:
        """Return how long the thread has computed; 0 where that is not known, as before it began and once it ended."""
        if self._clock is None or not self._thread.is_alive():
            return 0
        try:
            return time.clock_gettime_ns(self._clock)
        except OSError:  # it ended just now
            return 0

    def leave(self, lingers: Callable[[], None] = _nobody, ended: Callable[[], None] = _nobody) -> None:
        """End it, in the middle of what it does; nothing may be posted any more. Does not wait.

        `lingers` is told where it has not ended after a few seconds, and `ended` only then, once it has.
        """
        self._interrupt()
        self._calls.put(None)
        self._loop.call_later(_AGAIN_S, self._again, lingers, ended, _TRIES)

    def _again(self, lingers: Callable[[], None], ended: Callable[[], None], tries: int) -> None:
        if not self._thread.is_alive():
            return
        if tries:  # code that catches everything is interrupted once more
            self._interrupt()
            self._loop.call_later(_AGAIN_S, self._again, lingers, ended, tries - 1)
        else:
            self._ended = ended
            lingers()

    def _interrupt(self) -> None:
        # Threads are begun by the loop, so none has taken over the name of one that ended just now.
        # https://docs.python.org/3/c-api/init.html#c.PyThreadState_SetAsyncExc
        if self._thread.is_alive():
            ident = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Left))

    def _work(self) -> None:
        if hasattr(time, "pthread_getcpuclockid"):  # not on every system
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        try:
            while (call := self._calls.get()) is not None:
                call()
                del call  # while the thread sleeps it must not keep the last call's data alive
        except _Left:
            pass
        finally:
            with contextlib.suppress(_Left):  # asked once more while it ends: who asks does not wait to hear of it yet
                self.tell(lambda: self._ended())  # noqa: PLW0108 -- as it is by then
