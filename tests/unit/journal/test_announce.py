"""A journal that tells what is written."""

from pathlib import Path

from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import Event
from kangbot.runtime.world import Clock, World
from tests.support.records import noted


async def test_listeners_hear_each_event_once_in_order(tmp_path: Path) -> None:
    """From when they listen on; what is stored is the journal's below."""
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"tell")) as below:
        journal = AnnouncedJournal(below)
        heard: list[Event] = []
        journal.append(noted(1))
        journal.listen(heard.append)
        assert await journal.append(noted(2), noted(3)) == 3
        assert heard == [noted(2), noted(3)]
        assert (journal.tag, journal.last, await journal.beyond(2)) == (below.tag, 3, 3)
        assert [record.event for record in await journal.read(0, 10)] == [noted(1), noted(2), noted(3)]
        assert await journal.checkpoint() is None
