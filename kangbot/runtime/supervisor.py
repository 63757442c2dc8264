"""Run a coroutine for as long as it is wanted: what falls is started again, at an intensity that is bounded.

The decision is `machines/restarts.py`; here it is carried out. Giving up is not an end of supervision: `on_fall` is
told, so that what runs next can do less, and falls are waited out at the ceiling for ever. Nothing ends in silence.
"""

import asyncio
from collections.abc import Awaitable, Callable

from kangbot.machines.restarts import Restarts
from kangbot.runtime.world import SECOND_NS, Clock

OnFall = Callable[[Exception, int | None], None]


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

    async def keep(self, run: Callable[[], Awaitable[None]], on_fall: OnFall) -> None:
        """Run, and run again after each fall; `on_fall(error, wait_ns)` is told before the wait, None: it gave up."""
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 -- the supervisor is where every fall ends
                self.falls += 1
                self._restarts, wait_ns = self._restarts.crashed(self._clock.now_ns(), self._draw())
                on_fall(error, wait_ns)
                await asyncio.sleep(self._gave_up_wait_s if wait_ns is None else wait_ns / SECOND_NS)
            else:
                return
