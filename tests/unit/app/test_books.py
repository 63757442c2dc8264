"""What is written down, and who hears of it."""

from pathlib import Path

from kangbot.app.books import Books
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import Event, Noted
from kangbot.runtime.world import Clock, World
from kangbot.storage.sqlite import SqliteHistory
from tests.support.records import noted

WORLD = World(clock=Clock(), seed=b"books")


async def never() -> None:
    """Bring no table up to date: nothing is asked of the history here."""


async def test_people_hear_of_a_disk_that_takes_no_entries_though_it_does_not_take_the_words(tmp_path: Path) -> None:
    """Nobody reads a log for months, and a disk that has become read-only refuses the note of it as well."""
    heard: list[Event] = []
    async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=1 << 60) as writer:
        books = Books(
            writer=writer,
            history=SqliteHistory(tmp_path / "history.sqlite", never),
            kind="sqlite",
            world=WORLD,
            batch=1,
            fresh=dict,
            changed=lambda _: None,
        )
        books.overhear(heard.append)
        await writer.append(noted(1), reserve=True)
    told = [event for event in heard if isinstance(event, Noted)]
    assert [(note.kind, note.severity) for note in told] == [("journal.full", "error")]
    assert "the journal refuses entries: only its reserve is left" in told[0].message
