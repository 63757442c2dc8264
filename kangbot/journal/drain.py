"""Feeds the history from the journal, in sequence order, and lets nothing of it reach trading.

The history may be away for hours: the journal keeps what it has not got. Sleeps until the journal grows; no timer runs
while there is nothing to do. After a failure, a growing wait; then the drain goes on at what the history says that it
has, as it does after a restart, so nothing is lost, even where a database was put back from a backup. That nothing is
stored twice is the history's promise. It is said once when the history goes and once when it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog

from kangbot.errors import KangbotError, NeedsHuman, words
from kangbot.machines.backoff import Backoff
from kangbot.model.events import BarStored, EquityMarked, Record
from kangbot.ports import Checkpoint, History, Journal
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)

T = TypeVar("T")

_COMPARED = 200  # of the newest records that the history has; bars are among them, which it does not give back


class Drain:
    """`run` feeds `history` from `journal` until it is cancelled.

    `mark(sequence)` is told up to where the history has everything, after each batch (`JournalWriter.mark_drained`);
    `marked` is where that was in the life before, which the backlog is counted from until the history has answered.
    `linger_s` is how long it waits for a batch to grow, so that a trickle does not become a transaction an event.
    `changed(error)` is told once why the history is away, again where that becomes a person's to put right, and once
    None when it is back.
    """

    def __init__(
        self,
        journal: Journal,
        history: History,
        world: World,
        *,
        mark: Callable[[int], None],
        marked: int = 0,
        changed: Callable[[Exception | None], None] = lambda _error: None,
        batch: int = 500,
        linger_s: float = 0.25,
        first_s: float = 1.0,
        ceiling_s: float = 60.0,
    ) -> None:
        self._journal = journal
        self._history = history
        self._clock = world.clock
        self._draws = world.fork("journal/drain")
        self._mark = mark
        self._changed = changed
        self._batch = batch
        self._linger_s = linger_s
        self._progress = asyncio.Event()
        self._backoff = Backoff(first_ns=int(first_s * SECOND_NS), ceiling_ns=int(ceiling_s * SECOND_NS))
        self._at = marked  # what the history has, as far as it said
        self.failures = 0  # calls that the history did not answer well
        self.away = ""  # why the history is away, as its last answer tells; "" where it answers
        self._away_since_ns: int | None = None
        self._needs_human = False  # said of the absence that lasts

    @property
    def backlog(self) -> int:
        """How many records on disk the history has not confirmed."""
        return self._journal.last - self._at

    async def run(self) -> None:
        """Drain for ever. NeedsHuman: the journal is damaged, or older than what the history has of it."""
        at: int | None = None  # unknown at first, and again after each failure: the database may be another one then
        while True:
            if at is None:
                has = await self._attempt(partial(self._history.stored, self._journal.tag))
                if has is None:
                    continue
                kept = await self._journal.checkpoint()  # what it raises is of the journal, not of the history
                at = await self._attempt(partial(self._where, has, kept))
                if at is None or not await self._begins(at, kept):
                    at = None
                    continue
            if await self._journal.beyond(at) - at < self._batch:
                await asyncio.sleep(self._linger_s)  # what belongs together arrives together: one transaction
            records = await self._journal.read(at, self._batch)
            at = await self._attempt(partial(self._store, records))

    async def settled(self) -> None:
        """Wait until the history has all that is in the journal; how long is the caller's to bound."""
        while self.backlog:
            self._progress.clear()
            await self._progress.wait()

    async def _where(self, at: int, kept: Checkpoint | None) -> int:
        """Return what the history has, or where it can only begin. NeedsHuman where there would be a hole in it."""
        if kept is None or at >= kept.sequence:
            return at
        if at:
            raise NeedsHuman(
                f"the history has journal {self._journal.tag} up to {at}, the journal begins after {kept.sequence}: "
                "an old copy of the database was put in place",
                remedy="put a newer backup of the database back, or name an empty database",
            )
        log.warning("history.begins_late", after=kept.sequence)  # a new database: it gets what there is
        return kept.sequence

    async def _begins(self, at: int, kept: Checkpoint | None) -> bool:
        """Go on after what the history has; False where that is to be found out again.

        NeedsHuman where it is no part of this journal: an older copy was put in place. While the history was away that
        may have grown beyond what the history has, and then its newest records are others.
        """
        tag, ends = self._journal.tag, self._journal.last
        after = max(0 if kept is None else kept.sequence, at - _COMPARED)
        differs = f"the journal itself ends at {ends}" if at > ends else ""
        if not differs and at > after:
            there = await self._attempt(partial(self._history.recall, tag, after, at - after))
            if there is None:
                return False
            try:
                records = await self._journal.read(after, at - after)
            except NeedsHuman:
                if await self._journal.checkpoint() == kept:
                    raise
                return False  # some were removed meanwhile
            self._lacking(records, there)
            ours = {record.sequence: record for record in records}
            other = next((record.sequence for record in there if ours.get(record.sequence) != record), 0)
            differs = f"its record {other} is another one" if other else ""
        if differs:
            raise NeedsHuman(
                f"the history has journal {tag} up to {at}, {differs}: an older copy of the journal was put in place",
                remedy="put the newest journal back; where it is lost, move this one and its -wal away, and make it "
                "anew from the history: kangbot journal rebuild",
            )
        self._confirm(at)
        if at == self._journal.last:  # nothing to store that would prove it
            self._back()
        return True

    def _lacking(self, ours: Sequence[Record], there: Sequence[Record]) -> None:
        """Say what somebody removed from the history: its mark says that it has them, so it is not given them again."""
        known = {record.sequence for record in there}
        gone = [
            record.sequence
            for record in ours
            if record.sequence not in known and not isinstance(record.event, BarStored | EquityMarked)
        ]
        if gone:
            log.warning("history.lacks", records=len(gone), first=gone[0], last=gone[-1])

    async def _store(self, records: Sequence[Record]) -> int:
        await self._history.store(records)
        self._confirm(records[-1].sequence)
        self._back()
        return records[-1].sequence

    def _confirm(self, at: int) -> None:
        self._at = at
        self._mark(at)
        self._progress.set()

    async def _attempt(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Return what the history answered; None where it failed, after a wait that grows with each failure."""
        try:
            return await call()
        except Exception as error:  # noqa: BLE001 -- a fault of ours must not reach trading: the journal keeps it all
            self.failures += 1
            self.away = words(error)
            self._away(error)
            self._backoff = self._backoff.failed()
            at_least_ns = getattr(error, "retry_after_ns", 0)
            await asyncio.sleep(self._backoff.wait_ns(self._draws.random(), at_least_ns=at_least_ns) / SECOND_NS)
            return None

    def _away(self, error: Exception) -> None:
        """Tell of it once; again where what might have passed by itself turns out to be a person's to put right."""
        begins, worse = self._away_since_ns is None, isinstance(error, NeedsHuman) and not self._needs_human
        if not begins and not worse:
            return
        if begins:
            self._away_since_ns = self._clock.now_ns()
        self._needs_human = worse
        if isinstance(error, KangbotError):
            remedy = {"remedy": error.remedy} if isinstance(error, NeedsHuman) else {}
            log.warning("history.away", reason=error.message, code=error.code, **remedy)
        else:
            log.error("history.away", reason=words(error), exc_info=error)
        self._changed(error)

    def _back(self) -> None:
        self._backoff = self._backoff.reset()
        self.away = ""
        if self._away_since_ns is None:
            return
        seconds = (self._clock.now_ns() - self._away_since_ns) // SECOND_NS
        self._away_since_ns, self._needs_human = None, False
        log.warning("history.back", away_s=seconds, failures=self.failures, backlog=self.backlog)
        self._changed(None)
