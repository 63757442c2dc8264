"""A journal that tells what is written."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

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
        await journal.append(noted(4), again=True)  # the disk did not take it when it was told
        assert heard == [noted(2), noted(3)]
        assert (journal.tag, journal.last, await journal.beyond(2)) == (below.tag, 4, 4)
        assert [record.event for record in await journal.read(0, 10)] == [noted(1), noted(2), noted(3), noted(4)]
        assert await journal.checkpoint() is None


async def test_a_bystander_that_falls_reaches_nobody_and_is_told_of_once(tmp_path: Path) -> None:
    """Whoever appends goes on, the other bystanders hear it all; another fault is told of as well."""
    faults = [ValueError("one"), ValueError("one"), KeyError("two")]

    def falls(_: Event) -> None:
        raise faults.pop(0)

    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"tell")) as below:
        journal = AnnouncedJournal(below)
        heard: list[Event] = []
        journal.overhear(falls)
        journal.overhear(heard.append)
        with capture_logs() as logs:
            assert await journal.append(noted(1), noted(2), noted(3)) == 3
        assert heard == [noted(1), noted(2), noted(3)]
        assert [(entry["event"], str(entry["exc_info"])) for entry in logs] == [
            ("journal.bystander_fault", "one"),
            ("journal.bystander_fault", "'two'"),
        ]


async def test_a_listener_that_falls_is_the_trouble_of_whoever_appends(tmp_path: Path) -> None:
    """It decides about orders: nothing may go on without it."""

    def falls(_: Event) -> None:
        raise ValueError("cannot judge")

    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"tell")) as below:
        journal = AnnouncedJournal(below)
        journal.listen(falls)
        with pytest.raises(ValueError, match="cannot judge"):
            journal.append(noted(1))
