"""What is known of the transfers of one account: which of them are in the journal, and from when on others may be.

The venue is asked again for a while that it has answered for: it may tell of a transfer late. So each is known by its
id, for longer than it is asked for.

All times are the venue's. Ours may have been wrong in an earlier life and set since: what was moved before the first
equity was known would come after it by then, and be taken for moved once more.
"""

import msgspec

from kangbot.model.events import EquityMarked, Event, Transferred
from kangbot.model.ids import TransferId
from kangbot.model.orders import Transfer
from kangbot.model.written import Written

SECOND_NS = 1_000_000_000
OVERLAP_NS = 3600 * SECOND_NS  # from so long before what is known the venue is asked
UNSURE_NS = 10 * SECOND_NS  # how far a mark of equity and a transfer must lie apart for their order to be known
_KEPT_NS = 7 * 86_400 * SECOND_NS  # an id is kept for so long after its transfer


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    first_ns: int = 0
    last_ns: int = 0
    ids: dict[TransferId, int] = msgspec.field(default_factory=dict)


class Transfers:
    """Hears every event once, in the journal's order."""

    __slots__ = ("_first_ns", "_ids", "_last_ns")

    def __init__(self) -> None:
        self._first_ns = 0  # the first equity that was known: what was moved before is in it
        self._last_ns = 0  # the last one: so long the daemon has certainly been there
        self._ids: dict[TransferId, int] = {}  # to when it was made

    def since_ns(self, now_ns: int) -> int:
        """Return from when on transfers are to be asked for, where it is `now_ns`; nothing before matters."""
        if not self._first_ns:
            return now_ns
        return max(self._first_ns, min(self._last_ns, now_ns) - OVERLAP_NS)

    def new(self, transfer: Transfer) -> bool:
        """Whether the journal does not have it."""
        return transfer.transfer_id not in self._ids

    def observe(self, event: Event) -> None:
        """Take in the next event; most say nothing of this."""
        match event:
            case EquityMarked(at_ns=at_ns, venue_ns=venue_ns):
                known_ns = venue_ns or at_ns
                self._first_ns = min(self._first_ns or known_ns, known_ns)
                self._last_ns = known_ns
            case Transferred(transfer=transfer):
                self._ids[transfer.transfer_id] = transfer.at_ns
                oldest_ns = transfer.at_ns - _KEPT_NS
                self._ids = {known: at_ns for known, at_ns in self._ids.items() if at_ns >= oldest_ns}
            case _:
                return

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        return msgspec.json.encode(_Kept(first_ns=self._first_ns, last_ns=self._last_ns, ids=self._ids))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        kept = msgspec.json.decode(state, type=_Kept)
        self._first_ns, self._last_ns, self._ids = kept.first_ns, kept.last_ns, dict(kept.ids)
