"""`kangbot backup` and `restore` with a history on a server: one file has both, and they agree."""

import asyncio
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.cli.backup import backup
from kangbot.cli.restore import restore
from kangbot.errors import NeedsHuman
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.runtime.world import real_world
from tests.support.backups import configured, kept
from tests.support.databases import Mariadb
from tests.support.mariadb import PASSWORD
from tests.support.records import noted

pytestmark = pytest.mark.mariadb


async def test_journal_and_history_come_back_together(mariadb: Mariadb, tmp_path: Path) -> None:
    """Into an empty folder and an empty database; where either is not empty, neither is touched."""
    config, file = configured(tmp_path / "one", mariadb), tmp_path / "backup.zip"
    await kept(tmp_path / "one", mariadb)
    assert await asyncio.to_thread(backup, config, file) == 0
    with zipfile.ZipFile(file) as archive:
        assert "history.jsonl.gz" in archive.namelist()
        assert not any(PASSWORD.encode() in archive.read(name) for name in archive.namelist())
    other = Mariadb(mariadb.server)
    config = configured(tmp_path / "two", other)
    assert await asyncio.to_thread(restore, config, file) == 0
    assert other.sql("SELECT * FROM journals") == mariadb.sql("SELECT * FROM journals")
    assert other.count("events") == 10
    with closing(sqlite3.connect(tmp_path / "two" / "state" / FILE)) as journal:
        assert journal.execute("SELECT count(*) FROM records").fetchone() == (20,)
    config = configured(tmp_path / "three", other)
    with pytest.raises(NeedsHuman, match="has a history already"):
        await asyncio.to_thread(restore, config, file)
    assert not (tmp_path / "three" / "state" / FILE).exists()
    assert other.count("events") == 10
    with pytest.raises(NeedsHuman, match="that of the configuration is an SQLite file"):
        await asyncio.to_thread(restore, configured(tmp_path / "four", None), file)
    await other.aclose()


async def test_a_server_without_tables_is_no_reason_against_a_backup(mariadb: Mariadb, tmp_path: Path) -> None:
    """The daemon has not reached it yet: the journal has everything."""
    bare = Mariadb(mariadb.server)
    config, file = configured(tmp_path / "one", bare), tmp_path / "backup.zip"
    async with await JournalWriter.open(tmp_path / "one" / "state", real_world()) as journal:
        await journal.append(noted(1))
    assert await asyncio.to_thread(backup, config, file) == 0
    assert await asyncio.to_thread(restore, configured(tmp_path / "two", bare), file) == 0
