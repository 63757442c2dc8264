"""`db upgrade`, `db restore` and `journal rebuild`, killed at their steps, or their server: typed again they end.

No row is lost, none is there twice, and what is there meanwhile is either gone on with or refused in words.
"""

import asyncio
import itertools
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from kangbot.cli import database as command
from kangbot.cli.journal import rebuild
from kangbot.errors import NeedsHuman, Retryable
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.runtime.world import real_world
from kangbot.storage.dump import dump
from kangbot.storage.keep import copies
from kangbot.storage.migrate import check, upgrade
from kangbot.storage.tables import NAMES, REVISION
from tests.support.backups import configured, kept
from tests.support.databases import Database, Mariadb, Sqlite
from tests.support.killed_at import killed, struck
from tests.support.mariadb import MariadbServer

pytestmark = pytest.mark.process
OLD = "0001"
TAG = "abcdefgh"
_STRIDE = 83  # prime, so that with the number of steps in a loop it meets each kind of them
_SERVER_STRIDE = 179  # each costs a start of the server


def made(like: Database, folder: Path) -> Database:
    """Return a database of the same kind without a table."""
    return Mariadb(like.server) if isinstance(like, Mariadb) else Sqlite(folder)


def old(like: Database, folder: Path) -> Database:
    """Return one of an older schema with rows."""
    folder.mkdir()
    one = made(like, folder)
    upgrade(one.url, to=OLD)
    one.sql(f"INSERT INTO journals VALUES ('{TAG}', 41)")
    for sequence in range(1, 42):
        one.sql(
            "INSERT INTO events (journal, sequence, at, at_ns, kind, body)"
            f" VALUES ('{TAG}', {sequence}, '2026-01-02 03:04:05', 1, 'noted', '{{}}')"
        )
    return one


def shape(database: Database) -> list[tuple[object, ...]]:
    """Return every column and every index there is."""
    if isinstance(database, Sqlite):
        return sorted(database.sql("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"))
    indexes = "SELECT index_name, column_name, seq_in_index FROM information_schema.statistics WHERE table_schema"
    asked = [(f"SHOW COLUMNS FROM {name}", f"{indexes} = database() AND table_name = '{name}'") for name in NAMES]
    return sorted((ask, *map(str, row)) for both in asked for ask in both for row in database.sql(ask))


@pytest.fixture
def whole(bare: Database, tmp_path: Path) -> list[tuple[object, ...]]:
    """The shape that an undisturbed upgrade gives."""
    one = made(bare, tmp_path / "whole")
    upgrade(one.url)
    return shape(one)


@pytest.mark.parametrize("begin", [OLD, ""], ids=["old", "empty"])
def test_an_upgrade_goes_on_after_its_kill(
    bare: Database, tmp_path: Path, whole: list[tuple[object, ...]], begin: str
) -> None:
    """From nothing, and from an old schema, of which there is one whole copy afterwards."""
    for step in itertools.count(2, _STRIDE):
        folder = tmp_path / f"at-{step}"
        place = old(bare, folder) if begin else made(bare, folder)
        config = configured(folder, place)
        ended = not killed(partial(command.upgrade, config), at=step)
        assert not killed(partial(command.upgrade, config), at=0), step
        assert check(place.url).current == REVISION
        assert shape(place) == whole, step
        if begin:
            assert place.count("events") == place.sql("SELECT `stored` FROM journals")[0][0] == 41
            kept_as = copies(folder / "state") or list(folder.rglob(f"*.revision-{OLD}"))
            assert len(kept_as) == 1, step
            assert not list(folder.rglob("*.part")), step
        if ended:
            break
    assert step > 2


@pytest.fixture
async def copy(server: MariadbServer, template: str, tmp_path: Path) -> Path:
    """A copy of a server's history with ten events."""
    one = Mariadb(server, template)
    await kept(tmp_path / "one", one)
    await dump(one.url, tmp_path / "copy.jsonl.gz")
    await one.aclose()
    return tmp_path / "copy.jsonl.gz"


@pytest.mark.mariadb
def test_a_copy_goes_back_after_the_kill_of_its_restore(server: MariadbServer, copy: Path, tmp_path: Path) -> None:
    """All its rows or none: the same command again, or the word that nothing is left to do."""
    for step in itertools.count(2, _STRIDE):
        place = Mariadb(server)
        config = configured(tmp_path / f"at-{step}", place)
        ended = not killed(partial(command.restore, config, copy), at=step)
        restored(config, copy, place)
        if ended:
            break
    assert step > 2


def restored(config: Path, copy: Path, place: Mariadb) -> None:
    """Restore again."""
    if check(place.url).current == REVISION and place.count("events"):
        with pytest.raises(NeedsHuman, match="has a history already, and it is the copy's"):
            command.restore(config, copy)
    else:
        assert command.restore(config, copy) == 0
    assert place.count("events") == 10
    assert place.count("journals") == 1


async def test_a_rebuild_goes_on_after_its_kill(database: Database, tmp_path: Path) -> None:
    """The journal is in its place whole, or the same command makes it."""
    await kept(tmp_path / "one", database)
    for step in itertools.count(2, _STRIDE):
        folder = tmp_path / f"at-{step}"
        config = configured(folder, database)
        ended = not killed(partial(rebuild, config, None), at=step)
        if (folder / "state" / FILE).exists():
            with pytest.raises(NeedsHuman, match="exists, and is not overwritten"):
                await asyncio.to_thread(rebuild, config, None)
        else:
            assert not killed(partial(rebuild, config, None), at=0)
        async with await JournalWriter.open(folder / "state", real_world()) as journal:
            assert journal.last >= 10
            assert await database.history().stored(journal.tag) == 10
        if ended:
            break
    assert step > 2


@pytest.mark.mariadb
def test_an_upgrade_goes_on_after_the_kill_of_its_server(server: MariadbServer, tmp_path: Path) -> None:
    """Each statement that changes a table is committed by itself, and each revision may begin anew."""
    like = Mariadb(server)
    upgrade(like.url)
    for step in itertools.count(2, _SERVER_STRIDE):
        place = old(like, tmp_path / f"at-{step}")
        config = configured(tmp_path / f"at-{step}", place)
        there, error = struck(partial(command.upgrade, config), lambda: os.kill(server.pid, signal.SIGKILL), at=step)
        assert error is None or isinstance(error, Retryable), repr(error)
        if there:
            server.kill()
            server.start()
        assert command.upgrade(config) == 0
        assert shape(place) == shape(like), step
        assert place.count("events") == place.sql("SELECT `stored` FROM journals")[0][0] == 41
        if not there:
            break
    assert step > 2


@pytest.mark.mariadb
def test_a_copy_goes_back_after_the_kill_of_its_server(server: MariadbServer, copy: Path, tmp_path: Path) -> None:
    """All its rows or none."""
    for step in itertools.count(2, _SERVER_STRIDE):
        place = Mariadb(server)
        config = configured(tmp_path / f"at-{step}", place)
        there, error = struck(
            partial(command.restore, config, copy), lambda: os.kill(server.pid, signal.SIGKILL), at=step
        )
        assert error is None or isinstance(error, Retryable), repr(error)
        if there:
            server.kill()
            server.start()
        restored(config, copy, place)
        if not there:
            break
    assert step > 2
