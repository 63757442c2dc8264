"""Monotonic time that a test may move forward, and may let run faster than it does."""

import time


class LeapingTime:
    """Nanoseconds, for `Clock(leaping, anchor_ns)`: `speed` of them in one of real time."""

    def __init__(self, speed: int = 1) -> None:
        self.speed = speed
        self._began_ns = time.monotonic_ns()
        self._leapt_ns = 0

    def __call__(self) -> int:
        """Return the time since it was made, leaps included."""
        return (time.monotonic_ns() - self._began_ns) * self.speed + self._leapt_ns

    def leap(self, by_ns: int) -> None:
        """Move forward at once; back never."""
        self._leapt_ns += max(0, by_ns)
