"""A server whose own disk is full, and later is not: rows wait and arrive, tables are made, nothing is begun anew."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from kangbot.errors import KangbotError, NeedsHuman
from kangbot.storage.migrate import check, upgrade, upgrade_apart
from kangbot.storage.mysql import MysqlHistory
from kangbot.storage.pool import Pool
from kangbot.storage.tables import REVISION
from kangbot.storage.url import MysqlUrl, parse
from tests.support import mariadb
from tests.support.databases import WORLD
from tests.support.full_disk import occupied
from tests.support.records import TAG, noted, records

pytestmark = pytest.mark.mariadb

OLD = "0004"  # the next one makes an index over all events
DOUBLED = 17  # times: 131,072 events
MEGABYTE = 1 << 20
ENOUGH = 5000  # events, of which some hundred fit in what the table's file has


@pytest.fixture
def small(disk: Callable[[int], Path], tmp_path: Path) -> Iterator[tuple[mariadb.MariadbServer, Path]]:
    """A server on a disk of its own, where each table is a file that grows in small steps; and that disk."""
    folder = disk(200)
    (folder / "server").mkdir()
    (folder / "server" / "log").symlink_to(tmp_path / "log")  # what it has to say has room
    with mariadb.running(folder / "server", "--innodb-file-per-table=ON") as server:
        yield server, folder


def address(server: mariadb.MariadbServer) -> MysqlUrl:
    """An empty database there."""
    url = parse(server.url(server.database()))
    assert isinstance(url, MysqlUrl)
    return url


def test_tables_that_have_no_room_are_a_persons_and_are_made_where_there_is_some(
    small: tuple[mariadb.MariadbServer, Path],
) -> None:
    """Even to note what it is about to do takes the server a block."""
    server, folder = small
    url = address(server)
    with occupied(folder), pytest.raises(NeedsHuman, match="cannot be migrated") as caught:
        upgrade(url)
    assert "make room on the disk of the database server" in caught.value.remedy
    upgrade(url)
    assert check(url).current == REVISION


def test_an_upgrade_that_fills_the_disk_on_its_way_goes_on_with_room(small: tuple[mariadb.MariadbServer, Path]) -> None:
    """No row is lost, and what was done stays done."""
    server, folder = small
    url = address(server)
    upgrade(url, to=OLD)
    columns = "sequence, journal, at, at_ns, kind, market, body"
    server.sql(
        f"INSERT INTO events ({columns}) VALUES (1, 'abcdefgh', '2026-01-01', 0, 'noted', 'bybit:BTC-USDT:USDT', '')",
        database=url.database,
    )
    for power in range(DOUBLED):
        further = columns.replace("sequence", f"sequence + {1 << power}")
        server.sql(f"INSERT INTO events ({columns}) SELECT {further} FROM events", database=url.database)
    with occupied(folder, left=MEGABYTE), pytest.raises(KangbotError, match=r"cannot be migrated: .*( full|room on)"):
        upgrade(url)
    assert server.sql("SELECT count(*) FROM events", database=url.database) == [(1 << DOUBLED,)]
    upgrade(url)
    assert check(url).current == REVISION
    assert server.sql("SELECT count(*) FROM events", database=url.database) == [(1 << DOUBLED,)]


async def test_rows_that_find_no_room_arrive_once_when_there_is_some(small: tuple[mariadb.MariadbServer, Path]) -> None:
    """One at a time: this MariaDB aborts where it has to take many rows back and finds no room for that either."""
    server, folder = small
    url = address(server)
    await asyncio.to_thread(upgrade, url)
    history = MysqlHistory(Pool(url, WORLD.fork("pool").random), partial(upgrade_apart, url))
    await history.store(records([noted(1)]))
    stored = 1

    async def fill() -> None:
        nonlocal stored
        while stored < ENOUGH:
            await history.store(records([noted(stored + 1)], after=stored))
            stored += 1

    with occupied(folder):
        with pytest.raises(NeedsHuman, match="is full") as caught:
            await fill()
        assert caught.value.remedy == "make room on the disk of the database server"
        for _ in range(3):
            with pytest.raises(NeedsHuman, match="is full"):
                await history.store(records([noted(stored + 1)], after=stored))
        assert await history.stored(TAG) == stored, "it is read all the while"
    await history.store(records([noted(stored + 1), noted(stored + 2)], after=stored))
    await history.aclose()
    rows = server.sql("SELECT sequence FROM events ORDER BY sequence", database=url.database)
    assert rows == [(number,) for number in range(1, stored + 3)]
