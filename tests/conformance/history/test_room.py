"""An upgrade over many rows takes room: on the disk, and where its indexes are sorted."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.migrate import check, upgrade
from kangbot.storage.tables import REVISION
from kangbot.storage.url import SqliteUrl, parse
from tests.support import mariadb

OLD = "0004"  # the next one makes indexes
ROWS = 100_000


def filled(folder: Path) -> SqliteUrl:
    """Make an embedded history of the old schema there, with many events."""
    url = SqliteUrl(path=folder / "history.sqlite")
    upgrade(url, to=OLD)
    with contextlib.closing(sqlite3.connect(url.path)) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executemany(
            "INSERT INTO events (journal, sequence, at, at_ns, kind, market, body) VALUES (?, ?, ?, 0, ?, ?, ?)",
            (("abcdefgh", n, f"2026-01-01 {n:06}", "noted", f"bybit:M-{n % 27}-USDT:USDT", "") for n in range(ROWS)),
        )
    return url


def test_a_file_is_left_as_it_is_where_its_disk_has_no_room(disk: Callable[[int], Path]) -> None:
    """The journal is on the same disk, and would be full until the upgrade has failed. With room it is made."""
    url = filled(disk(40))
    before = url.path.read_bytes()
    with pytest.raises(NeedsHuman, match=r"cannot be brought up to date, so they are left: .* MB free") as caught:
        upgrade(url)
    assert "make room, then run kangbot db upgrade" in caught.value.remedy
    assert url.path.read_bytes() == before
    assert not list(url.path.parent.glob("*.revision-*"))
    subprocess.run(["mount", "-o", "remount,size=100m", str(url.path.parent)], check=True)
    assert upgrade(url).copy is None, "for which there is no room"
    assert check(url).current == REVISION


def test_the_indexes_of_a_file_are_sorted_on_its_own_disk(disk: Callable[[int], Path], tmp_path: Path) -> None:
    """A container's /tmp is memory, and has no room for those of years."""
    url = filled(tmp_path)
    command = [sys.executable, "-m", "kangbot.storage.migrate"]
    environment = {**os.environ, "SQLITE_TMPDIR": str(disk(1))}
    done = subprocess.run(
        command, input=f"{url.full}\n\n", text=True, env=environment, check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert check(url).current == REVISION


@pytest.mark.mariadb
def test_a_server_without_room_to_sort_an_index_calls_a_person(disk: Callable[[int], Path], tmp_path: Path) -> None:
    """Tried again, it would come to the same, after minutes. With room the same upgrade goes on."""
    with mariadb.running(tmp_path / "server") as server:
        name = server.database()
        url = parse(server.url(name))
        upgrade(url, to=OLD)
        rows = ", ".join(
            f"('abcdefgh', {row}, '2026-01-01' + INTERVAL {row} SECOND, 0, 'noted', 'market {row % 27}', '{{}}')"
            for row in range(1, ROWS + 1)
        )
        columns = "journal, sequence, at, at_ns, kind, market, body"
        server.sql(f"INSERT INTO events ({columns}) VALUES {rows}", database=name)
        server.stop()
        server.start(f"--tmpdir={disk(1)}")
        with pytest.raises(NeedsHuman, match="cannot be migrated: Temporary file write failure") as caught:
            upgrade(url)
        assert "tmpdir" in caught.value.remedy
        assert check(url).current == OLD
        server.stop()
        server.start()
        assert upgrade(url).current == OLD
        assert check(url).current == REVISION
