"""What a market writes to the journal, in order, even when the disk takes nothing for a while.

Learning goes on without the disk (a fill is a fact), so what could not be written waits here and is written again, in
the same order, before anything newer. As long as something waits, the journal is behind and entries are blocked.

What waits is bounded, however long that lasts. From `KEPT` events on, whatever later events say as well is left out
(`machines/backlog.py`), and so it is each time a quarter more have come. An order whose intent the disk did not take
never leaves and leaves no record, so no exit that is tried again adds one. What is left to grow is what the venue does:
where `KEPT` of that wait, `full` holds, and news of the account are not taken any more. They are not lost: the venue
tells them again, as after news that did not fit into the inbox. So no more than five quarters of `KEPT` events wait,
what one turn of the market brings, and what becomes of the orders that were under way.

Writing again costs the same however much waits: the oldest group alone is tried, and the rest follows, a part at a
time, once it is on disk. A disk that hangs is another matter: nothing fails, nothing is tried again, and the watchdog
ends the process within a minute (`health/vitals.py`).
"""

import logging
from collections import deque
from collections.abc import Awaitable, Sequence

import structlog

from kangbot.errors import Retryable
from kangbot.execution.errands import Errands
from kangbot.execution.outcome import WriteEnded
from kangbot.machines.backlog import KEPT, Group, conflated
from kangbot.model.events import Event, Noted, OrderIntended, Severity
from kangbot.model.orders import Purpose
from kangbot.ports import Journal

log = structlog.get_logger(__name__)

_AGAIN_NS = 1_000_000_000
_PART = 500  # events at least, in a part of what follows: a few milliseconds to encode
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
        self._waiting: deque[Group] = deque()
        self._tried = 0  # so many of them, the first, were given to the journal before: whoever listens knows of them
        self._again: tuple[Group, ...] = ()  # of what waited: on its way once more
        self._written: Group = ()  # the same, as the journal was given it
        self._again_ns: int | None = None
        self._conflate_at = KEPT
        self._last: Awaitable[int] | None = None  # what was given to the journal last
        self.behind = ""  # why the journal does not have everything; "" where it has
        self.count = 0  # events that the journal does not have, as far as we know

    @property
    def full(self) -> bool:
        """Whether so much waits that nothing more may be learnt of the account."""
        return self.count >= KEPT

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
        if self.behind:
            self._hold(tuple(events), len(self._waiting))
        else:
            self._append(tuple(events), again=False, told=False)

    async def kept(self) -> None:
        """Wait until all that was written so far is on disk; what the journal raises where it is not."""
        if self.behind:
            raise Retryable(self.behind)
        if self._last is not None:
            await self._last  # appends are in order

    def ended(self, outcome: WriteEnded, now_ns: int) -> None:
        """Learn that the journal did not take something, or took what had waited."""
        if outcome.error:
            self._failed(outcome, now_ns)
            return
        self.count -= len(self._written)
        self._again = self._written = ()
        if self._waiting:
            self._write_again(_PART)
        else:
            log.info("journal.caught_up")
            self.behind, self._conflate_at = "", KEPT

    def tick(self, now_ns: int) -> None:
        """Write again what has waited longest, where its time has come."""
        if self._again_ns is not None and now_ns >= self._again_ns:
            self._write_again(1)

    # -------------------------------------------------------------------------------------------------------- private
    def _failed(self, outcome: WriteEnded, now_ns: int) -> None:
        if not self.behind:
            log.error("journal.behind", error=outcome.error)
        self.behind = f"the journal is behind: {outcome.error}"
        if outcome.events is self._written:
            self._waiting.extendleft(reversed(self._again))
            self._tried += len(self._again)
            self._again = self._written = ()
        else:
            self._tried += 1
            self._hold(outcome.events, self._tried - 1)  # before what was learnt since the first of them failed
        if not self._again:  # else its end says how to go on
            self._again_ns = now_ns + _AGAIN_NS

    def _hold(self, group: Group, place: int) -> None:
        self._waiting.insert(place, group)
        self.count += len(group)
        if self.count >= self._conflate_at:
            new = conflated(tuple(self._waiting)[self._tried :])  # what stays of these does not hang on older ones
            self._waiting = deque(conflated(self._waiting))
            self._tried = len(self._waiting) - len(new)
            self.count = len(self._written) + sum(map(len, self._waiting))
            self._conflate_at = max(KEPT, self.count * 5 // 4)

    def _write_again(self, least: int) -> None:
        """Write the oldest groups that wait: as many as it takes to have `least` events, if there are.

        Not some that were given to the journal before with some that were not: the ledger of risk hears of each once.
        """
        groups: list[Group] = []
        events: list[Event] = []
        told = self._tried > 0
        most = self._tried if told else len(self._waiting)
        while len(groups) < most and len(events) < least:
            groups.append(self._waiting.popleft())
            events.extend(groups[-1])
        self._tried = max(0, self._tried - len(groups))
        self._again, self._written, self._again_ns = tuple(groups), tuple(events), None
        self._append(self._written, again=True, told=told)

    def _append(self, events: Group, *, again: bool, told: bool) -> None:
        self._last = self._journal.append(*events, reserve=True, again=told)
        self._errands.keep(self._last, events, again=again)
