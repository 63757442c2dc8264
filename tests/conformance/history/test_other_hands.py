"""What others do to the database: they end idle connections, hold a table, change or drop one."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest
import uvloop

from kangbot.cli.doctor.database import database as look_at
from kangbot.cli.doctor.finding import Mark
from kangbot.errors import NeedsHuman
from kangbot.settings import load
from kangbot.storage.link import Collided, Link
from kangbot.storage.migrate import upgrade, upgrade_apart
from kangbot.storage.mysql import MysqlHistory
from kangbot.storage.pool import Pool
from kangbot.storage.url import MysqlUrl, parse
from tests.support.databases import WORLD, Mariadb
from tests.support.mariadb import MariadbServer
from tests.support.records import TAG, noted, records

pytestmark = pytest.mark.mariadb


async def one(link: Link) -> object:
    """The smallest transaction."""
    return (await link.query("SELECT 1"))[0][0]


def test_a_server_that_ends_idle_connections_is_written_to_again(mariadb: Mariadb) -> None:
    """After its `wait_timeout` it resets them, and on the daemon's own loop the next write is a RuntimeError."""

    async def story() -> list[object]:
        pool = Pool(mariadb.url, WORLD.fork("test").random, size=1)
        used: list[Link] = []

        async def impatient(link: Link) -> None:
            used.append(link)
            await link.query("SET SESSION wait_timeout = 3")

        await pool.transact(impatient)
        while not used[0]._transport.is_closing():
            await asyncio.sleep(0.05)
        answers = [await pool.transact(one) for _ in range(2)]
        await pool.aclose()
        return answers

    assert uvloop.run(story()) == [1, 1]


async def test_a_table_that_somebody_holds_is_told_as_that(mariadb: Mariadb) -> None:
    """Not as a server that does not answer: it does, and whoever asks it by hand sees nothing wrong."""
    with mariadb.server._connected(mariadb.name) as holder:
        holder.execute("LOCK TABLES journals WRITE")
        link = await Link.open(mariadb.url, connect_s=60, statement_s=60)
        with pytest.raises(Collided, match="Lock wait timeout exceeded"):
            await link.query("INSERT INTO journals (tag, `stored`) VALUES ('a', 1)")
        await link.aclose()


async def test_missing_table_calls_a_human(mariadb: Mariadb) -> None:
    """Somebody dropped it: no try again will help, but the remedy does."""
    history = mariadb.history()
    await history.stored(TAG)
    mariadb.sql("DROP TABLE events")
    with pytest.raises(NeedsHuman, match="events") as caught:
        await history.store(records([noted(1)]))
    assert "kangbot db upgrade" in caught.value.remedy


@pytest.mark.parametrize("letter", ["w", "界"])
async def test_a_server_that_takes_little_at_once_gets_little(mariadb: Mariadb, letter: str) -> None:
    """A night's records with long words: what is too much for it once is too much at each try, for ever."""
    long = [msgspec.structs.replace(noted(number), message=letter * 3000) for number in range(100)]
    mariadb.server.sql("SET GLOBAL max_allowed_packet = 65536")
    try:
        await mariadb.history().store(records([*long, *map(noted, range(400))]))
    finally:
        mariadb.server.sql("SET GLOBAL max_allowed_packet = DEFAULT")
    assert mariadb.count("events") == 500


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE events ADD COLUMN note VARCHAR(20) NOT NULL",
        "ALTER TABLE events DROP COLUMN message",
        "ALTER TABLE events MODIFY COLUMN kind VARCHAR(2) NOT NULL",
        "ALTER TABLE events ADD CONSTRAINT mine CHECK (at_ns < 0)",
        "CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mine'",
    ],
)
async def test_a_table_that_somebody_has_changed_is_named(mariadb: Mariadb, change: str) -> None:
    """The server names the column alone, and neither the address nor a new schema has anything to do with it."""
    history = mariadb.history()
    mariadb.sql(change)
    with pytest.raises(NeedsHuman, match="events") as caught:
        await history.store(records([noted(1)]))
    assert "rename the table" in caught.value.remedy
    assert "database.url" not in caught.value.remedy


async def test_a_table_that_was_dropped_is_seen_before_a_start(mariadb: Mariadb, tmp_path: Path) -> None:
    """The revision is still the newest; `journals` is the one that is looked into besides."""
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    settings = load(config, {"KANGBOT_DATABASE__URL": mariadb.url.full})
    for table in ("orders", "journals"):
        mariadb.sql(f"DROP TABLE {table}")
        told = await look_at(settings)
        assert told.mark is Mark.WRONG
        assert table in told.says
        assert "kangbot db upgrade" in told.remedy


KEPT_OUT = {
    "SET GLOBAL read_only = 1": ("--read-only option", "is a replica"),
    "REVOKE INSERT ON {0}.* FROM 'plain'@'127.0.0.1'": ("INSERT command denied", "GRANT ALL ON"),
    "REVOKE UPDATE ON {0}.* FROM 'plain'@'127.0.0.1'": ("UPDATE command denied", "GRANT ALL ON"),
    "ALTER USER 'plain'@'127.0.0.1' ACCOUNT LOCK": ("locked", "unlock the account"),
}


@pytest.mark.parametrize("done", KEPT_OUT)
async def test_what_keeps_rows_out_is_seen_before_a_start_and_they_come_when_it_is_over(
    mariadb: Mariadb, tmp_path: Path, done: str
) -> None:
    """For reading all may be well, so whoever only looks whether it answers sees nothing wrong."""
    sql, name = mariadb.server.sql, mariadb.name
    sql("CREATE USER 'plain'@'127.0.0.1' IDENTIFIED BY 'x'")
    url = parse(f"mysql://plain:x@127.0.0.1:{mariadb.server.port}/{name}")
    assert isinstance(url, MysqlUrl)
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    settings = load(config, {"KANGBOT_DATABASE__URL": url.full})
    history = MysqlHistory(Pool(url, WORLD.fork("pool").random), partial(upgrade_apart, url), "here")
    words, remedy = KEPT_OUT[done]
    try:
        sql(f"GRANT ALL ON {name}.* TO 'plain'@'127.0.0.1'")
        assert (await look_at(settings)).mark is Mark.OK
        sql(done.format(name))
        told = await look_at(settings)
        assert told.mark is Mark.WRONG
        assert words in told.says
        assert remedy in told.remedy
        with pytest.raises(NeedsHuman, match=words):
            await history.store(records([noted(1)]))
        sql("SET GLOBAL read_only = 0")
        sql(f"GRANT ALL ON {name}.* TO 'plain'@'127.0.0.1'")
        sql("ALTER USER 'plain'@'127.0.0.1' ACCOUNT UNLOCK")
        await history.store(records([noted(1)]))
        assert mariadb.count("events") == 1
    finally:
        sql("SET GLOBAL read_only = 0")
        await history.aclose()
        sql("DROP USER 'plain'@'127.0.0.1'")


async def test_tables_that_are_not_made_yet_are_missed_by_nobody(server: MariadbServer, tmp_path: Path) -> None:
    """The first start makes them, and one after an update those that are new."""
    bare = Mariadb(server)
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    settings = load(config, {"KANGBOT_DATABASE__URL": bare.url.full})
    try:
        for revision in (None, "0005"):
            if revision is not None:
                await asyncio.to_thread(partial(upgrade, bare.url, to=revision))
            told = await look_at(settings)
            assert told.mark is Mark.OK
            assert told.says.endswith("its tables are made or brought up at the start")
    finally:
        await bare.aclose()
