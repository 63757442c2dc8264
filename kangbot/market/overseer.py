"""Watches over the time that one market's strategy takes: on the loop no other market moves while it decides.

Each call of it is timed. Where one is slow the strategy is asked aside from then on (`market/strategist.py`), and what
takes too long even there is a reason to stop the market, which its task does. With an alarm a call on the loop that
does not return is interrupted.
"""

from collections.abc import Callable
from decimal import localcontext
from time import perf_counter_ns
from typing import TypeVar

from kangbot.errors import named
from kangbot.execution.executor import Executor
from kangbot.machines.slowness import MILLISECOND_NS, SECOND_NS, Bounds, Finding, Slowness
from kangbot.model.events import Severity
from kangbot.runtime.alarm import Alarm

A = TypeVar("A")
T = TypeVar("T")


class Overseer:
    """One market's; without `bounds` (a simulated world has no time to measure) everything may take its time."""

    def __init__(
        self, *, executor: Executor, bounds: Bounds | None, now_ns: Callable[[], int], alarm: Alarm | None
    ) -> None:
        self.why = ""  # why the market must be stopped; "" where it may go on
        self.spent_ns = 0  # on the loop, in this turn: many quick calls, as of history, are as long as a slow one
        self._now_ns = now_ns
        self._executor = executor
        self._measures = bounds is not None
        self._alarm = alarm
        self._slowness = Slowness(bounds=bounds or Bounds())

    @property
    def bounds(self) -> Bounds:
        """What a call may take."""
        return self._slowness.bounds

    @property
    def aside(self) -> bool:
        """Whether the next call must not be made on the loop."""
        return self._slowness.slow or self.spent_ns > self._slowness.bounds.slow_ns

    @property
    def longest_ms(self) -> float:
        """The longest that a call took since the market was started, in milliseconds."""
        return round(self._slowness.longest_ns / MILLISECOND_NS, 3)

    def forgive(self) -> None:
        """Begin anew: the market is started, or traded by another strategy."""
        self._slowness, self.why = Slowness(bounds=self._slowness.bounds), ""

    def ask(self, call: Callable[[A], T], argument: A) -> T:
        """Return what the strategy answers, on the loop. OverranError where it was interrupted.

        What it sets of the decimal context ends with the call: every sum of the daemon is made in the same one.
        """
        with localcontext():
            return self._timed(call, argument) if self._measures else call(argument)

    def _timed(self, call: Callable[[A], T], argument: A) -> T:
        began_ns = perf_counter_ns()
        try:
            return call(argument) if self._alarm is None else self._alarm.run(call, argument)
        except Exception:  # a fall of its market
            raise
        except BaseException as error:  # the loop would end by it, or take it for the cancellation of the task
            raise RuntimeError(f"its strategy raised {named(error)}") from error
        finally:
            took_ns = perf_counter_ns() - began_ns
            self.spent_ns += took_ns
            self.judge(took_ns)

    def judge(self, took_ns: int) -> None:
        """Take in how long a call took, wherever it was made."""
        self._slowness, finding = self._slowness.took(took_ns, self._now_ns())
        self._act(finding, took_ns)

    def held(self, late_ns: int) -> None:
        """Learn that the loop was late by so much for the sake of a call aside."""
        self._slowness, finding = self._slowness.held(self._now_ns())
        self._act(finding, late_ns)

    def _act(self, finding: Finding, took_ns: int) -> None:
        bounds, tell = self.bounds, self._executor.tell
        match finding:
            case Finding.FINE:
                pass
            case Finding.SLOW:
                words = f"its strategy took {_ms(took_ns)} for a bar: it is asked aside now, and no market waits for it"
                tell("strategy.slow", Severity.WARNING, words)
            case Finding.QUICK:
                tell("strategy.quick", Severity.INFO, "its strategy is quick again, and asked on the loop")
            case Finding.HOLDS:
                words = f"every market waited {_ms(took_ns)} for its strategy, which keeps the interpreter to itself"
                tell("strategy.holds", Severity.WARNING, words)
            case Finding.BLOCKS:
                self.why = f"its strategy took {_ms(took_ns)} for a bar; {_ms(bounds.block_ns)} are the most"
            case Finding.TOO_OFTEN:
                often = f"more than {_ms(bounds.slow_ns)} {bounds.times} times within {bounds.within_ns // SECOND_NS} s"
                self.why = f"every market waited for its strategy, which keeps the interpreter to itself, {often}"

    def overdue(self, began_ns: int) -> None:
        """Look at a call aside that has not returned; it began then, by the counter of performance."""
        if perf_counter_ns() - began_ns > self.bounds.block_ns:
            self.why = f"its strategy did not return within {_ms(self.bounds.block_ns)}"


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / MILLISECOND_NS:.0f} ms"
