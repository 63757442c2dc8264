"""An account's margin mode at the venue, held against what it was when it was looked at last.

It is one for the whole account, and decides what a position's loss may take and when the venue liquidates it. Somebody
can change it there at any time: no order is refused for that, and no stream tells it. Each mode is a way to trade, so
none is set here; what is not as it was is told, once, whether it was changed while the daemon ran or before.

Remembers by the journal, as `journal/replay.py` has it.
"""

import msgspec

from kangbot.model.events import Event, Noted, Severity
from kangbot.model.written import Written

KNOWN, CHANGED = "margin.known", "margin.changed"

CROSS, ISOLATED, PORTFOLIO = "cross", "isolated", "portfolio"
_MEANS = {
    CROSS: "all of the account stands for each position now",
    ISOLATED: (
        "each position is liquidated by itself now (with a leverage of 10 less than 10 % from its entry), and no stop "
        "that is further away comes before that"
    ),
    PORTFOLIO: "no contract has a leverage of its own now, and no market can be started with one",
}

_REMEDY = "Set it back at the venue if that was not meant"


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    mode: str


class Margin:
    """Mutable, for it is told events one by one."""

    def __init__(self) -> None:
        self.mode = ""  # as it was seen last; "" for never

    def seen(self, mode: str, now_ns: int) -> Noted | None:
        """Return what is to be journalled now that the venue states this mode; None where that is no news."""
        if mode == self.mode:
            return None
        kind, severity, said = KNOWN, Severity.INFO, f"the account's margin mode is {mode}"
        if self.mode:
            kind, severity = CHANGED, Severity.WARNING
            means = f": {_MEANS[mode]}" if mode in _MEANS else ""
            said = f"somebody changed the account's margin mode from {self.mode} to {mode}{means}. {_REMEDY}"
        return Noted(kind=kind, severity=severity, market=None, message=said, fields={"mode": mode}, at_ns=now_ns)

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if isinstance(event, Noted) and event.kind in {KNOWN, CHANGED}:
            self.mode = event.fields["mode"]

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        return msgspec.json.encode(_Kept(mode=self.mode))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        self.mode = msgspec.json.decode(state, type=_Kept).mode
