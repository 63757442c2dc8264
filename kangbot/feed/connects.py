"""The connects of one host, under one strict budget: every stream asks here before it dials.

Venues count connects per address and ban by them (Bybit 500 in 5 minutes, Binance 300), whatever the reason: start-all,
reconnects, rotation, a restart of the daemon. So there is one budget a host, shared by all who dial it, far below the
venues' own, and its stamps are kept over restarts. A second, short window keeps a cold start from being a burst.
"""

import asyncio
from collections.abc import Iterable, Sequence

from kangbot.machines.limiter import Window
from kangbot.runtime.world import SECOND_NS, Clock, sleep_until


class ConnectBudget:
    """At most `most` connects in any `span_s`, and at most `burst` in any `burst_s`; first come, first served."""

    def __init__(
        self, clock: Clock, *, most: int = 100, span_s: float = 300.0, burst: int = 4, burst_s: float = 1.0
    ) -> None:
        self._clock = clock
        self._long = Window(most=most, span_ns=round(span_s * SECOND_NS))
        self._short = Window(most=burst, span_ns=round(burst_s * SECOND_NS))
        self._turn = asyncio.Lock()
        self.waits = 0  # permits that had to wait

    @property
    def stamps(self) -> Sequence[int]:
        """The connects that still count, in nanoseconds since the epoch: keep them over a restart."""
        return self._long.stamps

    def restore(self, stamps: Iterable[int]) -> None:
        """Count the connects of an earlier life."""
        self._long = self._long.restored(stamps, self._clock.now_ns())

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

    def _wait_ns(self, now_ns: int) -> int:
        return max(self._long.wait_ns(now_ns), self._short.wait_ns(now_ns))
