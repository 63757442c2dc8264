"""What is known over restarts of those who trade by hand in a market of ours.

Which orders of strangers have been told of: each is told once, however often it is seen and however often the daemon
starts. And whether the market is a person's: under the policy `quarantine` whatever somebody does by hand takes it from
the daemon, until it is released. An order that was there at a release is no reason to take the market again. And how
many of the coins that were bought here somebody took from the account, past every order.

The fold of the journal and the running market keep it by the same step, from the notes in the journal.
"""

from decimal import Decimal

import msgspec

from kangbot.model.events import Noted
from kangbot.model.ids import VenueOrderId
from kangbot.model.money import ZERO, Quantity
from kangbot.model.written import Written

_KEPT = 512  # strangers' orders a market: Bybit lets 500 rest in one, Binance 200
_STRANGERS = ("order.foreign", "order.orphan")
_TAKEN = "market.quarantine"
MISSING, BACK = "coins.missing", "coins.back"
RELEASED = "market.released"


class Hands(Written, frozen=True, kw_only=True):
    """Returns its successor."""

    # told of, oldest first; whether it was there at a release
    strangers: dict[VenueOrderId, bool] = msgspec.field(default_factory=dict)
    quarantine: str = ""  # what somebody did, in a market that is a person's by it; "" where the market is ours
    lacking: Quantity = ZERO  # coins that were told to be missing

    def noted(self, note: Noted) -> "Hands":
        """Return it after a note in the journal; the same where the note is of something else."""
        if note.kind in _STRANGERS:
            return self._told(note.fields.get("venue_order_id", ""))
        if note.kind == _TAKEN:
            return msgspec.structs.replace(self, quarantine=note.message)
        if note.kind == RELEASED:
            return msgspec.structs.replace(self, strangers=dict.fromkeys(self.strangers, True), quarantine="")
        if note.kind in (MISSING, BACK):
            return msgspec.structs.replace(self, lacking=Decimal(note.fields.get("quantity", "0")))
        return self

    def _told(self, order: str) -> "Hands":
        kept = list(self.strangers.items())[-_KEPT + 1 :]
        return msgspec.structs.replace(self, strangers={**dict(kept), VenueOrderId(order): False})


def of_hands(note: Noted) -> bool:
    """Whether the note changes what is known of hands."""
    return note.kind in (*_STRANGERS, _TAKEN, RELEASED, MISSING, BACK)
