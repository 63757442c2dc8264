"""Which executions are in the position already: each is applied once, over reconnects, re-deliveries and restarts.

Ids are forgotten a day after the newest one. From then on an execution that is not newer than the newest forgotten one
cannot be told from one that was applied, and `too_old` says so: applying it would be a guess with money.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from kangbot.model.ids import ExecutionId

REMEMBERED_NS = 24 * 3600 * 1_000_000_000


class Executions:
    """The execution ids of one market with their venue times. Large state with one writer: mutable."""

    __slots__ = ("_at_ns", "forgotten_ns", "last_ns")

    def __init__(self, known: Mapping[ExecutionId, int] | None = None, forgotten_ns: int = 0) -> None:
        # A dict looks for its first entry through all that were removed before it: dear with thousands of fills a day.
        self._at_ns = OrderedDict(known or {})
        self.last_ns = max(self._at_ns.values(), default=0)  # venue time of the newest
        self.forgotten_ns = forgotten_ns  # venue time of the newest that is forgotten

    def __contains__(self, execution: ExecutionId) -> bool:
        return execution in self._at_ns

    def __len__(self) -> int:
        return len(self._at_ns)

    def items(self) -> Iterator[tuple[ExecutionId, int]]:
        """Return ids and venue times in the order in which they were applied."""
        return iter(self._at_ns.items())

    def too_old(self, at_ns: int) -> bool:
        """Whether an unknown id of that venue time may have been applied and forgotten."""
        return at_ns <= self.forgotten_ns

    def add(self, execution: ExecutionId, at_ns: int) -> None:
        """Remember an execution that is applied now, and forget what is a day older than the newest."""
        self._at_ns[execution] = at_ns
        self.last_ns = max(self.last_ns, at_ns)
        while True:
            oldest = next(iter(self._at_ns))
            seen_ns = self._at_ns[oldest]
            if seen_ns >= self.last_ns - REMEMBERED_NS:
                return
            del self._at_ns[oldest]
            self.forgotten_ns = max(self.forgotten_ns, seen_ns)
