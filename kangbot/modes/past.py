"""What the modes must know of the journal: where it was begun, and what a simulated account comes to."""

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.model.events import Event, Noted, Severity
from kangbot.model.ids import VenueName
from kangbot.model.written import Written
from kangbot.settings import Settings
from kangbot.sim.paper.ledger import Ledger

MODE_NOTED = "daemon.mode"

_CURRENCY = "USDT"  # of the simulated account
_FIRST = "bybit"  # the venue of journals that do not name theirs: there was no other


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    mode: str
    venue: str
    ledger: msgspec.Raw


class Past:
    """A fold of the journal for the venue that is traded now."""

    def __init__(self, venue: VenueName) -> None:
        self.ledger = Ledger(venue, _CURRENCY)
        self.mode = ""  # "" for a journal without a word on it
        self._venue = _FIRST

    def observe(self, event: Event) -> None:
        """Take the next event of the journal."""
        self.ledger.observe(event)
        if isinstance(event, Noted) and event.kind == MODE_NOTED:
            self.mode = event.message
            self._venue = event.fields.get("venue", _FIRST)

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        ledger = msgspec.Raw(self.ledger.checkpoint())
        return msgspec.json.encode(_Kept(mode=self.mode, venue=self._venue, ledger=ledger))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        kept = msgspec.json.decode(state, type=_Kept)
        self.mode = kept.mode
        self._venue = kept.venue
        self.ledger.resume(bytes(kept.ledger))

    def check(self, settings: Settings) -> None:
        """Refuse to take the positions of one world into another. NeedsHuman."""
        begun, now = (self.mode, self._venue), (settings.mode, settings.venue)
        if self.mode and begun != now:
            raise NeedsHuman(
                f"the journal in {settings.state_dir} was begun in mode {_worded(*begun)}, "
                f"and the mode is {_worded(*now)}",
                remedy="give each mode and each venue a state_dir of its own",
            )


def noted(settings: Settings, at_ns: int) -> Noted:
    """Return the word that a new journal begins with."""
    return Noted(
        kind=MODE_NOTED,
        severity=Severity.INFO,
        market=None,
        message=settings.mode,
        fields={"venue": settings.venue},
        at_ns=at_ns,
    )


def _worded(mode: str, venue: str) -> str:
    return f"{mode} at {venue}"
