"""Whether the loop stands still for the sake of a call aside: a library may keep the interpreter's lock all the while.

While the call lasts a timer fires once in a span, and so it is seen how late the loop is. That alone says little, for a
machine that is busy makes a loop late as well: it is held against the call where its thread has computed for longer
than a span meanwhile. Code of Python cannot do that, for it hands the lock over within a fraction of a millisecond.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

from kangbot.runtime.aside import Aside
from kangbot.runtime.world import SECOND_NS


class Standstill:
    """One errand's; `found` is told for how long each time the loop was late by more than `span_ns` because of it."""

    def __init__(self, thread: Aside, span_ns: int, found: Callable[[int], None]) -> None:
        self._thread = thread
        self._span_ns = span_ns
        self._found = found
        self._loop = asyncio.get_running_loop()
        self._arm()

    def _arm(self) -> None:
        self._used_ns = self._thread.computed_ns()
        self._due_ns = perf_counter_ns() + self._span_ns
        self._timer = self._loop.call_later(self._span_ns / SECOND_NS, self._ring)

    def _ring(self) -> None:
        self._look()
        self._arm()

    def end(self) -> None:
        """Look once more, and never again."""
        self._timer.cancel()
        self._look()

    def _look(self) -> None:
        late_ns = perf_counter_ns() - self._due_ns
        if late_ns > self._span_ns and self._thread.computed_ns() - self._used_ns > self._span_ns:
            self._found(late_ns)
