"""Moves a simulated venue through time and tells whoever listens what happened there.

One timer for the venue's next frame; whatever acts on the venue between two frames calls `flush`.
"""

import asyncio
from collections.abc import Callable, Sequence

from kangbot.sim.exchange.events import SimEvent
from kangbot.sim.exchange.venue import SimVenue

Listener = Callable[[Sequence[SimEvent]], None]


class Pump:
    """The venue's time. `now_ns` is its own clock, which no fault touches."""

    def __init__(self, engine: SimVenue, now_ns: Callable[[], int]) -> None:
        self._engine = engine
        self._now_ns = now_ns
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Listener] = []
        self._timer: asyncio.TimerHandle | None = None

    def listen(self, listener: Listener) -> None:
        """Tell `listener` from now on, in the order of listening."""
        self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Tell it no more. Harmless when repeated."""
        self._listeners = [known for known in self._listeners if known != listener]

    def start(self) -> None:
        """Begin to move."""
        self._tick()

    def stop(self) -> None:
        """Stand still."""
        if self._timer is not None:
            self._timer.cancel()

    def flush(self) -> None:
        """Tell what happened since the last time."""
        if events := self._engine.drain():
            for listener in self._listeners:
                listener(events)

    def _tick(self) -> None:
        self._engine.advance(self._now_ns())
        self.flush()
        next_ns = self._engine.next_ns()
        if next_ns is not None:
            wait_s = max(0, next_ns - self._now_ns()) / 1e9
            self._timer = self._loop.call_later(wait_s, self._tick)
