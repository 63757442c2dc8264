"""Run a coroutine for as long as it is wanted: what falls is started again, at an intensity that is bounded.

The decision is `machines/restarts.py`; here it is carried out. Giving up is not an end of supervision: `on_fall` is
told, so that what runs next can do less, and falls are waited out at the ceiling for ever. Nothing ends in silence.
"""

import asyncio
from collections.abc import Awaitable, Callable

from kangbot.machines.restarts import Restarts
from kangbot.runtime.world import SECOND_NS, Clock

OnFall = Callable[[Exception, int | None], None]
Wait = Callable[[int], Awaitable[None]]


class Supervisor:
    """Keeps one coroutine running. `run` returning normally is the wanted end."""

    def __init__(self, *, clock: Clock, draw: Callable[[], float], restarts: Restarts, gave_up_wait_s: float) -> None:
        self._clock = clock
        self._draw = draw
        self._restarts = restarts
        self._gave_up_wait_s = gave_up_wait_s
        self.falls = 0

    def forgive(self) -> None:
        """Forget the falls so far."""
        self._restarts = self._restarts.forgiven()

    async def keep(self, run: Callable[[], Awaitable[None]], on_fall: OnFall, wait: Wait | None = None) -> None:
        """Run, and run again after each fall; `on_fall(error, wait_ns)` is told before the wait, None: it gave up.

        `wait(for_ns)` does meanwhile what may not wait. Where that falls too, the wait after it is slept.
        """
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 -- the supervisor is where every fall ends
                wait_ns = self._fell(error, on_fall)
            else:
                return
            if wait is not None:
                try:
                    await wait(wait_ns)
                except Exception as error:  # noqa: BLE001 -- likewise
                    wait_ns = self._fell(error, on_fall)
                else:
                    continue
            await asyncio.sleep(wait_ns / SECOND_NS)

    def _fell(self, error: Exception, on_fall: OnFall) -> int:
        """Count a fall and tell of it; return how long to wait."""
        self.falls += 1
        self._restarts, wait_ns = self._restarts.crashed(self._clock.now_ns(), self._draw())
        on_fall(error, wait_ns)
        return round(self._gave_up_wait_s * SECOND_NS) if wait_ns is None else wait_ns
