"""A server's history in a file, and back: to the row, of one moment, and never over what is there."""

import asyncio
import gzip
from pathlib import Path

import pytest

from kangbot.cli.restore import _onto_server
from kangbot.errors import NeedsHuman
from kangbot.storage.dump import dump, fill, revision_of
from kangbot.storage.migrate import check
from kangbot.storage.tables import NAMES, REVISION
from kangbot.storage.url import MysqlUrl, parse
from tests.support.databases import Mariadb
from tests.support.mariadb import MariadbServer
from tests.support.records import EVERY, TAG, noted, records

pytestmark = pytest.mark.mariadb


def rows(database: Mariadb) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, as the server orders them."""
    return {table: sorted(database.sql(f"SELECT * FROM {table}"), key=repr) for table in NAMES}


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [path.name for path in folder.iterdir()]


def database_for(server: MariadbServer) -> MysqlUrl:
    """Return the address of a database without a table."""
    url = parse(server.url(server.database()))
    assert isinstance(url, MysqlUrl)
    return url


async def test_every_row_comes_back_to_the_last_digit(mariadb: Mariadb, tmp_path: Path) -> None:
    """Long decimals, microseconds, quotes and absent values, over more rows than go at a time."""
    history = mariadb.history()
    await history.store(records([*EVERY, *(noted(number) for number in range(1_203))]))
    file = tmp_path / "rows.gz"
    assert await dump(mariadb.url, file) == {TAG: len(EVERY) + 1_203}
    fresh = Mariadb(mariadb.server)
    await asyncio.to_thread(_onto_server, fresh.url, file)
    before = rows(mariadb)
    assert all(before.values()), "a table without a row proves nothing"
    assert rows(fresh) == before
    assert check(fresh.url).current == REVISION
    await fresh.history().store(records([noted(7)], after=len(EVERY) + 1_203))  # and it is gone on with
    assert fresh.count("events") == mariadb.count("events") + 1
    await fresh.aclose()


async def test_a_dump_is_of_one_moment(mariadb: Mariadb, tmp_path: Path) -> None:
    """While rows are written: the mark of the journal and the rows agree."""
    history, file, done = mariadb.history(), tmp_path / "rows.gz", asyncio.Event()
    await history.store(records([noted(number) for number in range(1_200)]))

    async def write() -> int:
        written = 1_200
        while not done.is_set():
            await history.store(records([noted(written)], after=written))
            written += 1
        return written

    writing = asyncio.get_running_loop().create_task(write())
    marks: set[int] = set()
    for number in range(10):
        stored = await dump(mariadb.url, file)
        assert stored is not None
        if number % 3 == 0:
            fresh = Mariadb(mariadb.server)
            await asyncio.to_thread(_onto_server, fresh.url, file)
            assert fresh.count("events") == stored[TAG]
            assert fresh.sql("SELECT `stored` FROM journals") == [(stored[TAG],)]
        marks.add(stored[TAG])
    done.set()
    assert await writing > 1_200
    assert len(marks) > 1, "nothing was written meanwhile"


async def test_a_history_that_is_there_is_never_written_over(mariadb: Mariadb, tmp_path: Path) -> None:
    """Neither where it is asked first, nor where a row came in between."""
    file = tmp_path / "rows.gz"
    await mariadb.history().store(records([noted(1)]))
    await dump(mariadb.url, file)
    with pytest.raises(NeedsHuman, match="has a history already"):
        await asyncio.to_thread(_onto_server, mariadb.url, file)
    with pytest.raises(NeedsHuman, match="has a history already"):
        await fill(mariadb.url, file)
    assert mariadb.count("events") == 1


async def test_a_file_that_was_cut_leaves_nothing_behind(
    mariadb: Mariadb, server: MariadbServer, tmp_path: Path
) -> None:
    """Without its last line, in the middle of its bytes, or with a table that is none of ours: no row is in."""
    file, cut = tmp_path / "rows.gz", tmp_path / "cut.gz"
    await mariadb.history().store(records([noted(number) for number in range(600)]))
    await dump(mariadb.url, file)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    strange = [line.replace(b'"table":"events"', b'"table":"mysql"') for line in lines]
    for broken in (gzip.compress(b"".join(lines[:-1])), file.read_bytes()[:-100], gzip.compress(b"".join(strange))):
        cut.write_bytes(broken)
        url = database_for(server)
        with pytest.raises(NeedsHuman, match="cannot be restored"):
            await asyncio.to_thread(_onto_server, url, cut)
        assert server.sql("SELECT count(*) FROM events", database=url.database) == [(0,)]
    file.write_bytes(gzip.compress(b'{"revision":"9999"}\n'))
    with pytest.raises(NeedsHuman, match="revision 9999"):
        revision_of(file)


async def test_a_database_without_tables_gives_no_file(server: MariadbServer, tmp_path: Path) -> None:
    """There is nothing to keep yet."""
    assert await dump(database_for(server), tmp_path / "rows.gz") is None
    assert names(tmp_path) == []
