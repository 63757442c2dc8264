"""A daemon's life where no venue answers: what has begun is closed again, however far it came and however it ends."""

import asyncio
from pathlib import Path

import pytest

from kangbot.app.life import App
from kangbot.control.client import ControlClient
from kangbot.errors import NeedsHuman
from kangbot.health.report import LAST_RUN
from kangbot.journal.lock import FolderLock
from kangbot.journal.writer import JournalWriter
from kangbot.logs import Masker
from kangbot.machines.lives import STOPPED
from kangbot.machines.service import Phase
from kangbot.model.events import Noted
from kangbot.modes import MODE_NOTED, noted
from kangbot.runtime.world import real_world
from kangbot.scenario.saved import SavedFile
from kangbot.settings import Mode, Settings
from kangbot.settings.daemon import Control
from kangbot.settings.trading import Market
from kangbot.settings.venues import Bybit, Venues
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl


def settings_of(folder: Path, mode: Mode = "sandbox") -> Settings:
    """Return settings of one market at an exchange that does not answer."""
    return Settings(
        mode=mode,
        state_dir=folder / "state",
        markets=(Market(symbol="BTC/USDT:USDT"),),
        control=Control(port=0),
        venues=Venues(bybit=Bybit(sandbox_url="http://127.0.0.1:1")),
    )


@pytest.fixture
def phases() -> list[Phase]:
    """What the service manager would be told of."""
    return []


@pytest.fixture
async def app(tmp_path: Path, phases: list[Phase]) -> App:
    """A daemon that has not begun; its history's tables are there, so no process makes them."""
    settings = settings_of(tmp_path)
    upgrade(SqliteUrl(path=settings.state_dir / "history.sqlite"))
    file = SavedFile(settings)
    return App(file, file.read(), real_world(), phases.append, Masker())


def set_already() -> asyncio.Event:
    """Return an event that has happened."""
    event = asyncio.Event()
    event.set()
    return event


def let_go(folder: Path) -> bool:
    """Whether nothing of a daemon is left in its folder but what it remembers."""
    FolderLock(folder / "state").release()
    return not (folder / "state" / "control.sock").exists()


async def told(folder: Path) -> list[str]:
    """Return what the journal was told by note, in order."""
    async with await JournalWriter.open(folder / "state", real_world()) as journal:
        events = [record.event for record in await journal.read(0, 1000)]
    return [event.kind for event in events if isinstance(event, Noted)]


async def test_a_beginning_that_is_refused_closes_what_had_begun(app: App, tmp_path: Path) -> None:
    """The journal is another mode's: the folder is not held, and the next start is refused for the same reason."""
    async with await JournalWriter.open(tmp_path / "state", real_world()) as journal:
        await journal.append(noted(settings_of(tmp_path, "paper"), 1))
    assert app.begins() == "recovering"
    with pytest.raises(NeedsHuman, match="was begun in mode paper at bybit"):
        await app.__aenter__()
    assert app.begins() == "reading its journal, 1 of 1 records"
    assert let_go(tmp_path)
    assert await told(tmp_path) == [MODE_NOTED]


async def test_it_waits_for_its_venue_answers_meanwhile_and_ends_in_order(
    app: App, tmp_path: Path, phases: list[Phase]
) -> None:
    """Whatever it is waiting for: the journal's last word is of the end, and the report of the run is kept."""
    stop = asyncio.Event()
    async with app:
        running = asyncio.create_task(app.run(stop=stop, hurry=set_already()))
        report = await asyncio.get_running_loop().run_in_executor(
            None, ControlClient(tmp_path / "state" / "control.sock").report
        )
        assert (report.mode, report.total, report.live) == ("sandbox", 1, 0)
        async with asyncio.timeout(120):
            while "bybit was not reached" not in app.answers.unready():
                await asyncio.sleep(0.01)
        assert phases == []
        stop.set()
        await asyncio.wait_for(running, 120)
        assert phases == [Phase.STOPPING]
        assert app.summary is not None
        assert app.left is None
    assert (tmp_path / "state" / LAST_RUN).is_file()
    assert let_go(tmp_path)
    words = await told(tmp_path)
    assert (words[0], words[-1]) == (MODE_NOTED, STOPPED)


async def test_a_part_that_breaks_ends_it_and_there_is_nothing_to_sum_up(app: App, tmp_path: Path) -> None:
    """Going on without it would be silence; the next start settles what this one left."""
    async with app:
        app._crashed("roster", ValueError("torn"))
        with pytest.raises(ValueError, match="torn") as raised:
            await asyncio.wait_for(app.run(stop=asyncio.Event(), hurry=asyncio.Event()), 120)
        assert app.summary is None
    assert raised.value.__notes__ == ["in the task roster"]
    assert let_go(tmp_path)
    assert STOPPED not in await told(tmp_path)


async def test_a_journal_that_its_own_readers_find_damaged_is_not_traded_by(app: App) -> None:
    """Drain and compactor read what is on disk again; that a history is away is no reason to end."""

    async def damaged() -> None:
        raise NeedsHuman("record 7 cannot be understood", remedy="restore a backup")

    async with app:
        await app._unless_torn(damaged)
        with pytest.raises(NeedsHuman, match="record 7"):
            await asyncio.wait_for(app.run(stop=asyncio.Event(), hurry=asyncio.Event()), 120)


async def test_another_daemon_on_the_same_account_stops_every_entry(app: App, tmp_path: Path) -> None:
    """By the kill switch, which stays set over a restart: between them the two would trade for ever."""
    async with app:
        app._doubled("another kangbot trades this account")
        async with asyncio.timeout(120):
            while not (tmp_path / "state" / "KILL").exists():
                await asyncio.sleep(0.01)
        assert app.answers.report().killed == "another kangbot trades this account"
        await asyncio.wait_for(app.run(stop=set_already(), hurry=set_already()), 120)
