"""What the journal remembers, read from its first record to its last."""

from pathlib import Path

from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.machines.memory import Memory
from kangbot.model.events import Event, OrderIntended
from kangbot.runtime.world import Clock, World
from tests.support.trade_words import MARKET, START, intent

WORLD = World(clock=Clock(), seed=b"replay")


async def test_what_was_appended_is_what_is_remembered_over_pages(tmp_path: Path) -> None:
    """Read page by page; replaying twice is the same, and a listener hears every event in order."""
    events: list[Event] = [OrderIntended(intent=intent(number), at_ns=START) for number in range(1, 4_502)]
    heard: list[Event] = []
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(*events)
        memory = await replay(journal, heard.append)
        assert memory == await replay(journal)
        assert journal.last == len(events)
    assert (memory.next_number, memory.last_sequence) == (4_502, 4_501)
    assert len(memory.market(MARKET).orders) == 4_501
    assert heard == events


async def test_a_new_journal_remembers_nothing(tmp_path: Path) -> None:
    """The first number is 1."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert await replay(journal) == Memory()
