"""How the daemon's life before this one ended, by the journal: a start after which no end was written was cut short.

A process that is killed, runs out of memory or hangs cannot say so. Whoever starts it again does it in silence, and
nobody looks for months; so the next life tells people. A life that falls again and again is told of once an hour.

Remembers by the journal, as `journal/replay.py` has it.
"""

import msgspec

from kangbot.model.events import Event, Noted, Severity
from kangbot.model.written import Written

STARTED, RESTARTED, STOPPED = "daemon.started", "daemon.restarted", "daemon.stopped"

_TELL_NS = 3_600_000_000_000


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    running: bool
    falls: int
    told_ns: int


class Lives:
    """Mutable, for it is told events one by one."""

    def __init__(self) -> None:
        self._running = False  # by the newest word on it
        self._falls = 0  # since people were told
        self._told_ns = 0

    def begun(self, now_ns: int) -> Noted:
        """Return the word that this life begins with, once its journal has been replayed."""
        kind, severity, said = STARTED, Severity.INFO, "started"
        if self._running:
            again = f"; {self._falls + 1} times since this was told last" if self._falls else ""
            kind, said = RESTARTED, f"started again: the run before has no end, it was killed or fell{again}"
            if not 0 <= now_ns - self._told_ns < _TELL_NS:
                severity = Severity.ERROR
        return Noted(kind=kind, severity=severity, market=None, message=said, at_ns=now_ns)

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if not isinstance(event, Noted):
            return
        if event.kind == RESTARTED:
            told = event.severity is not Severity.INFO
            self._falls = 0 if told else self._falls + 1
            self._told_ns = event.at_ns if told else self._told_ns
        if event.kind in {STARTED, RESTARTED, STOPPED}:
            self._running = event.kind != STOPPED

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        return msgspec.json.encode(_Kept(running=self._running, falls=self._falls, told_ns=self._told_ns))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        kept = msgspec.json.decode(state, type=_Kept)
        self._running, self._falls, self._told_ns = kept.running, kept.falls, kept.told_ns
