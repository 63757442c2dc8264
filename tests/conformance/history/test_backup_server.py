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
from tests.support.databases import Mariadb
from tests.support.mariadb import PASSWORD
from tests.support.records import noted, records

pytestmark = pytest.mark.mariadb
TEXT = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def configured(folder: Path, mariadb: Mariadb | None) -> Path:
    """Return a configuration with its history in that database, or in a file."""
    folder.mkdir(exist_ok=True)
    if mariadb is None:
        (folder / "kangbot.toml").write_text(TEXT)
        return folder / "kangbot.toml"
    (folder / "url").write_text(mariadb.url.full)
    (folder / "url").chmod(0o600)
    (folder / "kangbot.toml").write_text(f'[database]\nurl_file = "url"\n{TEXT}')
    return folder / "kangbot.toml"


async def kept(folder: Path, mariadb: Mariadb) -> None:
    """Write a journal, and half of it into the history."""
    async with await JournalWriter.open(folder / "state", real_world()) as journal:
        await journal.append(*(noted(number) for number in range(20)))
        await mariadb.history().store(records([noted(number) for number in range(10)], journal=journal.tag))


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
