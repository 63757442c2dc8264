"""For how long venues asked to be left alone, over restarts: who asks again within a ban lengthens it.

Remembers by the journal, as `journal/replay.py` has it: the newest pause of each budget stands.
"""

import msgspec

from kangbot.model.events import Event, RequestsPaused

# A clock that was set back between two lives makes a pause look longer. No venue's ban is longer than three days.
_LONGEST_NS = 72 * 3600 * 1_000_000_000


class Pauses:
    """The pauses of all budgets; mutable, for it is told events one by one."""

    def __init__(self) -> None:
        self._until_ns: dict[str, int] = {}

    def left_ns(self, budget: str, now_ns: int) -> int:
        """Return for how long that budget is still to rest; 0 where it is free."""
        return min(max(0, self._until_ns.get(budget, 0) - now_ns), _LONGEST_NS)

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if isinstance(event, RequestsPaused):
            self._until_ns[event.budget] = event.until_ns

    def checkpoint(self) -> bytes:
        """Return them as JSON."""
        return msgspec.json.encode(self._until_ns)

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint."""
        self._until_ns = msgspec.json.decode(state, type=dict[str, int])
