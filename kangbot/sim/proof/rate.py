"""How often a market may enter in an hour: no entry is made once so many are on disk, whichever life made them.

A market that left the configuration and is back goes on counting where it was.
"""

from collections import defaultdict
from collections.abc import Callable

from kangbot.model.ids import MarketId
from kangbot.model.orders import Intent, Purpose
from kangbot.risk.limits import HOUR_NS


class RateWatch:
    """Watches one session. `limit` is that of now, None for none; `fail(what)` is told of a promise that was broken."""

    def __init__(self, limit: int | None, fail: Callable[[str], None]) -> None:
        self.limit = limit
        self._fail = fail
        self._entered_ns: defaultdict[MarketId, list[int]] = defaultdict(list)

    def synced(self, intent: Intent) -> None:
        """Learn of an order that is on disk."""
        if intent.purpose is Purpose.ENTRY:
            self._entered_ns[intent.market].append(intent.at_ns)

    def intended(self, intent: Intent) -> None:
        """Learn of an order in the moment in which it is made."""
        if self.limit is None or intent.purpose is not Purpose.ENTRY:
            return
        before = sum(intent.at_ns - at_ns < HOUR_NS for at_ns in self._entered_ns[intent.market])
        if before >= self.limit:
            self._fail(f"entry {intent.client_id} is intended after {before} in an hour, the limit is {self.limit}")

    def spent(self) -> int:
        """Return how many markets may not enter any more."""
        return sum(self.limit is not None and len(times) >= self.limit for times in self._entered_ns.values())
