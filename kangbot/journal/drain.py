"""Feeds the history from the journal, in sequence order, and lets nothing of it reach trading.

The history may be away for hours: the journal keeps what it has not got. Sleeps until the journal grows; no timer runs
while there is nothing to do. Where the history fails, the same records are offered again after a growing wait, and it
is said once when it goes and once when it is back. A cancelled or killed drain starts again at what the history says
that it has, so nothing is lost; that nothing is stored twice is the history's promise.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from kangbot.errors import KangbotError, NeedsHuman
from kangbot.machines.backoff import Backoff
from kangbot.ports import History, Journal
from kangbot.runtime.world import SECOND_NS, World

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStats:
    """What the drain has done since it was made."""

    backlog: int  # records on disk that the history has not confirmed
    stored: int  # records
    batches: int
    failures: int  # calls that the history did not answer well
    away_since_ns: int | None  # since when it fails; None while it answers


class Drain:
    """`run` feeds `history` from `journal` until it is cancelled.

    `mark(sequence)` is told up to where the history has everything, after each batch (`JournalWriter.mark_drained`).
    `changed(reason)` is told once why the history is away, and once None when it is back.
    """

    def __init__(
        self,
        journal: Journal,
        history: History,
        world: World,
        *,
        mark: Callable[[int], None],
        changed: Callable[[str | None], None] = lambda _reason: None,
        batch: int = 500,
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
        self._backoff = Backoff(first_ns=int(first_s * SECOND_NS), ceiling_ns=int(ceiling_s * SECOND_NS))
        self._at: int | None = None  # what the history has; None until it said so
        self._stored = 0
        self._batches = 0
        self._failures = 0
        self._away_since_ns: int | None = None

    @property
    def stats(self) -> DrainStats:
        """What was done until now."""
        return DrainStats(
            backlog=self._journal.last - (self._at or 0),
            stored=self._stored,
            batches=self._batches,
            failures=self._failures,
            away_since_ns=self._away_since_ns,
        )

    async def run(self) -> None:
        """Drain for ever. NeedsHuman: the history has more of this journal than the journal itself."""
        at = await self._insist(partial(self._history.stored, self._journal.tag))
        if at > self._journal.last:
            raise NeedsHuman(
                f"the history has journal {self._journal.tag} up to {at}, the journal itself ends at "
                f"{self._journal.last}: an older copy of the journal was put in place",
                remedy="put the newest journal back, or begin with an empty state folder",
            )
        self._confirm(at)
        while True:
            await self._journal.beyond(at)
            records = await self._journal.read(at, self._batch)
            await self._insist(partial(self._history.store, records))
            at = records[-1].sequence
            self._stored += len(records)
            self._batches += 1
            self._confirm(at)

    def _confirm(self, at: int) -> None:
        self._at = at
        self._mark(at)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call until it succeeds, with growing waits, and return its result."""
        backoff = self._backoff
        while True:
            try:
                result = await call()
            except KangbotError as error:
                self._failures += 1
                self._away(error)
                backoff = backoff.failed()
                at_least_ns = getattr(error, "retry_after_ns", 0)
                await asyncio.sleep(backoff.wait_ns(self._draws.random(), at_least_ns=at_least_ns) / SECOND_NS)
            else:
                self._back()
                return result

    def _away(self, error: KangbotError) -> None:
        if self._away_since_ns is not None:
            return
        self._away_since_ns = self._clock.now_ns()
        remedy = error.remedy if isinstance(error, NeedsHuman) else ""
        log.warning("history.away", reason=error.message, remedy=remedy, code=error.code)
        self._changed(error.message)

    def _back(self) -> None:
        if self._away_since_ns is None:
            return
        seconds = (self._clock.now_ns() - self._away_since_ns) // SECOND_NS
        self._away_since_ns = None
        log.warning("history.back", away_s=seconds, failures=self._failures, backlog=self.stats.backlog)
        self._changed(None)
