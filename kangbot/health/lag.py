"""How late the loop is: a timer that should fire at once a quarter of a second later, and when it did."""

import asyncio
from time import perf_counter_ns

from kangbot.health.latency import Latencies

_EVERY_S = 0.25


class LoopLag:
    """Measures until cancelled. Four wake-ups a second cost about 0.02 % of a core."""

    def __init__(self) -> None:
        self.latencies = Latencies()

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            before = perf_counter_ns()
            await asyncio.sleep(_EVERY_S)
            self.latencies.observe(perf_counter_ns() - before - int(_EVERY_S * 1e9))
