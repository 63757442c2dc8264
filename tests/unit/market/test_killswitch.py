"""The kill switch, on a real journal and real files."""

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.errors import NeedsHuman
from kangbot.journal.replay import replay
from kangbot.journal.ticket import Ticket
from kangbot.journal.writer import JournalWriter
from kangbot.machines.killswitch import FILE
from kangbot.market import killswitch
from kangbot.market.killswitch import KillSwitch, Standing, not_flat
from kangbot.model.events import Event, KillSwitchReleased, KillSwitchSet, Noted, Record, Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Checkpoint, Journal
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.world import Clock, World
from tests.support.nobody import as_nobody, open_folder
from tests.support.trade_words import MARKET, START, dec

BOTH = ("journal", "file")


class Refusing:
    """A journal on a disk that takes nothing, or that never answers."""

    tag = "testtest"
    last = 0

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs
        self.taking = False
        self.events: list[Event] = []
        self.heard: Callable[[Event], object] = lambda _event: None  # whoever overhears it, whatever the disk takes

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        ticket = Ticket()
        for event in events:
            self.heard(event)
        if self.taking:
            self.events.extend(events)
            ticket.settle(1)
        elif not self.hangs:
            ticket.settle(0, NeedsHuman("the disk is full", remedy="make room"))
        return ticket

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return ()

    async def checkpoint(self) -> Checkpoint | None:
        return None

    async def beyond(self, sequence: int) -> int:
        return self.last


class Life:
    """One life of the daemon as far as the switch is concerned."""

    def __init__(self, folder: Path, journal: Journal, risk: AccountRisk) -> None:
        self.file = folder / FILE
        self.journal = journal
        self.risk = risk
        self.looks: list[str] = []
        self.switch = KillSwitch(
            clock=Clock(),
            journal=journal,
            risk=risk,
            folder=folder,
            changed=lambda: self.looks.append(risk.killed),
        )


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalWriter]:
    """A real journal in a folder of its own."""
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"kill")) as writer:
        yield writer


async def begin(folder: Path, journal: Journal) -> Life:
    """Replay the journal, and begin as the daemon does: with a look."""
    risk = AccountRisk(Limits())
    await replay(journal, {"risk": risk})
    life = Life(folder, journal, risk)
    await life.switch.look()
    return life


async def events(journal: Journal) -> list[Event]:
    """Return what is on disk."""
    return [record.event for record in await journal.read(0, 100)]


async def test_it_is_set_before_anything_is_awaited(tmp_path: Path, journal: JournalWriter) -> None:
    """The first step of the call admits no entry any more and has the markets look; the answer comes from the disk."""
    life = await begin(tmp_path, journal)
    asked = asyncio.ensure_future(life.switch.kill("news", "test", flatten=True))
    await asyncio.sleep(0)
    assert (life.risk.killed, life.risk.flatten, life.looks) == ("news", True, ["news"])
    assert await asked == Standing(killed="news", flatten=True, kept=BOTH)
    (event,) = await events(journal)
    assert isinstance(event, KillSwitchSet)
    assert (event.reason, event.flatten, event.caller) == ("news", True, "test")
    assert life.file.read_text() == "news\nflatten\n"


async def test_it_is_sticky_over_restarts_until_released(tmp_path: Path, journal: JournalWriter) -> None:
    """Also where the file was removed while no daemon ran: it is put back."""
    await (await begin(tmp_path, journal)).switch.kill("news", "test")
    (tmp_path / FILE).unlink()
    second = await begin(tmp_path, journal)
    assert second.risk.killed == "news"
    assert second.file.read_text() == "news\n"
    assert await second.switch.release("anna") == Standing(killed="", flatten=False, kept=())
    assert second.looks == [""]
    assert not second.file.exists()
    third = await begin(tmp_path, journal)
    assert (third.risk.killed, third.file.exists()) == ("", False)
    assert [type(event) for event in await events(journal)] == [KillSwitchSet, KillSwitchReleased]


async def test_whoever_sets_it_during_a_release_has_it_set(tmp_path: Path, journal: JournalWriter) -> None:
    """A release is of what stood when it was asked for: no market sees it released, and a restart finds it set."""
    life = await begin(tmp_path, journal)
    await life.switch.kill("news", "test", flatten=True)
    releasing = asyncio.ensure_future(life.switch.release("test"))
    await asyncio.sleep(0)  # it waits for the disk
    assert not releasing.done()
    again, released = await asyncio.gather(life.switch.kill("worse news", "another"), releasing)
    assert again == Standing(killed="worse news", flatten=False, kept=BOTH)
    assert (released.killed, "" in life.looks) == ("worse news", False)
    kinds = [(type(event), getattr(event, "reason", "")) for event in await events(journal)]
    assert kinds == [(KillSwitchSet, "news"), (KillSwitchReleased, ""), (KillSwitchSet, "worse news")]
    later = await begin(tmp_path, journal)
    assert (later.risk.killed, later.risk.flatten) == ("worse news", False)
    assert await life.switch.release("test") == Standing(killed="", flatten=False, kept=())  # a wish counts once


async def test_whoever_sets_it_during_two_releases_has_it_set(tmp_path: Path, journal: JournalWriter) -> None:
    """The second was asked for before as well, and comes to its turn after the first has set it anew."""
    life = await begin(tmp_path, journal)
    await life.switch.kill("news", "test")
    releasing = [asyncio.ensure_future(life.switch.release(caller)) for caller in ("anna", "ben")]
    await asyncio.sleep(0)
    await asyncio.gather(life.switch.kill("worse news", "another"), *releasing)
    assert life.risk.killed == "worse news"
    assert (await begin(tmp_path, journal)).risk.killed == "worse news"


async def test_the_same_wish_after_a_release_is_journalled_anew(tmp_path: Path, journal: JournalWriter) -> None:
    """The file alone would keep it, and a folder can be cleaned up."""
    life = await begin(tmp_path, journal)
    await life.switch.kill("news", "test")
    await life.switch.release("test")
    assert (await life.switch.kill("news", "test")).kept == BOTH
    assert [type(event) for event in await events(journal)] == [KillSwitchSet, KillSwitchReleased, KillSwitchSet]


async def test_setting_it_again_changes_nothing(tmp_path: Path, journal: JournalWriter) -> None:
    """But a wish to flatten is added; and releasing what is not set writes nothing."""
    life = await begin(tmp_path, journal)
    assert (await life.switch.release("test")).killed == ""
    for _ in range(2):
        await life.switch.kill("news", "test")
    assert len(await events(journal)) == 1
    assert await life.switch.kill("worse news", "test", flatten=True) == Standing(
        killed="news", flatten=True, kept=BOTH
    )
    assert len(await events(journal)) == 2
    assert life.file.read_text() == "news\nflatten\n"


IN_WHATEVER_LOCALE = """
import asyncio, pathlib, sys
sys.path.insert(0, sys.argv[2])
from kangbot.journal.writer import JournalWriter
from kangbot.runtime.world import Clock, World
from tests.unit.market.test_killswitch import begin


async def main(folder: pathlib.Path) -> None:
    async with await JournalWriter.open(folder, World(clock=Clock(), seed=b"kill")) as journal:
        life = await begin(folder, journal)
        assert (await life.switch.kill(REASON, "test")).kept == ("journal", "file")
        assert (await begin(folder, journal)).risk.killed == REASON


REASON = "harga jatuh \\u2014 tutup"
asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


def test_a_reason_of_any_letters_is_kept_in_any_locale(tmp_path: Path) -> None:
    """Also where the daemon's locale has none but those of ASCII: the file is the same everywhere."""
    here = str(Path(__file__).parents[3])
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    subprocess.run([sys.executable, "-c", IN_WHATEVER_LOCALE, str(tmp_path), here], env=plain, check=True)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == "harga jatuh \u2014 tutup\n"


async def test_a_file_does_the_same(tmp_path: Path, journal: JournalWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by hand it sets the switch, in the journal too; removed by hand it releases it."""
    monkeypatch.setattr(killswitch, "_BEAT_S", 0.01)
    life = await begin(tmp_path, journal)
    beat = asyncio.ensure_future(life.switch.run())
    life.file.write_text("by hand\nflatten\n")
    while not life.risk.killed:
        await asyncio.sleep(0.01)
    looks = life.switch.looks
    while life.switch.looks == looks:  # a file that goes while it is being kept is put back
        await asyncio.sleep(0.01)
    assert (life.risk.killed, life.risk.flatten) == ("by hand", True)
    life.file.unlink()
    while life.risk.killed:
        await asyncio.sleep(0.01)
    beat.cancel()
    assert [type(event) for event in await events(journal)] == [KillSwitchSet, KillSwitchReleased]
    assert not life.file.exists()


async def test_a_file_that_was_there_before_the_daemon_holds_its_start(tmp_path: Path, journal: JournalWriter) -> None:
    """As `kangbot kill` leaves it where no daemon answers."""
    (tmp_path / FILE).touch()
    life = await begin(tmp_path, journal)
    assert life.risk.killed == "no reason given"
    assert len(await events(journal)) == 1


async def test_a_file_that_cannot_be_read_sets_it_all_the_same(tmp_path: Path, journal: JournalWriter) -> None:
    """A folder of that name, say; what was to take its place is not left beside it."""
    (tmp_path / FILE).mkdir()
    life = await begin(tmp_path, journal)
    assert "cannot be read" in life.risk.killed
    await life.switch.kill("news", "test", flatten=True)
    assert not list(tmp_path.glob(f".{FILE}*"))
    with pytest.raises(NeedsHuman, match="stays set"):
        await life.switch.release("test")
    assert life.risk.killed


@pytest.mark.parametrize("hangs", [False, True])
async def test_one_place_on_disk_is_enough(tmp_path: Path, hangs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that takes nothing, or hangs: the file keeps the switch over a restart, and it can be released."""
    monkeypatch.setattr("kangbot.market.promises._DISK_S", 0.05)
    journal = Refusing(hangs=hangs)
    life = await begin(tmp_path, journal)
    assert (await life.switch.kill("full", "test")).kept == ("file",)
    again = await begin(tmp_path, journal)
    assert again.risk.killed == "full"
    assert (await again.switch.release("test")).killed == ""


async def test_the_file_is_had_on_the_disk_where_the_journal_does_not_keep_the_switch(tmp_path: Path) -> None:
    """What is only written is gone with the power: it is kept nowhere, until it is on the disk."""
    journal, said, told = Refusing(), ["Input/output error", "", ""], list[str]()
    risk = AccountRisk(Limits())

    async def synced(file: Path) -> str:
        told.append(file.read_text())
        return said.pop(0)

    switch = KillSwitch(clock=Clock(), journal=journal, risk=risk, folder=tmp_path, changed=lambda: None, synced=synced)
    with capture_logs() as logs, pytest.raises(NeedsHuman, match="no disk took it"):
        await switch.kill("news", "test")
    assert "kill_switch.not_synced" in [entry["event"] for entry in logs]
    assert risk.killed == "news"
    assert (await switch.kill("news", "test")).kept == ("file",)
    assert (await switch.kill("", "test", flatten=True)).kept == ("file",)
    assert told == ["news\n", "news\n", "news\nflatten\n"]
    journal.taking = True
    assert (await switch.kill("", "test")).kept == BOTH
    assert len(told) == 3, "the journal has it"


async def test_a_release_that_the_journal_does_not_take_is_none(tmp_path: Path) -> None:
    """The switch stays set, the caller hears it, and the file comes back."""
    journal = Refusing()
    journal.taking = True
    life = await begin(tmp_path, journal)
    assert (await life.switch.kill("news", "test")).kept == BOTH
    journal.taking = False
    with pytest.raises(NeedsHuman, match="did not take it"):
        await life.switch.release("test")
    assert life.risk.killed == "news"
    await life.switch.look()
    assert life.file.exists()
    life.file.unlink()
    told: list[Event] = []
    journal.heard = told.append
    for _ in range(2):
        await life.switch.look()
    assert life.risk.killed == "news"
    assert [event.kind for event in told if isinstance(event, Noted)] == ["kill_switch.not_released"]
    await life.switch.look()
    assert life.file.exists()
    journal.taking = True
    assert (await life.switch.release("test")).killed == ""


async def test_a_switch_that_no_disk_keeps_is_set_and_said(tmp_path: Path) -> None:
    """The folder is gone: no entry leaves, and the caller knows that a restart would forget it."""
    journal = Refusing()
    life = await begin(tmp_path / "gone", journal)
    told: list[Event] = []
    journal.heard = told.append
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(NeedsHuman, match="a restart would forget it"):
                await life.switch.kill("news", "test")
        await life.switch.look()
    assert life.risk.killed == "news"
    notes = [event for event in told if isinstance(event, Noted)]
    assert [(note.kind, note.severity) for note in notes] == [("kill_switch.not_journalled", Severity.ERROR)]
    assert "the journal did not take it: the disk is full; look after the disk" in notes[0].message
    said = [entry["event"] for entry in logs]
    assert said.count("kill_switch.not_journalled") == 1  # it is tried again every second
    assert said.count("kill_switch.no_file") == 1
    (tmp_path / "gone").mkdir()
    await life.switch.look()
    assert life.file.read_text() == "news\n"
    assert (await life.switch.kill("news", "test")).kept == ("file",)
    journal.taking = True
    assert (await life.switch.kill("news", "test")).kept == BOTH
    assert [event.kind for event in told if isinstance(event, Noted)][1:] == ["kill_switch.journalled"]


@pytest.mark.parametrize("flatten", [False, True])
async def test_who_wants_all_closed_by_a_dead_disk_is_told_where_to_close_it(tmp_path: Path, *, flatten: bool) -> None:
    """Nobody must wait for an exit that cannot be written."""
    life = await begin(tmp_path / "gone", Refusing())
    with pytest.raises(NeedsHuman) as caught:
        await life.switch.kill("news", "test", flatten=flatten)
    assert caught.value.remedy.endswith("close positions at the exchange") is flatten


async def test_want_of_handles_is_no_kill_switch(
    tmp_path: Path, journal: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stay set for ever."""
    life = await begin(tmp_path, journal)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", refusal(errno.EMFILE))
        await life.switch.look()
        assert not life.risk.killed
        life.file.touch()
        await life.switch.look()
    assert "Too many open files" in life.risk.killed


async def test_a_folder_that_may_not_be_looked_into_holds_entries(journal: JournalWriter) -> None:
    """Whether somebody has put the file there nobody can tell; in doubt nobody enters."""
    with open_folder() as folder:
        state = folder / "state"
        state.mkdir()
        life = await begin(state, journal)
        assert not life.risk.killed
        state.chmod(0)
        with as_nobody():
            await life.switch.look()
        state.chmod(0o700)
    assert "Permission denied" in life.risk.killed


def refusal(number: int) -> Callable[..., object]:
    """Return what the system refuses in that way."""

    def refuse(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    return refuse


def test_the_words_on_what_is_open_name_market_side_and_quantity() -> None:
    """And what to do, before the list: a message to a phone is cut."""
    note = not_flat({MARKET: dec("0.5"), MarketId("bybit:ETH-USDT:USDT"): dec(-2)}, START)
    assert note.message.startswith("what it was to close is open; start the daemon")
    assert note.message.endswith(f": {MARKET} long 0.5, bybit:ETH-USDT:USDT short 2")
