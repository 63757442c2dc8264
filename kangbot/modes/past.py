"""What the modes must know of the journal: where it was begun, and what a simulated account comes to.

Such an account is its configured balance and what it has gained or lost since. Whoever edits the balance gives or takes
money, which is neither: so the journal knows the balance too, and losses are counted anew from another one on.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.model.events import Event, Noted, Severity
from kangbot.model.ids import VenueName
from kangbot.model.money import Money
from kangbot.model.written import Written
from kangbot.risk.account import NEW_BALANCE
from kangbot.settings import Settings
from kangbot.sim.paper.ledger import Ledger

MODE_NOTED = "daemon.mode"
_BALANCE_NOTED = "paper.balance"  # what it is at first; another one is NEW_BALANCE

_CURRENCY = "USDT"  # of the simulated account
_FIRST = "bybit"  # the venue of journals that do not name theirs: there was no other


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    mode: str
    venue: str
    ledger: msgspec.Raw
    balance: Money | None = None


class Past:
    """A fold of the journal for the venue that is traded now."""

    def __init__(self, venue: VenueName) -> None:
        self.ledger = Ledger(venue, _CURRENCY)
        self.mode = ""  # "" for a journal without a word on it
        self._venue = _FIRST
        self._balance: Money | None = None  # that the simulated account had; None where the journal does not tell

    def observe(self, event: Event) -> None:
        """Take the next event of the journal."""
        self.ledger.observe(event)
        if isinstance(event, Noted) and event.kind == MODE_NOTED:
            self.mode = event.message
            self._venue = event.fields.get("venue", _FIRST)
        elif isinstance(event, Noted) and event.kind in (_BALANCE_NOTED, NEW_BALANCE):
            self._balance = Decimal(event.fields["balance"])

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        ledger = msgspec.Raw(self.ledger.checkpoint())
        return msgspec.json.encode(_Kept(mode=self.mode, venue=self._venue, ledger=ledger, balance=self._balance))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        kept = msgspec.json.decode(state, type=_Kept)
        self.mode = kept.mode
        self._venue = kept.venue
        self._balance = kept.balance
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

    def news(self, settings: Settings, at_ns: int) -> Iterator[Noted]:
        """Yield what a start has to tell the journal: where it begins, and the balance of an account on paper."""
        if not self.mode:
            yield noted(settings, at_ns)
        balance = settings.paper.balance
        if settings.mode == "paper" and balance != self._balance:
            words = f"the simulated account begins with {balance:f} {_CURRENCY}"
            if self._balance is not None:
                words = f"[paper] balance is {balance:f} {_CURRENCY}, no longer {self._balance:f}: losses count anew"
            yield Noted(
                kind=_BALANCE_NOTED if self._balance is None else NEW_BALANCE,
                severity=Severity.INFO,
                market=None,
                message=words,
                fields={"balance": f"{balance:f}"},
                at_ns=at_ns,
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
