"""Until when an error keeps entries back, over restarts: a daemon that begins anew is no reason to try again at once.

Remembers by the journal, as `journal/replay.py` has it: the newest hold of each market stands, or that of the account.
"""

import msgspec

from kangbot.model.events import EntriesPaused, Event
from kangbot.model.ids import MarketId
from kangbot.model.written import Written

_LONGEST_NS = 24 * 3600 * 1_000_000_000  # none is configured to be longer than a day


class Hold(Written, frozen=True, kw_only=True):
    """No entry of `market` (None: of any) before `until_ns`, because of `why`."""

    market: MarketId | None
    until_ns: int
    why: str
    at_ns: int = 0  # when it was decided on, by our clock of then; 0: not known


class EntryHolds:
    """Every hold that was neither ended by hand nor replaced; mutable, for it is told events one by one."""

    def __init__(self) -> None:
        self._holds: dict[MarketId | None, Hold] = {}

    def left(self, now_ns: int) -> list[Hold]:
        """Return those that still last, each for no longer than it was meant: a clock may have been set back since."""
        return [
            msgspec.structs.replace(
                hold, until_ns=min(hold.until_ns, now_ns + min(hold.until_ns - hold.at_ns, _LONGEST_NS))
            )
            for hold in self._holds.values()
            if hold.until_ns > now_ns
        ]

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if not isinstance(event, EntriesPaused):
            return
        if event.until_ns:
            self._holds[event.market] = Hold(
                market=event.market, until_ns=event.until_ns, why=event.cause, at_ns=event.at_ns
            )
        else:
            self._holds.pop(event.market, None)

    def checkpoint(self) -> bytes:
        """Return them as JSON."""
        return msgspec.json.encode(list(self._holds.values()))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint."""
        self._holds = {hold.market: hold for hold in msgspec.json.decode(state, type=list[Hold])}
