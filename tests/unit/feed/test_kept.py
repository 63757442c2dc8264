"""What a host counts against us, on a real disk: whole or not there, never waited for, told once where it fails."""

import asyncio
import threading
from pathlib import Path

import pytest

from kangbot.feed import kept
from kangbot.feed.kept import Counted, Kept

from .conftest import Log, times

SOME = Counted(stamps=(1, 2, 3), until_ns=9, asked_ns=4)


async def test_what_was_written_is_read_by_the_next_life(tmp_path: Path, log: Log) -> None:
    """The last of it; and nothing else is left in the folder. That there was none yet is nothing to tell."""
    async with Kept(tmp_path / "connects.json") as one:
        assert await one.read() == Counted()
        await one.write(Counted(stamps=(1,)))
        await one.write(SOME)
    async with Kept(tmp_path / "connects.json") as next_one:
        assert await next_one.read() == SOME
    assert [path.name for path in tmp_path.iterdir()] == ["connects.json"]
    assert log == []


async def test_a_file_of_an_earlier_version_has_what_it_has(tmp_path: Path) -> None:
    """When the host asked is not in it; what a later one has besides is passed over."""
    (tmp_path / "connects.json").write_text('{"stamps":[5],"until_ns":7,"more":true}')
    async with Kept(tmp_path / "connects.json") as one:
        assert await one.read() == Counted(stamps=(5,), until_ns=7)


async def test_a_file_that_may_not_be_read_counts_nothing_and_is_told(tmp_path: Path, log: Log) -> None:
    """A folder in its place, say."""
    (tmp_path / "connects.json").mkdir()
    async with Kept(tmp_path / "connects.json") as one:
        assert await one.read() == Counted()
    assert times(log, "feed.connects_unread") == 1


async def test_a_disk_that_takes_nothing_is_told_once_each_time_it_begins_to(tmp_path: Path, log: Log) -> None:
    """The file that is there stays whole, and no half of the new one is left."""
    file, new = tmp_path / "connects.json", tmp_path / "connects.new"
    async with Kept(file) as one:
        await one.write(SOME)
        for told in (1, 2):
            new.mkdir()
            for _ in range(3):
                await one.write(Counted())
            assert times(log, "feed.connects_unwritten") == told
            assert await one.read() == SOME
            new.rmdir()
            await one.write(SOME)
        file.unlink()
        file.mkdir()
        await one.write(Counted())
        assert not new.exists(), "what could not be put in its place is gone"


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    """No market stays deaf for it; nor does an end wait for ever."""
    monkeypatch.setattr(kept, "_WRITE_S", 0.05)
    hangs = threading.Event()
    monkeypatch.setattr(Path, "write_bytes", lambda *_: hangs.wait())
    async with asyncio.timeout(120), Kept(tmp_path / "connects.json") as one:
        await one.write(SOME)
        assert [entry["error"] for entry in log if entry["event"] == "feed.connects_unwritten"] == ["the disk is slow"]
    hangs.set()
