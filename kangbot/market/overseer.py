"""Watches over the time that one market's strategy takes, for while it decides no other market moves.

Each call of it is timed. What is slow is told; what blocks, or is slow too often, is a reason to stop the market, which
its task does. With an alarm even a strategy that never returns is interrupted.
"""

from collections.abc import Callable
from time import perf_counter_ns
from typing import TypeVar

from kangbot.execution.executor import Executor
from kangbot.machines.slowness import MILLISECOND_NS, SECOND_NS, Bounds, Finding, Slowness
from kangbot.model.events import Severity
from kangbot.runtime.alarm import Alarm, OverranError

A = TypeVar("A")
T = TypeVar("T")


class Overseer:
    """One market's; without `bounds` (a simulated world has no time to measure) everything may take its time."""

    def __init__(
        self, *, executor: Executor, bounds: Bounds | None, now_ns: Callable[[], int], alarm: Alarm | None = None
    ) -> None:
        self.why = ""  # why the strategy must be stopped for the other markets' sake; "" where it may go on
        self._now_ns = now_ns
        self._executor = executor
        self._bounds = bounds
        self._alarm = alarm
        self._slowness = Slowness(bounds=bounds or Bounds())

    @property
    def longest_ms(self) -> float:
        """The longest that a call took since the market was started, in milliseconds."""
        return round(self._slowness.longest_ns / MILLISECOND_NS, 3)

    def forgive(self) -> None:
        """Begin anew: the market is started."""
        self._slowness, self.why = Slowness(bounds=self._slowness.bounds), ""

    def ask(self, call: Callable[[A], T], argument: A) -> T | None:
        """Return what the strategy answers; None where it was interrupted. `why` says whether it is to be stopped."""
        if self._bounds is None:
            return call(argument)
        began_ns = perf_counter_ns()
        try:
            answer = call(argument) if self._alarm is None else self._alarm.run(call, argument)
        except OverranError:
            self.why = f"its strategy did not return, and was interrupted after {_ms(perf_counter_ns() - began_ns)}"
            return None
        took_ns = perf_counter_ns() - began_ns
        self._slowness, finding = self._slowness.took(took_ns, self._now_ns())
        self._judge(finding, took_ns)
        return answer

    def _judge(self, finding: Finding, took_ns: int) -> None:
        bounds, tell = self._slowness.bounds, self._executor.tell
        match finding:
            case Finding.FINE:
                pass
            case Finding.SLOW:
                words = f"its strategy took {_ms(took_ns)} for a bar, and every other market waited for it"
                tell("strategy.slow", Severity.WARNING, words)
            case Finding.QUICK:
                tell("strategy.quick", Severity.INFO, "its strategy takes no longer than it may")
            case Finding.BLOCKS:
                self.why = f"its strategy took {_ms(took_ns)} for a bar; {_ms(bounds.block_ns)} are the most"
            case Finding.TOO_OFTEN:
                within_s = bounds.within_ns // SECOND_NS
                self.why = f"its strategy took more than {_ms(bounds.slow_ns)} {bounds.times} times within {within_s} s"


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / MILLISECOND_NS:.0f} ms"
