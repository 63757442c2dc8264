"""The log's blocks, written out before they are needed."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.journal.log_file import write_out

SIZE = 1_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with a log of a few frames."""
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        yield db


def test_frames_stand_before_what_is_written_out_and_go_on_there(tmp_path: Path, database: sqlite3.Connection) -> None:
    """What was committed stays, what follows is committed into the blocks that are there, and a crash finds both."""
    log = tmp_path / "db-wal"
    database.execute("INSERT INTO t VALUES (1)")
    write_out(log, SIZE)
    assert log.stat().st_size == SIZE
    for number in range(2, 60):
        database.execute("INSERT INTO t VALUES (?)", (number,))
    assert log.stat().st_size == SIZE
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("db", "db-wal"):
        (crashed / name).write_bytes((tmp_path / name).read_bytes())
    with closing(sqlite3.connect(crashed / "db")) as found:
        assert found.execute("SELECT count(*), max(n) FROM t").fetchone() == (59, 59)
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_log_that_is_long_enough_is_left_alone(tmp_path: Path) -> None:
    """A second start after a crash finds it written out already."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 10)
    write_out(log, 10)
    assert log.read_bytes() == b"x" * 10
    write_out(log, 70_000)
    assert log.read_bytes() == b"x" * 10 + bytes(69_990)


def test_no_log_is_made(tmp_path: Path) -> None:
    """It is SQLite's to make."""
    write_out(tmp_path / "log", SIZE)
    assert not (tmp_path / "log").exists()


def test_room_is_left_to_others(tmp_path: Path) -> None:
    """More than an eighth of what is free is not taken."""
    log = tmp_path / "log"
    log.touch()
    write_out(log, 1 << 60)
    assert log.stat().st_size == 0


def test_a_disk_that_does_not_take_it_gets_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it would be room that exits need."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = tmp_path / "log"
    log.write_bytes(b"frames")
    monkeypatch.setattr(os, "fsync", full)
    write_out(log, SIZE)
    assert log.read_bytes() == b"frames"
