"""A market's strategy at work: it is shown each closed bar, and asked what to hold.

It is asked on the loop, at once, for as long as it is quick, which costs nothing. One that is slow is asked aside: what
it is shown and asked waits here, and is handed to a thread of its own as one errand at a time, whose answer comes back
through the inbox. Bars that close meanwhile wait in their order; of the decisions that become due the newest is asked
for, about how things stand then. Its overseer measures both. What the answer leads to is the desk's business; whether
it may be asked is the task's.
"""

import contextlib
from collections import deque
from time import perf_counter_ns
from typing import Any

from kangbot.errors import Refused
from kangbot.health.latency import Buckets, Latencies
from kangbot.market.desk import Desk
from kangbot.market.errand import Answered, Errand
from kangbot.market.inbox import Inbox
from kangbot.market.overseer import Overseer
from kangbot.market.standstill import Standstill
from kangbot.model.data import Bar
from kangbot.model.events import Severity
from kangbot.model.market import Instrument
from kangbot.model.target import Target
from kangbot.runtime.alarm import OverranError
from kangbot.runtime.aside import Aside
from kangbot.runtime.world import Clock
from kangbot.strategy.base import View

BEHIND = 60  # bars; more than a loop brings at once that stood still for as long as it may (`runtime/hang.py`)


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
        self.spoilt = False  # its indicators took in half a bar: the market must begin anew
        self.attempt = 0  # an answer to an errand of an earlier one is outdated
        self.instrument = instrument
        self._clock = clock
        self._inbox = inbox
        self._desk = desk
        self._overseer = overseer
        self._latencies = latencies  # the same, of all markets
        self._indicators: Any = None
        self._unmade = False  # they are made aside, before the first bar
        self._window: deque[Bar] = deque(maxlen=desk.spec.strategy.bars_kept)
        self._thread: Aside | None = None
        self._errand: Errand | None = None  # under way on it
        self._standstill: Standstill | None = None  # of the loop, meanwhile
        self._bars: list[Bar] = []  # to be shown by the next one
        self._excused = 0  # so many of these, or of the errand under way, are no sign that it does not keep up
        self._due_ns: int | None = None  # a decision is to be asked aside, and when the frame came that led to it
        self._lingering = 0  # threads that were left, and do not end
        self._closed = False

    @property
    def warm(self) -> bool:
        """Whether it has seen as many bars as it looks back on."""
        return self.shown >= self._desk.spec.strategy.lookback

    @property
    def aside(self) -> bool:
        """Whether it is asked in a thread of its own."""
        return self._thread is not None

    @property
    def _waits(self) -> bool:
        """Whether what comes next must wait here: it is slow, or there is something before it."""
        under_way = self._errand is not None or bool(self._bars) or self._due_ns is not None
        return under_way or self._unmade or self._overseer.aside

    # ----------------------------------------------------------------------------------------------------------- life
    def begin(self) -> None:
        """Begin with indicators that have seen nothing. Raises what they raise; Refused while a call lingers."""
        if self._lingering:
            raise Refused("a call that its strategy was left in has not ended; the daemon's restart ends it")
        self._unmade = True
        if not self._overseer.aside:
            with contextlib.suppress(OverranError):
                self._indicators = self._overseer.ask(lambda strategy: strategy.indicators(), self._desk.spec.strategy)
                self._unmade = False

    def forget(self) -> None:
        """Forget every bar, what it wanted to hold, and what it is still asked."""
        self.attempt += 1
        self.spoilt = self._unmade = False
        self._leave()
        self._due_ns = self._indicators = None
        self._bars.clear()
        self._window.clear()
        self.shown = self._excused = 0
        self._desk.target = None

    def changed(self) -> None:
        """Learn that the desk's spec may name another strategy: it may look at another number of bars."""
        self._window = deque(maxlen=self._desk.spec.strategy.bars_kept)

    def close(self) -> None:
        """Leave the thread, where there is one. Does not wait for it; what becomes of it is told nobody any more."""
        self._closed = True
        self._leave()

    def _over(self) -> Errand | None:
        """Return the errand that was under way, and is so no longer."""
        if self._standstill is not None:
            self._standstill.end()
        errand, self._errand, self._standstill = self._errand, None, None
        return errand

    def _leave(self) -> None:
        self._over()
        if self._thread is not None:
            self._thread.leave(self._lingers, self._ended)
            self._thread = None

    def _lingers(self) -> None:
        self._lingering += 1
        if self._closed:
            return
        words = "its strategy was left in the middle of a call that does not end: it takes its share of the processor"
        self._desk.executor.tell("strategy.lingers", Severity.WARNING, words)

    def _ended(self) -> None:
        self._lingering -= 1
        if not self._closed:
            words = "the call that its strategy was left in has ended"
            self._desk.executor.tell("strategy.ended", Severity.INFO, words)

    # --------------------------------------------------------------------------------------------------------- asking
    def show(self, bar: Bar, *, fetched: bool) -> None:
        """Show it one closed bar; `fetched`: of history. Raises what its indicators raise."""
        if self._waits:
            self._bars.append(bar)
            self._excused += fetched
            if len(self._bars) > max(BEHIND, self._excused):
                self._overseer.why = f"its strategy does not keep up with its bars: {len(self._bars)} wait for it"
            return
        try:
            self._overseer.ask(self._indicators.update, bar)
        except OverranError:
            self.spoilt = True
            return
        self._window.append(bar)
        self.shown += 1

    def decide(self, received_ns: int) -> None:
        """Ask for its target; `received_ns` is when the frame came that led to it, 0 where none did."""
        if not self._waits:
            view = self._view()
            try:
                target = self._overseer.ask(self._desk.spec.strategy.decide, view)
            except OverranError:
                pass  # it has changed nothing: it is asked the same again
            else:
                self._decided(target, received_ns)
                return
        self._due_ns = received_ns

    def _view(self) -> View[Any]:
        desk = self._desk
        return View(
            instrument=self.instrument,
            now_ns=self._clock.now_ns(),
            bars=tuple(self._window),
            quote=self._inbox.quote,
            position=desk.stance,
            target=desk.target,
            last_trip=desk.executor.last_trip,
            indicators=self._indicators,
        )

    def _decided(self, target: object, received_ns: int) -> None:
        """Take in its answer. TypeError where that is no target: whoever wrote it had no checks of ours."""
        if not isinstance(target, Target | None):
            raise TypeError(f"its strategy answered {target!r:.100}: `decide` returns a Target, or None")
        self.decisions += 1
        if received_ns:
            took_ns = perf_counter_ns() - received_ns
            self._latencies.observe(took_ns)
            self.latency.observe(took_ns)
        if target is not None:
            self._desk.target = target

    # ---------------------------------------------------------------------------------------------------------- aside
    def look(self) -> None:
        """Hand over what waits, where nothing is under way, and see to what is. At the end of each turn."""
        if self._errand is not None:
            self._overseer.overdue(self._errand.began_ns)
        elif self._bars or self._due_ns is not None:
            self._hand_over()

    def deadline_ns(self) -> int | None:
        """Return when to look without any news; None where nothing is under way."""
        if self._errand is None:
            return None
        left_ns = self._overseer.bounds.block_ns - (perf_counter_ns() - self._errand.began_ns)
        return self._clock.now_ns() + max(left_ns, 0) + 1

    def _hand_over(self) -> None:
        self._window.extend(self._bars)
        errand = self._errand = Errand(
            attempt=self.attempt,
            strategy=self._desk.spec.strategy,
            indicators=self._indicators,
            unmade=self._unmade,
            bars=tuple(self._bars),
            view=None if self._due_ns is None else self._view(),
            received_ns=self._due_ns or 0,
        )
        self._excused = len(self._bars)
        self._bars.clear()
        self._due_ns = None
        thread = self._thread
        if thread is None:
            thread = self._thread = Aside(f"strategy {self.instrument.market}")
        self._standstill = Standstill(thread, self._overseer.bounds.slow_ns, self._overseer.held)
        thread.post(lambda: thread.tell(self._inbox.put, errand.run()))  # may have the lock from here on

    def take(self, answered: Answered) -> int:
        """Take an answer to the errand of this attempt, and raise the error that it may be.

        Return when the frame came that led to the decision; 0 where none did, or where there is no decision.
        """
        errand = self._over()
        if errand is None:
            return 0
        if answered.error is not None:
            raise answered.error
        self._overseer.judge(answered.longest_ns)
        self._indicators, self._unmade = answered.indicators, False
        self.shown += len(errand.bars)
        received_ns = 0
        if errand.view is not None:
            if self._moved_on(errand.view):
                self._due_ns = self._due_ns or errand.received_ns
            else:
                received_ns = errand.received_ns
                self._decided(answered.target, received_ns)
        if not self._waits:
            self._leave()  # it is quick again
        return received_ns

    def _moved_on(self, view: View[Any]) -> bool:
        """Whether the position is another one by now: what it wants is of the one that it saw, so it is asked anew."""
        return view.position != self._desk.position or view.last_trip != self._desk.executor.last_trip
