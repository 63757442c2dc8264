"""Keeps the journal's file bounded: records that the history has and that are not young any more become a checkpoint.

What replay needs of them is folded from the records themselves, not taken from the running daemon, whose memory is
ahead of the disk. So the checkpoint is what a replay of the whole would have come to, and a crash at any moment leaves
either the records or the checkpoint: they change places in one transaction.

Young records stay although nothing needs them: a database that is put back from a backup, or another that is put in its
place, gets them once more. Runs on a slow beat, a bounded number of records a step; no order waits for it longer than
for another commit.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from kangbot.errors import Retryable
from kangbot.journal.replay import Others, checkpoint_of, replay
from kangbot.model.events import Record
from kangbot.ports import Checkpoint, Journal
from kangbot.runtime.world import SECOND_NS, Clock

_PAGE = 200  # records a turn of the loop: a millisecond or two, for others wait for it

log = structlog.get_logger(__name__)


class Shrinking(Journal, Protocol):
    """A journal from which records can be removed."""

    @property
    def drained(self) -> int:
        """Up to which sequence the history has everything, as far as we remember."""

    @property
    def floor(self) -> int:
        """The sequence of the newest record that was removed; 0 where none was."""

    async def compact(self, checkpoint: Checkpoint) -> None:
        """Put the checkpoint in the place of the records up to its sequence. Retryable where nothing has changed."""


class Compactor:
    """`run` keeps `journal` bounded until it is cancelled. `fresh` makes those who remember by it, anew.

    Records stay for `keep_s`, unless more than `most` are left after them. Nothing happens for less than `least`
    records, and a step takes at most `step`; `pause_s` lies between two.
    """

    def __init__(
        self,
        journal: Shrinking,
        clock: Clock,
        *,
        fresh: Callable[[], Others],
        beat_s: float = 600.0,
        keep_s: float = 48 * 3600.0,
        most: int = 500_000,
        least: int = 4_000,
        step: int = 4_000,  # removing so many holds up a commit by some 20 ms
        pause_s: float = 1.0,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._fresh = fresh
        self._beat_s = beat_s
        self._keep_ns = int(keep_s * SECOND_NS)
        self._most = most
        self._least = least
        self._step = step
        self._pause_s = pause_s

    async def run(self) -> None:
        """Compact on each beat, for ever. NeedsHuman where the journal is torn."""
        while True:
            try:
                while await self.compact():  # noqa: ASYNC110 -- others' turn, between two steps
                    await asyncio.sleep(self._pause_s)
            except Retryable as error:
                log.warning("journal.not_compacted", reason=error.message)
            await asyncio.sleep(self._beat_s)

    async def compact(self) -> int:
        """Take one step; return how many records were removed. Retryable where the disk did not take it."""
        journal = self._journal
        floor = journal.floor
        if journal.drained - floor < self._least:
            return 0
        needed = self._needed(floor)
        least = await journal.read(floor + self._least - 1, 1)
        if least and needed(least[0]):
            return 0  # as on most beats; the checkpoint, which may be large, is not read to find that out
        others = self._fresh()
        memory = await replay(journal, others, until=needed, page=_PAGE)
        count = memory.last_sequence - floor
        if count < self._least:
            return 0
        await journal.compact(checkpoint_of(memory, others))
        log.info("journal.compacted", records=count, left=journal.last - journal.floor)
        return count

    def _needed(self, floor: int) -> Callable[[Record], bool]:
        """Return what tells whether a record has to stay, and with it all after it."""
        young_ns = self._clock.now_ns() - self._keep_ns
        last = min(self._journal.drained, floor + self._step)
        pressing = self._journal.last - self._most

        def needed(record: Record) -> bool:
            return record.sequence > last or (record.event.at_ns > young_ns and record.sequence > pressing)

        return needed
