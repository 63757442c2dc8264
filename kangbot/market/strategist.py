"""A market's strategy at work: it is shown each closed bar, and asked what to hold.

Its overseer measures both. What the answer leads to is the desk's business; whether it may be asked is the task's.
"""

from collections import deque
from time import perf_counter_ns
from typing import Any

from kangbot.health.latency import Buckets, Latencies
from kangbot.market.desk import Desk
from kangbot.market.inbox import Inbox
from kangbot.market.overseer import Overseer
from kangbot.model.data import Bar
from kangbot.model.market import Instrument
from kangbot.runtime.world import Clock
from kangbot.strategy.base import View


class Strategist:
    """The strategy that the desk's spec names, with what it has seen since the market began."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        clock: Clock,
        inbox: Inbox,
        desk: Desk,
        overseer: Overseer,
        latencies: Latencies,
    ) -> None:
        self.bars_seen = 0  # of this run, while it decided
        self.decisions = 0
        self.shown = 0  # bars since the market began, history among them
        self.latency = Buckets()  # frame to decision, of this market
        self._instrument = instrument
        self._clock = clock
        self._inbox = inbox
        self._desk = desk
        self._overseer = overseer
        self._latencies = latencies  # the same, of all markets
        self._indicators: Any = None
        self._window: deque[Bar] = deque(maxlen=desk.spec.strategy.bars_kept)

    @property
    def warm(self) -> bool:
        """Whether it has seen as many bars as it looks back on."""
        return self.shown >= self._desk.spec.strategy.lookback

    def begin(self) -> None:
        """Begin with indicators that have seen nothing."""
        self._indicators = self._desk.spec.strategy.indicators()

    def forget(self) -> None:
        """Forget every bar, and what it wanted to hold."""
        self._indicators = None
        self._window.clear()
        self.shown = 0
        self._desk.target = None

    def changed(self) -> None:
        """Learn that the desk's spec may name another strategy: it may look at another number of bars."""
        self._window = deque(maxlen=self._desk.spec.strategy.bars_kept)

    def show(self, bar: Bar) -> None:
        """Show it one closed bar. Raises what its indicators raise."""
        self._overseer.ask(self._indicators.update, bar)
        self._window.append(bar)
        self.shown += 1

    def decide(self, received_ns: int) -> None:
        """Ask for its target; `received_ns` is when the frame came that led to it, 0 where none did."""
        desk = self._desk
        view: View[Any] = View(
            instrument=self._instrument,
            now_ns=self._clock.now_ns(),
            bars=tuple(self._window),
            quote=self._inbox.quote,
            position=desk.position,
            target=desk.target,
            last_trip=desk.executor.last_trip,
            indicators=self._indicators,
        )
        target = self._overseer.ask(desk.spec.strategy.decide, view)
        self.decisions += 1
        if received_ns:
            took_ns = perf_counter_ns() - received_ns
            self._latencies.observe(took_ns)
            self.latency.observe(took_ns)
        if target is not None:
            desk.target = target
