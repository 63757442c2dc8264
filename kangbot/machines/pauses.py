"""For how long venues asked to be left alone, over restarts: who asks again within a ban lengthens it.

Remembers by the journal, as `journal/replay.py` has it: the newest pause of each budget stands.
"""

import msgspec

from kangbot.model.events import Event, RequestsPaused
from kangbot.model.written import Written

LONGEST_NS = 72 * 3600 * 1_000_000_000
"""No venue's ban is longer than three days (Binance's longest): what asks for more is not believed."""


class _Pause(Written, frozen=True, kw_only=True):
    """When a venue asked for it, and until when; by our clock of then."""

    at_ns: int = 0
    until_ns: int = 0


class Pauses:
    """The pauses of all budgets; mutable, for it is told events one by one."""

    def __init__(self) -> None:
        self._pauses: dict[str, _Pause] = {}

    def left_ns(self, budget: str, now_ns: int) -> int:
        """Return for how long that budget is still to rest; 0 where it is free.

        For no longer than the venue asked: a clock that was set back between two lives makes its end look further off,
        and until then not even an exit would leave.
        """
        pause = self._pauses.get(budget, _Pause())
        return max(0, min(pause.until_ns - now_ns, pause.until_ns - pause.at_ns, LONGEST_NS))

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if isinstance(event, RequestsPaused):
            self._pauses[event.budget] = _Pause(at_ns=event.at_ns, until_ns=event.until_ns)

    def checkpoint(self) -> bytes:
        """Return them as JSON; one that an earlier version wrote stays as it wrote it."""
        kept = {budget: pause if pause.at_ns else pause.until_ns for budget, pause in self._pauses.items()}
        return msgspec.json.encode(kept)

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint; one of an earlier version has the end alone."""
        kept = msgspec.json.decode(state, type=dict[str, int | _Pause])
        self._pauses = {
            budget: _Pause(until_ns=pause) if isinstance(pause, int) else pause for budget, pause in kept.items()
        }
