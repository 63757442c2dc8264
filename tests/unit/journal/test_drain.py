"""The drain feeds a history that may be away, from where the history says it is."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.errors import NeedsHuman, Retryable, words
from kangbot.journal.drain import Drain
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import EquityMarked, Record
from kangbot.ports import Checkpoint
from kangbot.runtime.tasks import close_task
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop
from tests.support.records import EVERY, bar_stored, noted
from tests.support.trade_words import START

WORLD = World(clock=Clock(), seed=b"one")
EQUITY = next(event for event in EVERY if isinstance(event, EquityMarked))


class MemoryHistory:
    """A history that keeps records by their id, and is away while `error` is set."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Record] = {}
        self.error: Exception | None = None
        self.batches: list[int] = []
        self.calls = 0
        self.ahead = 0
        self.read_only: Exception | None = None  # what it answers to what is to be stored
        self.back_after = 0  # so many calls, where it is away
        self.meanwhile: Callable[[], Awaitable[None]] | None = None  # happens once, while it is asked for its records

    async def stored(self, journal: str) -> int:
        self._answer()
        return self.ahead or max((sequence for name, sequence in self.rows if name == journal), default=0)

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        self._answer()
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        rows = [row for (name, sequence), row in sorted(self.rows.items()) if name == journal and sequence > after]
        return rows[:limit]

    async def store(self, records: Sequence[Record]) -> None:
        self._answer()
        if self.read_only is not None:
            raise self.read_only
        self.batches.append(len(records))
        self.rows.update({(record.journal, record.sequence): record for record in records})

    async def aclose(self) -> None:
        """Nothing is held."""

    def _answer(self) -> None:
        self.calls += 1
        if self.calls == self.back_after:
            self.error = None
        if self.error is not None:
            raise self.error


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalWriter]:
    """A new journal."""
    async with await JournalWriter.open(tmp_path, WORLD) as one:
        yield one


def drain(
    journal: JournalWriter, history: MemoryHistory, told: list[str | None] | None = None, *, linger_s: float = 0
) -> Drain:
    """A drain that tries again within milliseconds."""
    heard = told if told is not None else []
    return Drain(
        journal,
        history,
        WORLD,
        mark=journal.mark_drained,
        marked=journal.drained,
        changed=lambda error: heard.append(None if error is None else words(error)),
        batch=10,
        linger_s=linger_s,
        first_s=0.002,
        ceiling_s=0.004,
    )


async def until(condition: object) -> None:
    """Wait, at most a minute, until the condition (a callable) holds."""
    assert callable(condition)
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.001)


async def test_everything_arrives_in_order_in_batches(journal: JournalWriter) -> None:
    """What was there before and what comes while it runs; the mark follows."""
    for number in range(25):
        journal.append(noted(number))
    await journal.beyond(24)
    history = MemoryHistory()
    feeding = drain(journal, history)
    assert feeding.backlog == 25
    task = asyncio.create_task(feeding.run())
    await until(lambda: len(history.rows) == 25)
    await journal.append(noted(25))
    await until(lambda: journal.drained == 26)
    await close_task(task)
    assert list(history.rows) == [(journal.tag, number) for number in range(1, 27)]
    assert history.batches == [10, 10, 5, 1]
    assert (feeding.backlog, feeding.failures) == (0, 0)


async def test_after_a_restart_only_what_the_history_never_had_waits_for_it(journal: JournalWriter) -> None:
    """It is away from the start on: what it confirmed in the life before does not wait, however much that is."""
    history = MemoryHistory()
    await journal.append(*(noted(number) for number in range(25)))
    task = asyncio.create_task(drain(journal, history).run())
    await until(lambda: journal.drained == 25)
    await close_task(task)
    history.error = Retryable("away")
    again = drain(journal, history)
    await journal.append(*(noted(number) for number in range(3)))
    task = asyncio.create_task(again.run())
    await until(lambda: again.failures > 1)
    assert again.backlog == 3
    await close_task(task)


async def test_trickle_becomes_few_batches(journal: JournalWriter) -> None:
    """The drain waits a moment for a batch to grow; a full batch does not wait."""
    history = MemoryHistory()
    feeding = drain(journal, history, linger_s=0.5)
    task = asyncio.create_task(feeding.run())
    for number in range(8):
        await journal.append(noted(number))
    await feeding.settled()
    assert len(history.batches) <= 3
    await feeding.settled()
    assert feeding.backlog == 0
    await close_task(task)


async def test_a_full_batch_waits_for_nothing_and_less_waits_for_more(journal: JournalWriter) -> None:
    """Where it would wait for an hour, ten records are there at once, and the one after them is not."""
    history = MemoryHistory()
    await journal.append(*(noted(number) for number in range(10)))
    task = asyncio.create_task(drain(journal, history, linger_s=3600).run())
    await until(lambda: len(history.rows) == 10)
    await journal.append(noted(10))
    await asyncio.sleep(0.05)
    assert history.batches == [10]
    await close_task(task)


async def test_idle_drain_asks_nothing(journal: JournalWriter) -> None:
    """Once all is there, the history hears nothing until the journal grows."""
    history = MemoryHistory()
    task = asyncio.create_task(drain(journal, history).run())
    await until(lambda: history.calls == 1)
    await asyncio.sleep(0.05)
    assert history.calls == 1
    await close_task(task)


async def test_history_that_is_away_gets_everything_later(journal: JournalWriter) -> None:
    """It is said once on the way down and once on the way up; nothing is lost, nothing comes twice."""
    history, told = MemoryHistory(), list[str | None]()
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await journal.append(noted(1))
    await until(lambda: len(history.rows) == 1)
    history.error = Retryable("gone fishing")
    for number in range(30):
        journal.append(noted(number))
    await until(lambda: feeding.failures >= 5)
    assert feeding.backlog == 30
    history.error = None
    await until(lambda: len(history.rows) == 31)
    await close_task(task)
    assert told == ["gone fishing", None]
    assert sum(history.batches) == 31


async def test_history_that_answers_and_stores_nothing_is_away(journal: JournalWriter) -> None:
    """A database whose disk is full says what it has: it is back once it has taken something, not at each answer."""
    history, told = MemoryHistory(), list[str | None]()
    history.read_only = Retryable("the disk is full")
    await journal.append(noted(1))
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures >= 4)
    assert feeding.away == "the disk is full"
    history.read_only = None
    await until(lambda: len(history.rows) == 1)
    await close_task(task)
    assert told == ["the disk is full", None]


def test_a_history_that_stays_away_is_asked_less_and_less() -> None:
    """Once or twice a minute in the end; and how long it was away is in the log once it is over."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        disk, history = Disk(), MemoryHistory()
        history.error = Retryable("gone fishing")
        await disk.append(noted(1))
        feeding = Drain(disk, history, World(clock=clock, seed=b"one"), mark=lambda _sequence: None)
        history.back_after = 100
        with capture_logs() as logs:
            task = asyncio.create_task(feeding.run())
            await feeding.settled()
            await close_task(task)
        (back,) = (entry for entry in logs if entry["event"] == "history.back")
        assert 90 * 30 <= back["away_s"] <= 100 * 60

    run(main())


async def test_history_that_needs_a_human_is_asked_again(journal: JournalWriter) -> None:
    """A person may migrate the schema while trading goes on; the remedy is told, and then it drains."""
    history, told = MemoryHistory(), list[str | None]()
    history.error = NeedsHuman("old schema", remedy="migrate it")
    await journal.append(noted(1))
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures >= 2)
    history.error = None
    await until(lambda: len(history.rows) == 1)
    await close_task(task)
    assert told == ["old schema", None]


async def test_an_absence_that_becomes_a_persons_is_told_again(journal: JournalWriter) -> None:
    """A server that was restarted answers with an expired certificate: who waits for it to come back waits for ever."""
    history, told = MemoryHistory(), list[str | None]()
    feeding = drain(journal, history, told)
    await journal.append(noted(1))
    with capture_logs() as logs:
        task = asyncio.create_task(feeding.run())
        for error in (
            Retryable("refused"),
            NeedsHuman("the certificate has expired", remedy="renew it"),
            Retryable("refused"),  # of the same absence: told already
            NeedsHuman("the certificate has expired", remedy="renew it"),
        ):
            history.error, failures = error, feeding.failures
            await until(lambda failures=failures: feeding.failures >= failures + 2)
            assert feeding.away == error.message  # of now, also where it is not told
        history.error = None
        await until(lambda: len(history.rows) == 1)
        assert feeding.away == ""
        history.error = NeedsHuman("the certificate has expired", remedy="renew it")  # another absence
        journal.append(noted(2))
        await until(lambda: len(told) == 4)
        failures = feeding.failures
        await until(lambda: feeding.failures >= failures + 2)
        await close_task(task)
    assert told == ["refused", "the certificate has expired", None, "the certificate has expired"]
    remedies = [entry.get("remedy") for entry in logs if entry["event"] == "history.away"]
    assert remedies == [None, "renew it", "renew it"]


async def test_new_drain_goes_on_where_the_history_is(journal: JournalWriter) -> None:
    """A cancelled drain may be followed by another at any time."""
    history = MemoryHistory()
    for number in range(20):
        journal.append(noted(number))
    await journal.beyond(19)
    history.rows = {(journal.tag, record.sequence): record for record in await journal.read(0, 12)}
    task = asyncio.create_task(drain(journal, history).run())
    await until(lambda: len(history.rows) == 20)
    await close_task(task)
    assert history.batches == [8]


async def test_database_put_back_from_a_backup_is_filled_again(journal: JournalWriter) -> None:
    """After a failure the drain asks where the history is, so what the backup lacks is offered again."""
    history = MemoryHistory()
    feeding = drain(journal, history)
    task = asyncio.create_task(feeding.run())
    for number in range(20):
        journal.append(noted(number))
    await until(lambda: journal.drained == 20)
    history.rows = {key: record for key, record in history.rows.items() if key[1] <= 7}
    history.error = Retryable("restarting")
    await journal.append(noted(20))
    await until(lambda: feeding.failures > 0)
    history.error = None
    await until(lambda: len(history.rows) == 21)
    await close_task(task)
    assert feeding.backlog == 0


async def test_history_that_comes_back_with_nothing_to_store_is_back(journal: JournalWriter) -> None:
    """It was away at the start; once it answers that it has everything, it is back."""
    history, told = MemoryHistory(), list[str | None]()
    history.error = Retryable("starting")
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures >= 2)
    history.error = None
    await until(lambda: told == ["starting", None])
    await close_task(task)


async def test_a_fault_of_ours_is_an_absence_of_the_history(journal: JournalWriter) -> None:
    """A record that nobody can write to the tables: told of once, with its traceback; the journal keeps everything."""
    history, told = MemoryHistory(), list[str | None]()
    history.error = ValueError("no such column")
    journal.append(noted(1))
    with capture_logs() as logs:
        task = asyncio.create_task(drain(journal, history, told).run())
        await until(lambda: history.calls > 3)
        history.error = None
        await until(lambda: len(history.rows) == 1)
        await close_task(task)
    assert told == ["ValueError: no such column", None]
    assert [entry["log_level"] for entry in logs if entry["event"] == "history.away"] == ["error"]
    assert any("exc_info" in entry for entry in logs)


async def test_an_error_without_words_is_told_by_its_name(journal: JournalWriter) -> None:
    """As of a process that is given no more memory."""
    history, told = MemoryHistory(), list[str | None]()
    history.error = MemoryError()
    journal.append(noted(1))
    task = asyncio.create_task(drain(journal, history, told).run())
    await until(lambda: history.calls > 0)
    history.error = None
    await until(lambda: len(history.rows) == 1)
    await close_task(task)
    assert told == ["MemoryError", None]


async def test_history_ahead_of_the_journal_stops_the_drain(journal: JournalWriter) -> None:
    """An older copy of the journal would give numbers to new events that the history already has."""
    history = MemoryHistory()
    history.ahead = 7
    with pytest.raises(NeedsHuman, match="older copy of the journal"):
        await drain(journal, history).run()


@pytest.mark.parametrize("lost", [1, 30])
async def test_a_copy_that_has_outgrown_what_the_history_has_stops_the_drain(journal: JournalWriter, lost: int) -> None:
    """It was put in place, and the history was away until it had more records; they are others, and would be lost."""
    history, told = MemoryHistory(), list[str | None]()
    for number in range(70):
        journal.append(noted(number))
    await journal.beyond(69)
    records = list(await journal.read(0, 60))
    for record in records[-lost:]:
        other = msgspec.structs.replace(record, event=noted(1000 + record.sequence))
        history.rows[record.journal, record.sequence] = other
    for record in records[:-lost]:
        history.rows[record.journal, record.sequence] = record
    history.error = Retryable("restarting")
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures > 0)
    history.error = None
    with pytest.raises(NeedsHuman, match=f"its record {61 - lost} is another one: an older copy of the journal"):
        await task
    assert history.batches == []


async def test_what_somebody_removed_from_the_history_is_told(journal: JournalWriter) -> None:
    """It says itself that it has them, so they are not sent again. Bars and marks of equity are not all there."""
    history = MemoryHistory()
    for event in (noted(1), bar_stored(), noted(2), EQUITY, noted(3), noted(4)):
        journal.append(event)
    await journal.beyond(5)
    for record in await journal.read(0, 6):
        if record.sequence in {1, 6}:
            history.rows[record.journal, record.sequence] = record
    with capture_logs() as logs:
        task = asyncio.create_task(drain(journal, history).run())
        await until(lambda: journal.drained == 6)
        await close_task(task)
    assert logs == [{"event": "history.lacks", "records": 2, "first": 3, "last": 5, "log_level": "warning"}]


async def test_a_history_that_goes_away_while_the_newest_are_compared_is_asked_again(journal: JournalWriter) -> None:
    """It has said how far it is, and not yet what it has: nothing is stored before that is known."""
    history, told = MemoryHistory(), list[str | None]()

    async def goes() -> None:
        raise Retryable("restarting")

    for number in range(12):
        journal.append(noted(number))
    await journal.beyond(11)
    for record in await journal.read(0, 5):
        history.rows[record.journal, record.sequence] = record
    history.meanwhile = goes
    task = asyncio.create_task(drain(journal, history, told).run())
    await until(lambda: len(history.rows) == 12)
    await close_task(task)
    assert told == ["restarting", None]
    assert history.batches == [7]


async def test_records_that_are_removed_while_the_newest_are_compared_are_no_damage(journal: JournalWriter) -> None:
    """The history is asked again, from the records that are left."""
    history = MemoryHistory()
    history.meanwhile = partial(compacted, journal)
    history.ahead = 12
    for number in range(12):
        journal.append(noted(number))
    await journal.beyond(11)
    task = asyncio.create_task(drain(journal, history).run())
    await until(lambda: len(history.rows) == 20)
    await close_task(task)


async def test_a_journal_that_lacks_what_is_to_be_compared_stops_the_drain(tmp_path: Path) -> None:
    """It is damaged, and no compaction removed anything."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        for number in range(12):
            journal.append(noted(number))
        await journal.beyond(11)
        with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
            database.execute("DELETE FROM records WHERE sequence = 5")
        history = MemoryHistory()
        history.ahead = 12
        with pytest.raises(NeedsHuman, match="record 5 of the journal"):
            await drain(journal, history).run()


async def test_a_journal_that_is_damaged_while_the_history_is_away_stops_the_drain(
    tmp_path: Path, journal: JournalWriter
) -> None:
    """It is no absence of the history, which would be waited for while entries go on that no start knows of."""
    history, told = MemoryHistory(), list[str | None]()
    history.error = Retryable("restarting")
    await journal.append(noted(1))
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures > 0)
    os.truncate(tmp_path / "journal.sqlite-wal", 0)
    history.error = None
    with pytest.raises(NeedsHuman, match=r"journal\.sqlite cannot be used"):
        await task
    assert told == ["restarting"]


async def compacted(journal: JournalWriter) -> None:
    """A journal of 20 records, of which the first 12 are a checkpoint."""
    for number in range(20):
        journal.append(noted(number))
    await journal.beyond(19)
    journal.mark_drained(20)
    await journal.compact(Checkpoint(sequence=12, states={}))


async def test_new_history_begins_where_the_journal_does(journal: JournalWriter) -> None:
    """What was removed before it came it cannot get."""
    await compacted(journal)
    history = MemoryHistory()
    with capture_logs() as logs:
        task = asyncio.create_task(drain(journal, history).run())
        await until(lambda: len(history.rows) == 8)
        await close_task(task)
    assert [entry["after"] for entry in logs if entry["event"] == "history.begins_late"] == [12]
    assert list(history.rows) == [(journal.tag, number) for number in range(13, 21)]


async def test_history_that_goes_on_after_the_removed_records_is_fed(journal: JournalWriter) -> None:
    """It needs none of them."""
    await compacted(journal)
    history = MemoryHistory()
    history.ahead = 12
    task = asyncio.create_task(drain(journal, history).run())
    await until(lambda: len(history.rows) == 8)
    await close_task(task)


async def test_history_older_than_the_removed_records_is_given_no_hole(journal: JournalWriter) -> None:
    """A person is told; trading goes on, and so does the drain once a newer one is there."""
    await compacted(journal)
    history, told = MemoryHistory(), list[str | None]()
    history.ahead = 7
    feeding = drain(journal, history, told)
    task = asyncio.create_task(feeding.run())
    await until(lambda: feeding.failures >= 2)
    assert told[0] is not None
    assert "up to 7, the journal begins after 12" in told[0]
    assert history.rows == {}
    history.ahead = 20
    await until(lambda: told[-1] is None)
    await close_task(task)
