"""The venue's clock in a simulation: it drifts against true time and is stepped, and never runs backwards.

It is slewed every few seconds, as clocks are that listen to a time server. A step back makes it stand still until true
time has caught up: venues order their events by it.
"""

import asyncio
from collections.abc import Callable

_SLEW_S = 5.0


class VenueTime:
    """`true_ns` is true time since the epoch; `drift_ppm` is how much faster than that the venue's clock runs."""

    def __init__(self, true_ns: Callable[[], int], drift_ppm: int) -> None:
        self._true_ns = true_ns
        self._slew_ns = int(_SLEW_S * 1000) * drift_ppm
        self._ahead_ns = 0
        self._newest_ns = 0
        self._loop = asyncio.get_running_loop()
        if drift_ppm:
            self._loop.call_later(_SLEW_S, self._slew)

    def now_ns(self) -> int:
        """Return the venue's time."""
        now_ns = self._true_ns() + self._ahead_ns
        self._newest_ns = max(self._newest_ns, now_ns)
        return self._newest_ns

    def step(self, by_ns: int) -> None:
        """Set it forward, or back."""
        self._ahead_ns += by_ns

    def _slew(self) -> None:
        self._ahead_ns += self._slew_ns
        self._loop.call_later(_SLEW_S, self._slew)
