"""A real loop, threads and all, on which a minute takes half a second that the machine runs."""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from kangbot.runtime.world import Clock, World
from tests.support.floor_story import BarVenue, Story
from tests.support.order_disk import Disk
from tests.support.trade_words import START

PACE = 120
PATIENCE_S = 60.0 * PACE  # of the loop's: a minute


_LATE_S = 0.005  # the system's own


class _Selector(selectors.DefaultSelector):
    """Knows how long the machine ran: what was waited for, and what was computed; not how long it stood still."""

    def __init__(self) -> None:
        super().__init__()
        self._waited_s = -time.process_time()

    @property
    def ran_s(self) -> float:
        return self._waited_s + time.process_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for as long as the loop's time takes on the wall."""
        wall_s = None if timeout is None else timeout / PACE
        began_s, computed_s = time.monotonic(), time.process_time()
        found = super().select(wall_s)
        took_s = time.monotonic() - began_s
        self._waited_s += took_s if wall_s is None else min(took_s, max(wall_s, 0.0) + _LATE_S)
        self._waited_s -= time.process_time() - computed_s  # of a thread beside the loop
        return found


class HurriedLoop(asyncio.SelectorEventLoop):
    """Its time passes faster than the wall's, while the machine runs: of a stall of half a second it makes no minute.

    Nor does it pass while a call sleeps on the loop.
    """

    def __init__(self) -> None:
        self._machine = _Selector()
        super().__init__(self._machine)

    def time(self) -> float:
        """Return the loop's time, in seconds."""
        return self._machine.ran_s * PACE


class HurriedStory(Story):
    """A life of a floor that waits patiently, for the machine may be busy. `beside`: more of them on the same loop."""

    beside: "Sequence[HurriedStory]" = ()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until it has happened."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                await asyncio.sleep(0.5)

    async def bar(self) -> None:
        """Have a minute's bar arrive, and wait until the market has taken it."""
        await super().bar()
        await self.until(lambda: not self.task.inbox.waiting)

    async def reach(self, *states: Any) -> None:
        """Wait until the market is in one of the states."""
        await self.until(lambda: self.state in states)


def hurry(story: Callable[[HurriedStory], Coroutine[Any, Any, None]], others: int = 0) -> None:
    """Run `story` on such a loop; `others` more floors stand beside it, in `beside`."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(monotonic_ns=lambda: int(loop.time() * 1e9), anchor_ns=START)
        told = [
            HurriedStory(venue=BarVenue(clock=clock), disk=Disk(), world=World(clock=clock, seed=b"story"))
            for _ in range(1 + others)
        ]
        told[0].beside = told[1:]
        try:
            await story(told[0])
        finally:
            for one in told:
                await one.floor.close()

    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        runner.run(main())
