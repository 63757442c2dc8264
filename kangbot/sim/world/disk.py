"""A disk and the journal on it, in simulated time: what is not synced when the process dies is lost.

`Disk` outlives processes; `SimJournal` is one process' `ports.Journal`, and commits as the real one does: all that was
queued while the last commit ran goes into the next, whole or not at all. Records are kept as the codec writes them and
read back through it. Those that were removed are kept too, for the judges: no process can read them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from kangbot.errors import NeedsHuman, Retryable
from kangbot.journal import codec
from kangbot.journal.ticket import Ticket
from kangbot.model.events import Event, Record
from kangbot.ports import Checkpoint
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.process import Process, Spot, never

_SYNC_S = (0.0003, 0.002)
_SLOW_SYNC_S = (0.02, 0.8)
_LATER_S = 0.05  # as the real journal
_RESERVE = 400  # commits that fit into the reserve of a full disk
_FULL = "the journal cannot be written: the disk is full"

_Group = tuple[Sequence[Event], bool, Ticket]
Synced = Callable[[int, Sequence[tuple[Event, str]]], None]


class Disk:
    """What survives. `synced(first, rows)` is told of each commit: the first sequence, then events and their texts."""

    def __init__(self, *, tag: str, faults: Faults, synced: Synced) -> None:
        self.tag = tag
        self.faults = faults
        self.texts: list[str] = []
        self.drained = 0
        self.floor = 0  # the newest record that was removed
        self.kept = ""  # the checkpoint in the place of those
        self.deeds: Counter[str] = Counter()
        self._synced = synced
        self._decoded: list[Record] = []  # the first of the records, as they are read
        self._reserve = _RESERVE

    @property
    def last(self) -> int:
        """The newest sequence."""
        return len(self.texts)

    def write(self, groups: Sequence[_Group]) -> list[tuple[Ticket, int, NeedsHuman | None]]:
        """Write what there is room for, as one commit; return what became of each group."""
        full = self.faults.on(Kind.DISK_FULL)
        if not full:
            self._reserve = _RESERVE
        outcomes: list[tuple[Ticket, int, NeedsHuman | None]] = []
        rows: list[tuple[Event, str]] = []
        first = self.last + 1
        for events, reserve, ticket in groups:
            if full and not (reserve and self._reserve > 0):
                self.faults.struck(Kind.DISK_FULL)
                outcomes.append((ticket, 0, NeedsHuman(_FULL, remedy="make room on the disk")))
                continue
            self._reserve -= full
            rows.extend((event, codec.encode(event)) for event in events)
            outcomes.append((ticket, first + len(rows) - 1, None))
        self.texts.extend(text for _, text in rows)
        if rows:
            self._synced(first, rows)
        return outcomes

    def compact(self, sequence: int, states: str) -> None:
        """Put the checkpoint in the place of the records up to `sequence`, in one step."""
        self.deeds["compaction"] += 1
        self.deeds["records_compacted"] += sequence - self.floor
        self.floor, self.kept = sequence, states

    def record(self, sequence: int) -> Record:
        """Return the record of that sequence, as it stands on the disk. A text never changes: it is decoded once."""
        while len(self._decoded) < sequence:
            number = len(self._decoded) + 1
            text = self.texts[number - 1]
            self._decoded.append(codec.decode(text, journal=self.tag, sequence=number, file="the simulated disk"))
        return self._decoded[sequence - 1]


class SimJournal:
    """Implements `ports.Journal` for one process."""

    def __init__(self, disk: Disk, process: Process) -> None:
        self._disk = disk
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Group] = []
        self._writing: list[_Group] = []
        self._grown: list[asyncio.Future[None]] = []
        self._asked = False  # a commit begins in the next turn

    @property
    def tag(self) -> str:
        """The journal's name."""
        return self._disk.tag

    @property
    def last(self) -> int:
        """The newest sequence on disk."""
        return self._disk.last

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:  # noqa: ARG002 -- it is for whoever listens
        """Queue `events` as one group."""
        ticket = Ticket()
        if self._process.alive:
            self._queue.append((events, reserve, ticket))
            if not self._writing and later:
                self._loop.call_later(_LATER_S, self._begin)
            elif not self._writing and not self._asked:
                self._asked = True
                self._loop.call_soon(self._begin)
            self._process.at(Spot.APPEND)
        return ticket

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return records as they stand on the disk."""
        after = max(after, self._disk.floor)
        newest = min(self._disk.last, after + limit)
        return [self._disk.record(sequence) for sequence in range(after + 1, newest + 1)]

    async def checkpoint(self) -> Checkpoint | None:
        """Return what stands for the records that were removed; None where none were."""
        disk = self._disk
        return codec.decode_checkpoint(disk.floor, disk.kept, file="the simulated disk") if disk.floor else None

    @property
    def drained(self) -> int:
        """Up to which sequence the history has everything."""
        return self._disk.drained

    @property
    def floor(self) -> int:
        """The newest record that was removed; 0 where none was."""
        return self._disk.floor

    async def compact(self, checkpoint: Checkpoint) -> None:
        """Put the checkpoint in the place of what the history has. Retryable where the disk is full."""
        disk = self._disk
        if not disk.floor < checkpoint.sequence <= disk.drained:
            raise ValueError(f"the history has {disk.drained} records, {checkpoint.sequence} were to be removed")
        states = codec.encode_checkpoint(checkpoint)
        if not self._process.at(Spot.COMPACT):
            return await never()
        await asyncio.sleep(disk.faults.rng.uniform(*_SYNC_S))
        if not self._process.alive:
            return await never()
        if disk.faults.on(Kind.DISK_FULL):
            disk.faults.struck(Kind.DISK_FULL)
            raise Retryable("the journal cannot be compacted: the disk is full")
        disk.compact(checkpoint.sequence, states)
        if not self._process.at(Spot.COMPACTED):
            await never()
        return None

    async def beyond(self, sequence: int) -> int:
        """Wait until there is more."""
        while self._disk.last <= sequence:
            grown = self._loop.create_future()
            self._grown.append(grown)
            await grown
        return self._disk.last

    def mark_drained(self, sequence: int) -> None:
        """Remember how far the history is."""
        if self._process.alive:
            self._disk.drained = max(self._disk.drained, sequence)

    def _begin(self) -> None:
        self._asked = False
        if self._writing or not self._queue or not self._process.alive:
            return
        self._writing, self._queue = self._queue, []
        faults = self._disk.faults
        slow = faults.strikes(Kind.DISK_SLOW)
        self._loop.call_later(faults.rng.uniform(*(_SLOW_SYNC_S if slow else _SYNC_S)), self._end)
        self._process.at(Spot.COMMIT)

    def _end(self) -> None:
        if not self._process.alive:
            # The file system may have made it durable before the power went, or not.
            if self._disk.faults.rng.random() < 0.5:
                self._disk.write(self._writing)
            self._writing = []
            return
        outcomes = self._disk.write(self._writing)
        self._writing = []
        if not self._process.at(Spot.COMMITTED):
            return
        for ticket, sequence, error in outcomes:
            ticket.settle(sequence, error)
        grown, self._grown = self._grown, []
        for waiter in grown:
            if not waiter.done():
                waiter.set_result(None)
        self._begin()
