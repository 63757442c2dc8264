"""The loop's side of the journal: order, grouping, waiting, closing."""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import SupportsIndex

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.errors import Ambiguous, NeedsHuman
from kangbot.journal.commit import Committer, Group, Outcome
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.ports import Checkpoint
from kangbot.runtime.world import Clock, World
from tests.support.records import EVERY, noted

KIB = 1024
WORLD = World(clock=Clock(), seed=b"one")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalWriter]:
    """A new journal."""
    async with await JournalWriter.open(tmp_path, WORLD) as one:
        yield one


async def test_tag_is_a_function_of_the_world_and_stays(tmp_path: Path) -> None:
    """Eight characters, drawn when the file is made; another world opens the same journal."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        tag = journal.tag
    assert len(tag) == 8
    assert tag == WORLD.token("journal", 8)
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"two")) as again:
        assert again.tag == tag


async def test_events_come_back_as_records(journal: JournalWriter) -> None:
    """Each kind, in the order of the calls, numbered from 1."""
    assert await journal.append(*EVERY) == len(EVERY)
    records = await journal.read(0, 100)
    assert [record.event for record in records] == list(EVERY)
    assert [record.sequence for record in records] == list(range(1, len(EVERY) + 1))
    assert {record.journal for record in records} == {journal.tag}
    assert journal.last == len(EVERY)


async def test_awaiting_nothing_loses_nothing(tmp_path: Path) -> None:
    """Appends whose awaitables are dropped are written, at the latest by closing."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        for number in range(1000):
            journal.append(noted(number))
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert journal.last == 1000


async def test_what_can_wait_goes_with_what_cannot(journal: JournalWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed bars ask for no commit of their own: the next order's takes them along, in the order of the calls."""
    commits: list[list[int]] = []
    store = Committer.store

    def counted(self: Committer, groups: Sequence[Group]) -> list[Outcome]:
        commits.append([len(group.events) for group in groups])
        return store(self, groups)

    monkeypatch.setattr(Committer, "store", counted)
    journal.append(noted(1), later=True)
    journal.append(noted(2), noted(3), later=True)
    assert not journal._asked  # for a commit, so far
    assert await journal.append(noted(4)) == 4
    assert commits == [[1, 2, 1]]


async def test_what_can_wait_does_not_wait_for_anybody(journal: JournalWriter) -> None:
    """In a quiet market nothing else comes: it is written by itself, before a crash could lose it."""
    async with asyncio.timeout(120):
        assert await journal.append(noted(1), later=True) == 1


async def test_what_can_wait_is_written_by_closing(tmp_path: Path) -> None:
    """A journal that is closed before the wait is over writes what waits."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        journal.append(noted(1), later=True)
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert journal.last == 1


async def test_cancelled_await_does_not_cancel_the_write(journal: JournalWriter) -> None:
    """Who stops waiting finds the record all the same."""
    ticket = journal.append(noted(1))

    async def wait() -> None:
        await ticket

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    assert await ticket == 1
    assert len(await journal.read(0, 10)) == 1


async def test_nothing_to_append_is_a_mistake(journal: JournalWriter) -> None:
    """An empty group has no sequence."""
    with pytest.raises(ValueError, match="nothing to append"):
        journal.append()


async def test_beyond_waits_for_growth(journal: JournalWriter) -> None:
    """It returns at once where there is more, else with the next commit; a cancelled wait harms nobody."""
    left = asyncio.create_task(journal.beyond(0))
    waiting = asyncio.create_task(journal.beyond(0))
    further = asyncio.create_task(journal.beyond(2))
    await asyncio.sleep(0)
    left.cancel()
    await journal.append(noted(1))
    assert await waiting == 1
    assert await journal.beyond(0) == 1
    await journal.append(noted(2), noted(3))
    assert await further == 3


async def test_the_log_is_folded_off_the_writing_thread(tmp_path: Path) -> None:
    """A long log goes into the file by the reading thread; no commit of its own ever has to do it."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        for number in range(1100):  # single commits, each of two pages or more
            await journal.append(noted(number))
        while not _in_the_file(tmp_path / FILE):  # another thread's work, which tells nobody
            await asyncio.sleep(0.01)
    journal._fold()  # comes too late: the reading thread has ended


def _in_the_file(path: Path) -> bool:
    """Whether records have reached the file itself, beside its log."""
    alone = path.with_name("alone.sqlite")
    alone.write_bytes(path.read_bytes())
    with contextlib.closing(sqlite3.connect(alone)) as db:
        try:
            return bool(db.execute("SELECT count(*) FROM records").fetchone()[0])
        except sqlite3.Error:  # not even the table yet, or in the middle of it
            return False


async def test_mark_is_kept(tmp_path: Path) -> None:
    """What the history has, more or less than before, is remembered over a restart; a closed journal takes no mark."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(noted(1), noted(2))
        for mark in (2, 2, 1):
            journal.mark_drained(mark)
            assert journal.drained == mark
    journal.mark_drained(2)
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert journal.drained == 1


async def test_commit_that_finds_its_work_done_does_nothing(journal: JournalWriter) -> None:
    """An append may ask for a commit that the one before has already made."""
    journal._thread.post(journal._commit)
    assert await journal.append(noted(1)) == 1


class ShortOfMemory(deque[Group]):
    """A queue of which there is no memory for the second group, once."""

    looks = 0

    def __getitem__(self, index: SupportsIndex) -> Group:  # type: ignore[override]  # of one index only
        self.looks += 1
        if self.looks == 2:
            raise MemoryError
        return super().__getitem__(index)


async def test_every_group_is_answered_where_memory_runs_out_while_they_are_gathered(journal: JournalWriter) -> None:
    """What was gathered is stored, the rest with the next commit: a group without an answer would end the process."""
    journal._queue = queue = ShortOfMemory()
    tickets = [journal.append(noted(number)) for number in range(3)]
    async with asyncio.timeout(60):
        assert [await ticket for ticket in tickets] == [1, 2, 3]
    assert queue.looks == 4
    assert not journal.waiting


async def test_folder_is_held_by_one_writer(tmp_path: Path, journal: JournalWriter) -> None:
    """A second one is refused in words, and the first goes on; after closing the folder is free."""
    with pytest.raises(NeedsHuman, match="belongs to a running kangbot"):
        await JournalWriter.open(tmp_path, WORLD)
    await journal.append(noted(1))
    await journal.aclose()
    await (await JournalWriter.open(tmp_path, WORLD)).aclose()


async def test_failed_open_lets_the_folder_go(tmp_path: Path) -> None:
    """A damaged file does not stay locked behind its error."""
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(NeedsHuman, match="not a database"):
            await JournalWriter.open(tmp_path, WORLD)


async def test_cancelled_open_lets_the_folder_go(tmp_path: Path) -> None:
    """Even where the thread had already opened it."""
    task = asyncio.create_task(JournalWriter.open(tmp_path, WORLD))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await (await JournalWriter.open(tmp_path, WORLD)).aclose()


async def fill(journal: JournalWriter) -> None:
    """Append until the disk refuses."""
    while True:
        await journal.append(noted(0, message="x" * 3000))


async def test_full_journal_refuses_entries_and_takes_exits(tmp_path: Path) -> None:
    """NeedsHuman from the awaitable, nothing of the group in the file, the reserve for exits, and then room again."""
    async with await JournalWriter.open(tmp_path, WORLD, max_bytes=128 * KIB, reserve_bytes=128 * KIB) as journal:
        with pytest.raises(NeedsHuman, match="cannot be written"):
            await fill(journal)
        assert journal.full
        before = journal.last
        with pytest.raises(NeedsHuman):
            await journal.append(noted(0, message="x" * 3000), noted(1))
        assert await journal.append(noted(2), reserve=True) == before + 1
        journal.mark_drained(before)
        await journal.read(before, 1)
        db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        db.execute("DELETE FROM records WHERE sequence <= ?", (before,))  # what compaction will do
        db.close()
        assert await journal.append(noted(3)) == before + 2
        assert not journal.full


async def test_whoever_asks_is_told_of_a_disk_that_takes_no_more_and_of_its_room(tmp_path: Path) -> None:
    """Once on the way down, at a start too, and once on the way up; the reason can be read meanwhile."""
    heard: list[str] = []
    with capture_logs() as logs:
        async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=1 << 60) as journal:
            journal.on_hindered(heard.append)
            for number in range(3):
                await journal.append(noted(number), reserve=True)
            assert len(heard) == 1
            assert heard[0] == journal.hindered != ""
            assert heard[0].startswith("takes only exits: ")
            journal._committer._reserve.size = KIB
            await journal.append(noted(4))
            assert (heard[1:], journal.hindered) == ([""], "")
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("journal.full", "error"),
        ("journal.has_room", "warning"),
    ]
    assert logs[0]["reason"] == heard[0]


async def test_whoever_was_told_that_exits_pass_is_told_once_where_they_do_not(tmp_path: Path) -> None:
    """Also of a lock that comes and goes at every other commit, which is one trouble."""
    heard: list[str] = []
    async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=1 << 60) as journal:
        journal.on_hindered(heard.append)
        await journal.append(noted(1), reserve=True)
        await journal._thread.run(lambda: journal._file._db.execute("PRAGMA busy_timeout = 1"))
        with contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as shell:
            for number in range(3):
                shell.execute("BEGIN IMMEDIATE")
                with pytest.raises(NeedsHuman, match="locked"):
                    await journal.append(noted(number), reserve=True)
                shell.execute("ROLLBACK")
                await journal.append(noted(number), reserve=True)
    assert [words.partition(":")[0] for words in heard] == ["takes only exits", "takes nothing, exits neither"]


async def test_mark_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    """An older mark does no harm, so its failure is not told to anybody."""
    journal = await JournalWriter.open(tmp_path, WORLD)
    await journal.append(noted(1))
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    journal._thread.post(lambda: journal._file._db.execute("PRAGMA busy_timeout = 0"))
    await journal.append(noted(2))
    held = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    journal.mark_drained(1)
    await journal._thread.run(lambda: None)
    held.close()
    await journal.aclose()
    assert told == []


async def test_closed_journal_takes_and_gives_nothing(tmp_path: Path) -> None:
    """Append, read and waiting end with a plain error; closing twice is harmless."""
    journal = await JournalWriter.open(tmp_path, WORLD)
    await journal.append(noted(1))
    await journal.read(0, 1)
    waiting = asyncio.create_task(journal.beyond(1))
    await asyncio.sleep(0)
    await journal.aclose()
    await journal.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await waiting
    with pytest.raises(RuntimeError, match="closed"):
        journal.append(noted(2))
    with pytest.raises(RuntimeError, match="closed"):
        await journal.read(0, 1)
    with pytest.raises(RuntimeError, match="closed"):
        await journal.beyond(1)


async def test_one_thread_reads_and_ends_with_the_journal(tmp_path: Path) -> None:
    """However often it is asked; a daemon that opens a journal anew leaves none behind."""
    before = set(threading.enumerate())

    def reading() -> list[threading.Thread]:
        return [thread for thread in set(threading.enumerate()) - before if thread.name == "journal-read"]

    journal = await JournalWriter.open(tmp_path, WORLD)
    await journal.append(noted(1))
    for _ in range(3):
        await journal.read(0, 1)
    assert len(reading()) == 1
    await journal.aclose()
    async with asyncio.timeout(120):
        while reading():  # its work is done, and it is about to end
            await asyncio.sleep(0.001)


async def test_a_disk_that_hangs_leaves_work_waiting(tmp_path: Path) -> None:
    """That is what the watchdog reads; once the disk goes on, all is settled."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert not journal.waiting
        held = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        held.execute("BEGIN IMMEDIATE")  # SQLite waits for this as it would for a slow disk
        ticket, before = journal.append(noted(1)), journal.settled
        await asyncio.sleep(0.2)
        assert (journal.waiting, journal.settled) == (True, before)
        held.execute("ROLLBACK")
        held.close()
        await ticket
        await asyncio.sleep(0)
        assert (journal.waiting, journal.settled) == (False, before + 1)


async def test_close_is_bounded_where_the_disk_hangs(tmp_path: Path) -> None:
    """What the disk had not confirmed is ambiguous; what is on disk afterwards is whole."""
    journal = await JournalWriter.open(tmp_path, WORLD)
    held = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")  # SQLite waits for this as it would for a slow disk
    writing = journal.append(noted(1))
    async with asyncio.timeout(120):
        while not journal._writing:
            await asyncio.sleep(0.001)
    queued = journal.append(noted(2))
    await journal.aclose(timeout_s=0.01)
    for ticket in (writing, queued):
        with pytest.raises(Ambiguous):
            await ticket
    held.execute("ROLLBACK")
    held.close()
    assert await journal._thread.aclose(60)
    async with await JournalWriter.open(tmp_path, WORLD) as again:
        assert again.last == 2


async def test_only_what_is_drained_may_be_removed(journal: JournalWriter) -> None:
    """And nothing twice."""
    await journal.append(*EVERY)
    assert await journal.checkpoint() is None
    journal.mark_drained(4)
    three = Checkpoint(sequence=3, states={"memory": msgspec.Raw(b"{}")})
    await journal.compact(three)
    assert (journal.floor, await journal.checkpoint()) == (3, three)
    for sequence in (2, 3, 5):
        with pytest.raises(ValueError, match=f"records 4 to 4 may be removed, not to {sequence}"):
            await journal.compact(Checkpoint(sequence=sequence, states={}))


async def test_closed_journal_compacts_nothing(tmp_path: Path) -> None:
    """Like everything else."""
    journal = await JournalWriter.open(tmp_path, WORLD)
    await journal.aclose()
    with pytest.raises(RuntimeError, match="is closed"):
        await journal.compact(Checkpoint(sequence=1, states={}))
    with pytest.raises(RuntimeError, match="is closed"):
        await journal.checkpoint()


async def test_reserve_is_four_megabytes_on_a_disk_that_has_them(tmp_path: Path) -> None:
    """Of a small disk it is a quarter: see the end-to-end test on one."""
    async with await JournalWriter.open(tmp_path / "large", WORLD):
        assert (tmp_path / "large" / "reserve").stat().st_size == 4 << 20


async def test_what_is_queued_is_counted_until_it_is_on_disk(journal: JournalWriter) -> None:
    """In groups, as they are written."""
    assert journal.queued == 0
    tickets = [journal.append(noted(number)) for number in range(3)]
    assert journal.queued == 3
    for ticket in tickets:
        await ticket
    assert journal.queued == 0


async def test_its_size_is_that_of_the_file_and_its_log(journal: JournalWriter, tmp_path: Path) -> None:
    """As the disk has it; not known where the disk does not tell."""
    await journal.append(*EVERY)
    files = [tmp_path / FILE, tmp_path / f"{FILE}-wal"]
    assert journal.size_bytes() == sum(file.stat().st_size for file in files) > 0
    (tmp_path / FILE).rename(tmp_path / "elsewhere")
    assert journal.size_bytes() is None
