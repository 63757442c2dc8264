"""What a history gives back is what it was given, but the bars."""

from pathlib import Path

from kangbot.journal.rebuild import rebuild
from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.machines.transfers import Transfers
from kangbot.model.events import BarStored
from kangbot.model.ids import LOST_AT_MOST
from kangbot.storage.opening import Readable
from tests.support.databases import WORLD, Database
from tests.support.folded import replayed
from tests.support.records import EVERY, TAG, noted, records, transferred


def readable(database: Database) -> Readable:
    history = database.history()
    assert hasattr(history, "recall")
    return history


async def test_records_come_back_in_order_and_in_pages(database: Database) -> None:
    """Each kind exactly as it was; the sequence of a bar is missing."""
    history = readable(database)
    given_records = records(EVERY)
    await history.store(given_records)
    await history.store(records([noted(7)], journal="other123"))
    expected = [record for record in given_records if not isinstance(record.event, BarStored)]
    assert await history.recall(TAG, 0, 100) == expected
    assert await history.recall(TAG, 0, 3) == expected[:3]
    assert await history.recall(TAG, expected[2].sequence, 2) == expected[3:5]
    assert await history.recall("unknown1", 0, 100) == []
    assert await history.journals() == {TAG: len(EVERY), "other123": 1}


async def test_a_new_history_knows_no_journal(database: Database) -> None:
    """Whether its tables are there or not."""
    assert await readable(database).journals() == {}


async def test_a_lost_journal_is_made_anew_from_it(database: Database, tmp_path: Path) -> None:
    """What it remembers is what a replay of the lost one came to."""
    history = readable(database)
    await history.store(records(EVERY))
    made = await rebuild(tmp_path / "state", history, tag=TAG, others={"transfers": Transfers()})
    whole = replayed(records(EVERY))
    moves, told = Transfers(), transferred()
    async with await JournalWriter.open(tmp_path / "state", WORLD, reserve_bytes=0) as journal:
        memory = await replay(journal, {"transfers": moves})
    assert memory == made.memory
    assert memory.markets == whole.markets
    assert memory.equity == whole.equity
    assert not moves.new(told.transfer), "a transfer that is asked for again is not journalled again"
    assert (memory.last_sequence, memory.next_number) == (len(EVERY), whole.next_number + LOST_AT_MOST)
