"""The venue's clocks in a simulation: the one that its events are ordered by, and the one that it answers by.

Both drift against true time, slewed every few seconds, as clocks are that listen to a time server. The host that
answers judges receive windows and tells the time by its own clock, and after a failover that may be another one's, far
behind. The engine's clock follows a step forward and never one back: venues order their events by it.
"""

import asyncio
from collections.abc import Callable

_SLEW_S = 5.0


class VenueTime:
    """`true_ns` is true time since the epoch; `drift_ppm` is how much faster than that the venue's clock runs."""

    def __init__(self, true_ns: Callable[[], int], drift_ppm: int) -> None:
        self._true_ns = true_ns
        self._slew_ns = int(_SLEW_S * 1000) * drift_ppm
        self._slewed_ns = 0
        self._off_ns = 0  # of the host that answers
        self._ahead_ns = 0  # of the engine: the most that a host was ahead
        self._newest_ns = 0
        self._loop = asyncio.get_running_loop()
        if drift_ppm:
            self._loop.call_later(_SLEW_S, self._slew)

    def now_ns(self) -> int:
        """Return the time of the venue's engine, which never runs backwards."""
        now_ns = self._true_ns() + self._slewed_ns + self._ahead_ns
        self._newest_ns = max(self._newest_ns, now_ns)
        return self._newest_ns

    def door_ns(self) -> int:
        """Return the time by which requests are judged, and which answers tell."""
        return self._true_ns() + self._slewed_ns + self._off_ns

    def fail_over(self, off_ns: int) -> None:
        """Have another host answer, whose clock is off by so much."""
        self._off_ns = off_ns
        self._ahead_ns = max(self._ahead_ns, off_ns)

    def _slew(self) -> None:
        self._slewed_ns += self._slew_ns
        self._loop.call_later(_SLEW_S, self._slew)
