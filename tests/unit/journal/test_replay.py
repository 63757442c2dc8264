"""What the journal remembers, read from its first record to its last."""

from pathlib import Path

import msgspec

from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.replay import checkpoint_of, replay
from kangbot.journal.writer import JournalWriter
from kangbot.machines.memory import Memory
from kangbot.model.events import Event, OrderIntended
from kangbot.runtime.world import Clock, World
from tests.support.trade_words import MARKET, START, intent

WORLD = World(clock=Clock(), seed=b"replay")


class Hearing:
    """Remembers everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event) -> None:
        self.events.append(event)

    def checkpoint(self) -> bytes:
        return msgspec.json.encode(self.events)

    def resume(self, state: bytes) -> None:
        self.events = msgspec.json.decode(state, type=list[Event])


async def test_what_was_appended_is_what_is_remembered_over_pages(tmp_path: Path) -> None:
    """Read page by page; replaying twice is the same, and a listener hears every event in order."""
    events: list[Event] = [OrderIntended(intent=intent(number), at_ns=START) for number in range(1, 4_502)]
    heard = Hearing()
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(*events)
        memory = await replay(journal, {"hearing": heard})
        assert memory == await replay(journal)
        assert journal.last == len(events)
    assert (memory.next_number, memory.last_sequence) == (4_502, 4_501)
    assert len(memory.market(MARKET).orders) == 4_501
    assert heard.events == events


async def test_a_new_journal_remembers_nothing(tmp_path: Path) -> None:
    """The first number is 1."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert await replay(journal) == Memory()


async def test_it_ends_where_it_is_told_to(tmp_path: Path) -> None:
    """Before the record that is one too many, read in pages of any size."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(*(OrderIntended(intent=intent(number), at_ns=START) for number in range(1, 31)))
        memory = await replay(journal, until=lambda record: record.sequence > 17, page=4)
    assert (memory.last_sequence, memory.next_number) == (17, 18)


async def test_a_journal_that_tells_of_its_events_tells_its_checkpoint_too(tmp_path: Path) -> None:
    """A replay through it begins where the journal begins."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(*(OrderIntended(intent=intent(number), at_ns=START) for number in range(1, 6)))
        heard = Hearing()
        memory = await replay(journal, {"hearing": heard}, until=lambda record: record.sequence > 3)
        journal.mark_drained(5)
        await journal.compact(checkpoint_of(memory, {"hearing": heard}))
        announced = AnnouncedJournal(journal)
        again = Hearing()
        assert (await replay(announced, {"hearing": again})).next_number == 6
        assert len(again.events) == 5
