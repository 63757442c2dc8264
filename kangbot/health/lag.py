"""How late the loop is: a timer that should fire in a tenth of a second, and when it did."""

import asyncio
from collections import deque
from time import perf_counter_ns

from kangbot.health.latency import Latencies

_EVERY_S = 0.1
_RECENT = 300  # observations: half a minute
_SHARES = {"p50": 0.5, "p99": 0.99, "longest": 1.0}


class LoopLag:
    """Measures until cancelled. Ten wake-ups a second cost about 0.05 % of a core.

    `latencies` are those of the whole run, start-up included; `recent_ms` tells how the loop is now.
    """

    def __init__(self) -> None:
        self.latencies = Latencies()
        self._recent: deque[int] = deque(maxlen=_RECENT)

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            before = perf_counter_ns()
            await asyncio.sleep(_EVERY_S)
            late_ns = perf_counter_ns() - before - int(_EVERY_S * 1e9)
            self.latencies.observe(late_ns)
            self._recent.append(late_ns)

    def recent_ms(self) -> dict[str, float | None]:
        """Return p50, p99 and the longest of the last half minute, in milliseconds; None before the first."""
        ordered = sorted(self._recent)
        if not ordered:
            return dict.fromkeys(_SHARES)
        last = len(ordered) - 1
        return {name: round(ordered[round(share * last)] / 1e6, 3) for name, share in _SHARES.items()}
