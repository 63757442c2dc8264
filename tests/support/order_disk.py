"""A disk for one market's orders, on virtual time: commits take a moment, and fail when the test says so."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence

from kangbot.errors import NeedsHuman
from kangbot.journal import codec
from kangbot.journal.ticket import Ticket
from kangbot.model.events import Event, Record
from kangbot.model.orders import (
    OrderStatus,
)
from kangbot.ports import Checkpoint
from kangbot.sim.world.loop import VirtualLoop
from tests.support.trade_words import TAG

S = OrderStatus


def loop() -> VirtualLoop:
    """Return the running virtual loop."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


class Disk:
    """Implements `ports.Journal` on virtual time: commits take a moment, in order; `full` and `dead` are the test's."""

    tag = TAG

    def __init__(self, *, commit_s: float = 0.001) -> None:
        self.lines: list[bytes] = []  # what is on disk, encoded: only what can be encoded is ever remembered
        self.full = False  # only what may use the reserve is taken
        self.dead = False  # nothing is taken at all
        self.kept: Checkpoint | None = None  # what stands for the records that were removed
        self.hangs = False  # a commit never returns
        self._commit_s = commit_s
        self._life = 0
        self._queue: deque[tuple[Sequence[bytes], Ticket, bool]] = deque()

    @property
    def last(self) -> int:
        return len(self.lines)

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        ticket = Ticket()
        lines = [codec.encode(event).encode() for event in events]
        self._queue.append((lines, ticket, reserve))  # timers of one instant fire in any order; a queue does not
        asyncio.get_running_loop().call_later(self._commit_s, self._commit, self._life)
        return ticket

    def slow(self, commit_s: float) -> None:
        """Have a commit take so long from now on."""
        self._commit_s = commit_s

    def crash(self) -> None:
        """Lose what was not on disk yet."""
        self._life += 1
        self._queue.clear()

    def _commit(self, life: int) -> None:
        if life != self._life:
            return
        lines, ticket, reserve = self._queue.popleft()
        if self.hangs:
            return
        if self.dead or (self.full and not reserve):
            ticket.settle(0, NeedsHuman("the disk is full", remedy="make room"))
            return
        self.lines.extend(lines)
        ticket.settle(self.last)

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return self.records[after : after + limit]

    async def checkpoint(self) -> Checkpoint | None:
        return self.kept

    async def beyond(self, sequence: int) -> int:
        while self.last <= sequence:
            await asyncio.sleep(0.01)
        return self.last

    @property
    def records(self) -> list[Record]:
        """All that is on disk, decoded."""
        return [
            codec.decode(line, journal=TAG, sequence=number, file="disk") for number, line in enumerate(self.lines, 1)
        ]

    @property
    def events(self) -> list[Event]:
        """The events on disk."""
        return [record.event for record in self.records]
