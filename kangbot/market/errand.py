"""What a slow strategy is handed: the bars to take in, in their order, and what it is to decide on after them.

It works on a thread beside the loop (`runtime/aside.py`), and nothing of it but the time is looked at meanwhile: its
indicators belong to that thread until the answer has come.
"""

from decimal import localcontext
from time import perf_counter_ns
from typing import Any

import msgspec

from kangbot.errors import named
from kangbot.model.data import Bar
from kangbot.model.target import Target
from kangbot.strategy.base import Strategy, View


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The errand has ended. `attempt` tells it from one of an earlier start, which nobody waits for."""

    attempt: int
    longest_ns: int  # that one of its calls took
    indicators: Any
    target: Target | None = None
    error: Exception | None = None


class Errand(msgspec.Struct, kw_only=True):
    """At most one is under way in a market. Without a `view` there is nothing to decide."""

    attempt: int
    strategy: Strategy[Any, Any]
    indicators: Any
    unmade: bool  # these are still to be made
    bars: tuple[Bar, ...]
    view: View[Any] | None
    received_ns: int  # when the frame came that led to the decision; 0 where none did
    began_ns: int = msgspec.field(default_factory=perf_counter_ns)  # the call that is under way

    def run(self) -> Answered:
        """Do it all and return what came of it, an error of the strategy's included."""
        longest_ns, target, error = 0, None, None
        self._next()
        try:
            with localcontext():  # as on the loop, each time anew
                if self.unmade:
                    self.indicators = self.strategy.indicators()
                for bar in self.bars:
                    longest_ns = max(longest_ns, self._next())
                    self.indicators.update(bar)
                longest_ns = max(longest_ns, self._next())
                if self.view is not None:
                    view = msgspec.structs.replace(self.view, indicators=self.indicators)
                    target = self.strategy.decide(view)
        except Exception as raised:  # noqa: BLE001 -- it falls where its market's task falls
            error = raised
        except BaseException as raised:  # noqa: BLE001 -- a thread that ended without an answer would be waited for
            error = RuntimeError(f"its strategy raised {named(raised)}")
        return Answered(
            attempt=self.attempt,
            longest_ns=max(longest_ns, self._next()),
            indicators=self.indicators,
            target=target,
            error=error,
        )

    def _next(self) -> int:
        """Return how long the call took that has ended; the next one begins."""
        before_ns, self.began_ns = self.began_ns, perf_counter_ns()
        return self.began_ns - before_ns
