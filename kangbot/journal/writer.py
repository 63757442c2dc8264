"""The journal: what the daemon will do and what it has learnt, on the local disk before anything follows from it.

One writer thread, one SQLite file (WAL, `synchronous=FULL`). Commits are grouped without waiting for a group: all that
was queued while the last commit ran goes into the next, so one event alone is on disk in a fraction of a millisecond
and a thousand at once share a single fsync. An idle journal does nothing at all.

The disk may fill up. Then appends fail with NeedsHuman, except those that may use the reserve (`reserve=True`: exits,
and what is learnt of orders), which go on as long as the reserve lasts. Which records are no longer needed is
`journal/compact.py`; they are removed here.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import structlog

from kangbot.errors import Ambiguous, Retryable, words
from kangbot.journal import codec
from kangbot.journal.commit import Committer, Group, Outcome
from kangbot.journal.file import FAILURES, TAG_LENGTH, JournalFile, JournalReader
from kangbot.journal.folder import admit
from kangbot.journal.lock import FolderLock
from kangbot.journal.reserve import Reserve
from kangbot.journal.ticket import Ticket
from kangbot.model.events import Event, Record
from kangbot.ports import Checkpoint
from kangbot.runtime.threads import Worker
from kangbot.runtime.world import World

log = structlog.get_logger(__name__)

T = TypeVar("T")

FILE = "journal.sqlite"
_MAX_BYTES = 1 << 30  # a bound, so that a history that is away for weeks cannot take the whole disk
_RESERVE_BYTES = 4 << 20  # some five hundred commits of single events; of a small disk a quarter
_LATER_S = 0.05  # what nobody waits for waits so long for a commit that somebody does wait for
_CLOSE_S = 5.0


class JournalWriter:
    """Implements `ports.Journal`. Made by `await JournalWriter.open(folder, world)`, used on that loop, closed once."""

    def __init__(
        self, *, path: Path, thread: Worker, held: contextlib.ExitStack, file: JournalFile, committer: Committer
    ) -> None:
        self._path = path
        self._wal = path.with_name(f"{path.name}-wal")
        self._thread = thread
        self._held = held  # the file and the folder's lock
        self._file = file  # touched on the thread only
        self._committer = committer  # likewise
        self._queue: deque[Group] = deque()
        self._writing: Sequence[Group] = ()
        self._taken = 0  # groups that were queued, and
        self.settled = 0  # of them: on disk, or known to have failed
        self._asked = False  # a commit is posted that has not begun to empty the queue
        self._closed = False
        self._later: asyncio.TimerHandle | None = None  # asks for a commit of what could wait
        self._tag = file.tag
        self._last = file.last
        self._drained = file.drained
        self._floor = file.floor
        self.hindered = committer.why  # what it takes still, and why no more; "" where it takes all
        self._told = self._told_of_exits = False  # that it refuses something, and that it refuses exits
        self._hears: Callable[[str], None] | None = None
        self._grown: list[asyncio.Future[None]] = []
        self._reading: tuple[Worker, JournalReader] | None = None

    @classmethod
    async def open(
        cls, folder: Path, world: World, *, max_bytes: int = _MAX_BYTES, reserve_bytes: int | None = None
    ) -> Self:
        """Open the journal in the state folder, made where it does not exist.

        `reserve_bytes`: the room that is kept for exits; None for a size that suits the disk.
        NeedsHuman: another kangbot holds the folder, folder or file is of a later format or damaged, the disk refuses.
        """
        thread = Worker("journal")
        held = contextlib.ExitStack()
        path = folder / FILE

        def prepare() -> tuple[JournalFile, Committer]:
            held.callback(FolderLock(folder).release)
            admit(folder)
            file = JournalFile(path, max_bytes=max_bytes, new_tag=lambda: world.token("journal", TAG_LENGTH))
            held.callback(file.close)
            size = _suited(folder) if reserve_bytes is None else reserve_bytes
            return file, Committer(file, Reserve(folder / "reserve", size))

        try:
            file, committer = await thread.run(prepare)
        except BaseException:
            thread.post(held.close)  # a cancelled open may have opened it all the same
            await thread.aclose(_CLOSE_S)
            raise
        return cls(path=path, thread=thread, held=held, file=file, committer=committer)

    @property
    def tag(self) -> str:
        """The journal's name, 8 characters of [a-z0-9], drawn once when the file was made."""
        return self._tag

    @property
    def last(self) -> int:
        """The sequence of the newest record that is on disk; 0 when empty."""
        return self._last

    @property
    def drained(self) -> int:
        """Up to which sequence the history has everything, as far as we remember."""
        return self._drained

    @property
    def floor(self) -> int:
        """The sequence of the newest record that was removed; 0 where none was."""
        return self._floor

    @property
    def full(self) -> bool:
        """Whether the disk took no more at the last commit: only appends with `reserve` may succeed."""
        return bool(self.hindered)

    def on_hindered(self, hears: Callable[[str], None]) -> None:
        """Have `hears` told where it begins to refuse something, where exits follow, and "" once it takes all."""
        self._hears = hears

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:  # noqa: ARG002 -- it is for whoever listens
        """Queue `events` as one atomic group; the awaitable resolves when they are on disk. See `ports.Journal`.

        `reserve` allows the group the room that is kept for exits; `later` lets it wait for the next commit, 50 ms at
        most. RuntimeError once closed.
        """
        if self._closed:
            raise RuntimeError("the journal is closed")
        if not events:
            raise ValueError("nothing to append")
        group = Group([codec.encode(event) for event in events], reserve, Ticket())
        self._queue.append(group)
        self._taken += 1
        if not later:
            self._ask()
        elif self._later is None and not self._asked:
            self._later = asyncio.get_running_loop().call_later(_LATER_S, self._ask)
        return group.ticket

    @property
    def waiting(self) -> bool:
        """Whether groups are queued or being written."""
        return self._taken != self.settled

    @property
    def queued(self) -> int:
        """How many groups are not settled yet."""
        return self._taken - self.settled

    def size_bytes(self) -> int | None:
        """Return what the file and its log take on the disk; None where that cannot be told."""
        try:
            return self._path.stat().st_size + self._wal.stat().st_size
        except OSError:
            return None

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` records with sequence > `after`, in order. NeedsHuman where one cannot be read."""

        def fetch(reader: JournalReader) -> list[Record]:
            file = str(self._path)
            rows = reader.read(after, limit)
            return [codec.decode(text, journal=self._tag, sequence=sequence, file=file) for sequence, text in rows]

        return await self._read(fetch)

    async def checkpoint(self) -> Checkpoint | None:
        """Return what the removed records came to; None where none were. NeedsHuman where it cannot be read."""

        def fetch(reader: JournalReader) -> Checkpoint | None:
            kept = reader.checkpoint()
            return None if kept is None else codec.decode_checkpoint(*kept, file=str(self._path))

        return await self._read(fetch)

    async def _read(self, fetch: Callable[[JournalReader], T]) -> T:
        if self._closed:
            raise RuntimeError("the journal is closed")
        thread, reader = self._reader()
        return await thread.run(lambda: fetch(reader))

    def _reader(self) -> tuple[Worker, JournalReader]:
        if self._reading is None:
            self._reading = (Worker("journal-read"), JournalReader(self._path))
        return self._reading

    async def beyond(self, sequence: int) -> int:
        """Wait until `last` > `sequence`, and return `last`. RuntimeError when the journal is closed meanwhile."""
        while self._last <= sequence:
            if self._closed:
                raise RuntimeError("the journal is closed")
            grown: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._grown.append(grown)
            await grown
        return self._last

    def mark_drained(self, sequence: int) -> None:
        """Remember on disk, at leisure, that the history has everything up to `sequence`.

        It may go back: a database that was put back from a backup has less than before.
        """
        if sequence != self._drained and not self._closed:
            self._drained = sequence
            self._thread.post(lambda: self._mark(sequence))

    async def compact(self, checkpoint: Checkpoint) -> None:
        """Put the checkpoint in the place of the records up to its sequence, which the history has.

        One transaction between two commits. Retryable where disk or memory do not take it: nothing has changed then.
        """
        if self._closed:
            raise RuntimeError("the journal is closed")
        if not self._floor < checkpoint.sequence <= self._drained:
            raise ValueError(
                f"records {self._floor + 1} to {self._drained} may be removed, not to {checkpoint.sequence}"
            )
        states = codec.encode_checkpoint(checkpoint)
        try:
            await self._thread.run(lambda: self._file.compact(checkpoint.sequence, states))
        except FAILURES as error:
            raise Retryable(f"the journal cannot be compacted: {words(error)}") from error
        self._floor = checkpoint.sequence

    async def aclose(self, timeout_s: float = _CLOSE_S) -> None:
        """Write what is queued, then close, within about twice `timeout_s`. Safe to call twice.

        Where the disk hangs, the thread is left behind and what it had not confirmed fails as Ambiguous.
        """
        if self._closed:
            return
        self._closed = True
        self._ask()
        self._thread.post(self._held.close)
        if self._reading is not None:
            thread, reader = self._reading
            thread.post(reader.close)
            await thread.aclose(timeout_s)
        if not await self._thread.aclose(timeout_s):
            log.error("journal.close_hangs", file=str(self._path), after_s=timeout_s)
            unsure = Ambiguous("the journal was left before the disk confirmed")
            for group in (*self._writing, *self._queue):
                group.ticket.settle(0, unsure)
        self._wake()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _ask(self) -> None:
        """Have all that is queued written now."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        # The flag goes up here, and down on the thread before it empties the queue, so no group is left behind.
        if not self._asked:
            self._asked = True
            self._thread.post(self._commit)

    # ------------------------------------------------------------------------------------------------- on the thread
    def _commit(self) -> None:
        self._asked = False
        groups = list[Group]()
        try:
            while self._queue:
                groups.append(self._queue[0])  # where there is no memory for it, it stays in the queue
                self._queue.popleft()
        except MemoryError:
            self._thread.tell(self._ask)
        if not groups:  # a commit that began after the flag went up took them along
            return
        self._writing = groups
        outcomes = self._committer.store(groups)
        why, refuses_exits = self._committer.why, self._committer.refuses_exits
        self._thread.tell(self._committed, outcomes, self._file.last, why, refuses_exits)
        if self._file.foldable():
            self._thread.tell(self._fold)

    def _mark(self, sequence: int) -> None:
        with contextlib.suppress(*FAILURES):  # a full disk: an older mark does no harm
            self._file.mark_drained(sequence)

    # --------------------------------------------------------------------------------------------------- on the loop
    def _committed(self, outcomes: Sequence[Outcome], last: int, full: str, refuses_exits: bool) -> None:
        self._last = last
        self.hindered = full
        worse = refuses_exits and not self._told_of_exits
        if worse or bool(full) != self._told:
            self._told, self._told_of_exits = bool(full), refuses_exits
            if full:
                log.error("journal.full", file=str(self._path), reason=full)
            else:
                log.warning("journal.has_room", file=str(self._path))
            if self._hears is not None and not self._closed:
                self._hears(full)
        for outcome in outcomes:
            outcome.group.ticket.settle(outcome.sequence, outcome.error)
        self.settled += len(outcomes)
        self._wake()

    def _fold(self) -> None:
        """Have the log folded on the reading thread: what it syncs would hold up a commit on the writing one."""
        if not self._closed:
            thread, reader = self._reader()
            thread.post(reader.fold)

    def _wake(self) -> None:
        grown, self._grown = self._grown, []
        for waiter in grown:
            if not waiter.done():
                waiter.set_result(None)


def _suited(folder: Path) -> int:
    disk = os.statvfs(folder)
    return min(_RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 4)
