"""The look at the machine: folder, journal, disk, memory, clock."""

import asyncio
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

import kangbot
from kangbot.cli import exit_codes
from kangbot.cli.doctor.database import database
from kangbot.cli.doctor.finding import Look, Mark
from kangbot.cli.doctor.machine import machine
from kangbot.health.memory import limit
from kangbot.journal.replay import checkpoint_of
from kangbot.journal.writer import JournalWriter
from kangbot.machines.memory import Memory
from kangbot.modes.past import Past
from kangbot.modes.past import noted as noted_mode
from kangbot.runtime.world import Clock, World
from kangbot.settings import load
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl
from tests.support.full_disk import mounted
from tests.support.looks import CONFIG, checked
from tests.support.nobody import as_nobody, open_folder
from tests.support.records import noted
from tests.support.sandbox_process import Running

pytestmark = pytest.mark.process


def test_a_state_folder_in_the_way_of_a_file_is_wrong(config: Path, exchange: Running) -> None:
    """Trying again changes nothing."""
    (config.parent / "state").write_text("a file")
    code, looks = checked(config, exchange.rest_url)
    assert (code, looks["folder"]["mark"]) == (exit_codes.CONFIG, "wrong")


def test_a_file_of_another_user_is_wrong(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one start with sudo: the folder can be written, and the daemon would not start all the same."""
    config.write_text(CONFIG.replace("testnet", "sandbox"))
    settings = load(config, {})
    settings.state_dir.mkdir()
    (settings.state_dir / "journal.sqlite-wal").touch()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "journal.sqlite-wal")
    (look,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "folder")
    assert look.mark is Mark.WRONG
    assert "journal.sqlite-wal" in look.says
    assert str(settings.state_dir) in look.remedy


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_journal_of_another_mode_is_wrong(config: Path, compacted: bool) -> None:
    """A start would be refused: whoever goes on from the sandbox to paper in the same folder is told before."""
    config.write_text(CONFIG.replace("testnet", "sandbox"))
    settings = load(config, {})
    begun = noted_mode(settings, 1)
    past = Past(settings.venue)
    past.observe(begun)
    async with await JournalWriter.open(settings.state_dir, World(clock=Clock(), seed=b"doctor")) as journal:
        await journal.append(begun, *(noted(number) for number in range(2, 3000)))
        if compacted:
            journal.mark_drained(2999)
            await journal.compact(checkpoint_of(Memory(last_sequence=2999), {"past": past}))
    (same,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "journal")
    assert same.mark is Mark.OK
    settings = load(config, {"KANGBOT_MODE": "paper"})
    (look,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "journal")
    assert (look.mark, look.remedy) == (Mark.WRONG, "give each mode and each venue a state_dir of its own")
    assert "was begun in mode sandbox at bybit, and the mode is paper at bybit" in look.says


@pytest.mark.parametrize(
    ("file", "statement", "name", "said"),
    [
        ("journal.sqlite", "PRAGMA user_version = 99", "journal", "has format 99; this kangbot knows formats up to"),
        (
            "history.sqlite",
            "UPDATE alembic_version SET version_num = '9999'",
            "database",
            "has a schema of revision 9999",
        ),
    ],
)
async def test_what_a_later_kangbot_wrote_is_wrong(
    config: Path, file: str, statement: str, name: str, said: str
) -> None:
    """A start would be refused, or its history: whoever goes back a version is told before."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    settings = load(config, {})
    async with await JournalWriter.open(settings.state_dir, World(clock=Clock(), seed=b"doctor")) as journal:
        await journal.append(noted(1))
    await asyncio.to_thread(upgrade, SqliteUrl(path=settings.state_dir / "history.sqlite"))

    async def looked() -> Look:
        looks = {look.name: look for look in machine(settings, now_ns=time.time_ns())}
        return {**looks, "database": await database(settings)}[name]

    assert (await looked()).mark is Mark.OK
    with closing(sqlite3.connect(settings.state_dir / file, isolation_level=None)) as db:
        db.execute(statement)
    look = await looked()
    assert look.mark is Mark.WRONG
    assert said in look.says
    assert look.remedy.startswith("start the later version of kangbot that")


def test_a_folder_that_may_not_be_entered_is_told_in_words(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As whoever asks without being the daemon's user; whatever else can be looked at is looked at."""
    locked = config.parent / "locked"
    locked.mkdir()
    config.write_text(CONFIG.replace('"testnet"', '"paper"').replace('"state"', '"locked/state"'))
    settings = load(config, {})
    locked.chmod(0)
    with open_folder() as root:
        installed = root / "__init__.py"
        installed.touch()
        monkeypatch.setattr(kangbot, "__file__", str(installed))
        with as_nobody():
            looks = {look.name: look for look in machine(settings, now_ns=time.time_ns())}
            looks["database"] = asyncio.run(database(settings))
    locked.chmod(0o700)
    assert looks["folder"].mark is Mark.WRONG
    assert "cannot be made" in looks["folder"].says
    assert looks["database"].mark is Mark.WARNING
    assert "Permission denied" in looks["database"].says
    assert looks["disk"].figure


def test_a_machine_without_proc_is_told_of_beside_all_else(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chroot in which nobody has mounted it: a daemon would not start there, and the other looks are looked at."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    looks = {look.name: look for look in machine(load(config, {}), now_ns=time.time_ns())}
    assert list(looks) == ["folder", "disk", "memory", "clock"]
    assert looks["memory"].mark is Mark.WRONG
    assert "cannot be seen in /proc" in looks["memory"].says
    assert "mount /proc" in looks["memory"].remedy


def test_a_proc_with_processes_alone_shows_the_limit(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `ProcSubset=pid` of a unit leaves it: what the machine could still give is not to be seen, the daemon runs."""

    def gone() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/proc/meminfo")

    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    monkeypatch.setattr(psutil, "virtual_memory", gone)
    looks = {look.name: look for look in machine(load(config, {}), now_ns=time.time_ns())}
    assert looks["memory"].mark in {Mark.OK, Mark.WARNING}
    assert (looks["memory"].figure or 0) > 0


@pytest.mark.parametrize(
    ("warning_mb", "critical_mb", "mark"),
    [(0, 0, Mark.OK), (1_000_000_000, 0, Mark.WARNING), (1_000_000_000, 1_000_000_000, Mark.WRONG)],
)
def test_the_room_that_is_left_is_judged_by_the_bounds_of_health(
    config: Path, warning_mb: int, critical_mb: int, mark: Mark
) -> None:
    """What is free, not what the disk is large for; where the folder will be, while there is none."""
    bounds = f"[health]\ndisk_warning_mb = {warning_mb}\ndisk_critical_mb = {critical_mb}\n"
    config.write_text(CONFIG.replace('"testnet"', '"paper"') + bounds)
    (look,) = (look for look in machine(load(config, {}), now_ns=time.time_ns()) if look.name == "disk")
    assert (look.mark, look.remedy != "") == (mark, mark is not Mark.OK)
    assert look.figure == pytest.approx(shutil.disk_usage(config.parent).free / 2**20, abs=512)


@pytest.mark.parametrize(("left", "mark"), [(101, Mark.WARNING), (99, Mark.WRONG)])
def test_a_disk_that_takes_hardly_a_file_more_is_told(config: Path, left: int, mark: Mark) -> None:
    """A start would fail where SQLite cannot make what it needs beside the journal; room in megabytes is no help."""
    bounds = "[health]\ndisk_warning_mb = 2\ndisk_critical_mb = 1\n"
    with mounted(config.parent / "state", megabytes=8, files=left + 1) as small:  # the folder is one of them
        config.write_text(CONFIG.replace('"testnet"', '"paper"') + bounds)
        (look,) = (look for look in machine(load(config, {}), now_ns=time.time_ns()) if look.name == "disk")
    assert (look.mark, look.figure, look.unit) == (mark, left, "files")
    assert f"{left} more files can be made on the disk of {small}" in look.says
    assert "df -i" in look.remedy


def test_memory_is_what_the_machine_could_still_give_within_the_limit(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is less; where that is too little for a daemon, a person is told how much it needs."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    real, settings = psutil.virtual_memory(), load(config, {})
    for available_mb, mark in ((100, Mark.WARNING), (2**30, Mark.OK)):
        monkeypatch.setattr(psutil, "virtual_memory", lambda mb=available_mb: real._replace(available=mb * 2**20))
        (look,) = (look for look in machine(settings, now_ns=time.time_ns()) if look.name == "memory")
        assert (look.mark, look.remedy != "") == (mark, mark is Mark.WARNING)
        assert look.figure == min(available_mb, limit().mb)


def test_a_clock_that_cannot_be_right_is_wrong(config: Path) -> None:
    """A machine that begins at the epoch: a start would be refused."""
    config.write_text(CONFIG.replace('"testnet"', '"paper"'))
    for now_ns, mark in ((1, Mark.WRONG), (time.time_ns(), Mark.OK)):
        (look,) = (look for look in machine(load(config, {}), now_ns=now_ns) if look.name == "clock")
        assert (look.mark, look.remedy != "") == (mark, mark is Mark.WRONG)
