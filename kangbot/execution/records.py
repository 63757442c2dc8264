"""What a market writes to the journal, in order, even when the disk takes nothing for a while.

Learning goes on without the disk (a fill is a fact), so what could not be written waits here and is written again, in
the same order, before anything newer. As long as something waits, the journal is behind and entries are blocked.
"""

import logging
from collections.abc import Awaitable, Sequence

import structlog

from kangbot.execution.errands import Errands
from kangbot.execution.outcome import WriteEnded
from kangbot.model.events import Event, Noted, OrderIntended, Severity
from kangbot.model.orders import Purpose
from kangbot.ports import Journal

log = structlog.get_logger(__name__)

_AGAIN_NS = 1_000_000_000
_LOUD = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}


class Records:
    """One market's way into the journal. Called by the market's task only."""

    def __init__(self, *, journal: Journal, errands: Errands) -> None:
        self._journal = journal
        self._errands = errands
        self._waiting: list[Event] = []
        self._again_ns: int | None = None
        self.behind = ""  # why the journal does not have everything; "" where it has

    @property
    def due_ns(self) -> int | None:
        """When to write again what waits; None where nothing does."""
        return self._again_ns

    def intend(self, event: OrderIntended) -> Awaitable[int]:
        """Write an intent; the awaitable resolves when it may leave. Exits may use the disk's reserve."""
        return self._journal.append(event, reserve=event.intent.purpose is Purpose.EXIT)

    def write(self, events: Sequence[Event]) -> None:
        """Write what was learnt, as one atomic group, and tell the log of what is loud in it."""
        if not events:
            return
        for event in events:
            if isinstance(event, Noted):
                log.log(_LOUD[event.severity], event.kind, market=event.market, message=event.message, **event.fields)
        if self._waiting:
            self._waiting.extend(events)
        else:
            self._append(tuple(events), again=False)

    def ended(self, outcome: WriteEnded, now_ns: int) -> None:
        """Learn that the journal did not take something, or took what had waited."""
        if not outcome.error:
            log.info("journal.caught_up")
            self.behind = ""
            return
        if not self.behind:
            log.error("journal.behind", error=outcome.error)
        self.behind = f"the journal is behind: {outcome.error}"
        self._waiting.extend(outcome.events)
        self._again_ns = now_ns + _AGAIN_NS

    def tick(self, now_ns: int) -> None:
        """Write again what waits, where its time has come."""
        if self._again_ns is None or now_ns < self._again_ns:
            return
        events, self._waiting, self._again_ns = tuple(self._waiting), [], None
        self._append(events, again=True)

    def _append(self, events: tuple[Event, ...], *, again: bool) -> None:
        self._errands.keep(self._journal.append(*events, reserve=True), events, again=again)
