"""The connects of one host, under one strict budget: every stream asks here before it dials.

Venues count connects per address and ban by them (Bybit 500 in 5 minutes, Binance 300), whatever the reason: start-all,
reconnects, rotation, a restart of the daemon. So there is one budget a host, shared by all who dial it, far below the
venues' own, and its stamps are kept over restarts. A second, short window keeps a cold start from being a burst.
"""

import asyncio
from collections.abc import Callable, Sequence

from kangbot.feed.kept import Counted, Kept
from kangbot.machines.limiter import Window
from kangbot.machines.pauses import LONGEST_NS
from kangbot.runtime.world import SECOND_NS, Clock, sleep_until


class ConnectBudget:
    """At most `most` connects in any `span_s`, and at most `burst` in any `burst_s`; first come, first served.

    `kept` is where they outlive the process; None where nothing is to.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        most: int = 100,
        span_s: float = 300.0,
        burst: int = 4,
        burst_s: float = 1.0,
        kept: Kept | None = None,
    ) -> None:
        self._clock = clock
        self._kept = kept
        self._until_ns = 0  # the host asked to be left alone
        self._asked_ns = 0  # and it did so then
        self._long = Window(most=most, span_ns=round(span_s * SECOND_NS))
        self._short = Window(most=burst, span_ns=round(burst_s * SECOND_NS))
        self._turn = asyncio.Lock()
        self.waits = 0  # permits that had to wait
        self._tell_dial: Callable[[bool], None] = lambda _way_out: None

    @property
    def stamps(self) -> Sequence[int]:
        """The connects that still count, in nanoseconds since the epoch: keep them over a restart."""
        return self._long.stamps

    async def restore(self) -> None:
        """Count what an earlier life has left; before the first permit."""
        if self._kept is not None:
            counted, now_ns = await self._kept.read(), self._clock.now_ns()
            self._long = self._long.restored(counted.stamps, now_ns)
            # For no longer than it asked: the wall clock may have been set back between two lives.
            self._until_ns = min(counted.until_ns, now_ns + min(counted.until_ns - counted.asked_ns, LONGEST_NS))
            self._asked_ns = min(counted.asked_ns, now_ns)

    def pause(self, for_ns: int) -> None:
        """Obey the host: nobody dials it for `for_ns` from now."""
        now_ns = self._clock.now_ns()
        if now_ns + for_ns > self._until_ns:
            self._until_ns, self._asked_ns = now_ns + for_ns, now_ns

    def on_dial(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` told of each dial whether it found a way out, whatever the host then answered."""
        self._tell_dial = tell

    def dialled(self, *, way_out: bool) -> None:
        """Learn how a dial ended."""
        self._tell_dial(way_out)

    async def permit(self) -> None:
        """Wait for the right to dial once. It is spent when this returns; a cancelled wait spends nothing."""
        async with self._turn:
            waited = False
            while wait_ns := self._wait_ns(self._clock.now_ns()):
                waited = True
                await sleep_until(self._clock, self._clock.now_ns() + wait_ns)
            self.waits += waited
            now_ns = self._clock.now_ns()
            self._long, _ = self._long.admit(now_ns)
            self._short, _ = self._short.admit(now_ns)
            await self.keep()

    async def keep(self) -> None:
        """Have what counts outlive the process."""
        if self._kept is not None:
            await self._kept.write(Counted(stamps=self._long.stamps, until_ns=self._until_ns, asked_ns=self._asked_ns))

    def _wait_ns(self, now_ns: int) -> int:
        return max(self._long.wait_ns(now_ns), self._short.wait_ns(now_ns), self._until_ns - now_ns, 0)
