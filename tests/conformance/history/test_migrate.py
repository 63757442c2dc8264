"""Migrations on both databases: from nothing, again, half-way, newer; and never inside the daemon."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from kangbot.cli import database as command
from kangbot.errors import NeedsHuman, Retryable
from kangbot.runtime import installation
from kangbot.storage import migrate, tables
from kangbot.storage.glance import current
from kangbot.storage.keep import Keeping
from kangbot.storage.migrate import check, migrations, upgrade, upgrade_apart
from kangbot.storage.tables import REVISION, Upsert
from kangbot.storage.url import MysqlUrl, parse
from tests.support.backups import configured
from tests.support.databases import Database, Mariadb, Sqlite
from tests.support.mariadb import PASSWORD, MariadbServer, is_mysql
from tests.support.proxy import SilentProxy
from tests.support.records import NOON_NS

LOCK = "SELECT GET_LOCK(CONCAT('kangbot.', SHA1('{}')), 0)"
UPSERTS = [value for value in vars(tables).values() if isinstance(value, Upsert)]


def test_upgrade_makes_every_table_that_the_projection_fills(bare: Database) -> None:
    """From nothing to the newest revision; all columns of all shapes exist; a second time changes nothing."""
    assert check(bare.url).current is None
    assert upgrade(bare.url).current is None
    assert check(bare.url).current == REVISION == check(bare.url).newest
    assert upgrade(bare.url).current == REVISION
    for upsert in UPSERTS:
        columns = ", ".join(f"`{column}`" for column in upsert.columns)
        assert bare.sql(f"SELECT {columns} FROM {upsert.table}") == []


def test_upgrade_that_was_killed_half_way_can_be_run_again(bare: Database) -> None:
    """Some tables are there, the revision is not noted: the next run finishes."""
    upgrade(bare.url)
    bare.sql("DELETE FROM alembic_version")
    bare.sql("DROP TABLE events")
    bare.sql("DROP TABLE orders")
    upgrade(bare.url)
    assert bare.count("events") == bare.count("orders") == 0
    assert check(bare.url).current == REVISION


def test_tables_that_were_dropped_are_made_anew(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that the daemon names helps, says what is gone, and leaves what is there."""
    database.sql("INSERT INTO journals (tag, `stored`) VALUES ('abcdefgh', 41)")
    config = configured(tmp_path / "daemon", database)
    for dropped in (["orders", "events"], ["journals"]):
        for table in dropped:
            database.sql(f"DROP TABLE {table}")
        assert command.upgrade(config) == 0
        said = capsys.readouterr().out
        assert f"made anew without a row: {', '.join(dropped)}\n" in said
        assert "already" not in said
        assert check(database.url).current == REVISION
        assert [database.count(table) for table in dropped] == [0] * len(dropped)
        assert database.count("journals") == (dropped != ["journals"])
    assert command.upgrade(config) == 0
    assert f"at {REVISION} already" in capsys.readouterr().out


def test_what_is_left_of_an_old_schema_is_copied_before_its_tables_are_made_anew(
    bare: Database, tmp_path: Path
) -> None:
    """Also where the table was dropped that says how far it was stored."""
    upgrade(bare.url, to="0001")
    bare.sql("INSERT INTO positions (market, net, journal, sequence) VALUES ('one', '1', 'abcdefgh', 1)")
    bare.sql("DROP TABLE journals")
    done = upgrade(bare.url, keeping=Keeping(folder=tmp_path, now_ns=NOON_NS))
    assert done.copy is not None
    assert done.anew == ("journals",)
    assert check(bare.url).current == REVISION
    assert bare.count("positions") == 1


@pytest.mark.mariadb
def test_two_databases_of_a_server_do_not_wait_for_each_other(server: MariadbServer) -> None:
    """One is being migrated for half an hour; the names are as long as a server allows."""
    names = [f"{'n' * 63}{end}" for end in "ab"]
    for name in names:
        server.sql(f"CREATE DATABASE {name}")
    with server._connected(None) as holder:
        holder.execute(LOCK.format(names[0]))
        assert upgrade(parse(server.url(names[1]))).current is None
    assert check(parse(server.url(names[0]))).current is None


@pytest.mark.mariadb
@pytest.mark.parametrize("mode", ["ANSI,NO_BACKSLASH_ESCAPES", "ORACLE", ""])
def test_tables_are_made_whatever_language_the_server_was_told_to_speak(server: MariadbServer, mode: str) -> None:
    """With ORACLE it refuses a column called `body`."""
    if mode == "ORACLE" and is_mysql():
        pytest.skip("MySQL does not speak it")
    name = server.database()
    server.sql("SET GLOBAL sql_mode = %s", mode)
    try:
        assert upgrade(parse(server.url(name))).current is None
    finally:
        server.sql("SET GLOBAL sql_mode = DEFAULT")
    assert check(parse(server.url(name))).current == REVISION


def test_newer_schema_is_refused_in_words(database: Database) -> None:
    """A later kangbot made it."""
    database.sql("UPDATE alembic_version SET version_num = '9999'")
    for call in (check, upgrade):
        with pytest.raises(NeedsHuman, match=rf"^{database.url} .*9999; this kangbot knows revisions up to"):
            call(database.url)


async def test_several_at_once_do_not_disturb_each_other(bare: Database) -> None:
    """Two daemons start on one new database: both find it migrated."""
    results = await asyncio.gather(*(upgrade_apart(bare.url) for _ in range(2)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, Retryable | None)] == []
    assert check(bare.url).current == REVISION


async def test_refusal_comes_out_of_the_process_with_its_remedy(database: Database) -> None:
    """What the process says is raised here as what it is."""
    database.sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NeedsHuman, match="revision 9999") as caught:
        await upgrade_apart(database.url)
    assert "later version of kangbot" in caught.value.remedy


async def test_process_that_falls_is_told_by_its_error(bare: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of what Python says of it has no word of that; and where none begins, the system's is told."""
    monkeypatch.setenv("PYTHONHOME", "/dev/null")
    with pytest.raises(Retryable, match=r"ended with code 1: ModuleNotFoundError: No module named 'encodings'$"):
        await upgrade_apart(bare.url)
    monkeypatch.setattr(sys, "executable", "/dev/null/python")
    with pytest.raises(Retryable, match=r"cannot be migrated: no process could be started for it: .*Not a directory"):
        await upgrade_apart(bare.url)
    assert check(bare.url).current is None


async def test_files_of_another_version_change_no_table(
    bare: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that they were put under writes what it knows, and could not any more."""
    monkeypatch.setattr(installation, "_began", {str(tmp_path / "gone.py"): (1, 1)})
    with pytest.raises(NeedsHuman, match=r"files were replaced or removed since it was started$") as caught:
        await upgrade_apart(bare.url)
    assert caught.value.remedy.startswith("restart it")
    assert check(bare.url).current is None


async def test_database_that_cannot_be_opened_calls_a_human(tmp_path: Path) -> None:
    """A folder where the file should be."""
    (tmp_path / "with space" / "history.sqlite").mkdir(parents=True)
    with pytest.raises(NeedsHuman, match="unable to open database file"):
        await upgrade_apart(Sqlite(tmp_path).url)


@pytest.mark.mariadb
async def test_server_that_is_away_is_retryable_and_wrong_logins_are_not(server: MariadbServer) -> None:
    """The daemon tries again later, or calls a human."""
    nobody = parse("mysql://u:p@127.0.0.1:1/name")
    with pytest.raises(Retryable, match="cannot be migrated"):
        await upgrade_apart(nobody)
    stranger = parse(f"mysql://stranger:s3cret@127.0.0.1:{server.port}/name")
    with pytest.raises(NeedsHuman, match="Access denied") as caught:
        await upgrade_apart(stranger)
    assert "s3cret" not in str(caught.value)


@pytest.mark.mariadb
async def test_process_is_bounded_and_shows_no_password(mariadb: Mariadb) -> None:
    """A silent server: the process ends with the deadline; its command line and environment never had the password."""
    async with SilentProxy(mariadb.server.port) as proxy:
        proxy.silent = True
        silent = parse(mariadb.server.url(mariadb.name, proxy.port))
        assert isinstance(silent, MysqlUrl)
        task = asyncio.create_task(upgrade_apart(silent, timeout_s=600))
        async with asyncio.timeout(120):
            while not proxy.connections:
                await asyncio.sleep(0.01)
        (child,) = [one for one in psutil.Process().children() if "kangbot.storage.migrate" in one.cmdline()]
        shown = " ".join([*child.cmdline(), *child.environ().values()])
        assert PASSWORD not in shown
        assert silent.full not in shown
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not psutil.pid_exists(child.pid)
        with pytest.raises(Retryable, match="did not end within"):
            await upgrade_apart(silent, timeout_s=0.2)


@pytest.mark.mariadb
async def test_server_that_goes_mute_on_the_way_is_not_waited_for_for_ever(
    mariadb: Mariadb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process hangs and its sockets stay: it ends with what to do, and begun again it goes on."""
    monkeypatch.setattr(migrate, "_LOOK_S", 3)  # no half an hour, as a statement over years of rows may take
    server = mariadb.server
    with server._connected(None) as holder:  # on whose lock it waits, so that it is on its way for certain
        holder.execute(LOCK.format(mariadb.name))
        on_its_way = asyncio.create_task(asyncio.to_thread(upgrade, mariadb.url))
        while not on_its_way.done() and "User lock" not in str(server.sql("SHOW PROCESSLIST")):
            await asyncio.sleep(0.05)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Retryable, match=r"does not answer any more: see that the server runs") as caught:
                await on_its_way
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert PASSWORD not in str(caught.value)
    monkeypatch.undo()
    assert upgrade(mariadb.url).current == REVISION


@pytest.mark.mariadb
def test_a_table_in_use_is_not_waited_for_for_ever(server: MariadbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in which somebody has looked, and not committed: everybody else who asks would stand behind us."""
    monkeypatch.setattr(migrate, "_HELD_S", 1)
    name = server.database()
    url = parse(server.url(name))
    upgrade(url, to="0002")
    with server._connected(name) as holder:
        holder.execute("START TRANSACTION")
        holder.execute("SELECT * FROM journals")
        with pytest.raises(Retryable, match=r"cannot be migrated: Lock wait timeout exceeded"):
            upgrade(url)
    assert upgrade(url).current == "0002"
    assert check(url).current == REVISION


def test_migrations_never_enter_the_daemon() -> None:
    """Importing all of storage, as the daemon does, loads neither Alembic nor SQLAlchemy."""
    code = (
        "import sys; import kangbot.storage.migrate, kangbot.storage.mysql, kangbot.storage.sqlite;"
        "print([name for name in ('alembic', 'sqlalchemy', 'mako') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "[]"


def test_migrations_are_found_in_the_checkout() -> None:
    """Next to the package."""
    assert (migrations() / "versions" / "0001_history.py").is_file()


async def test_a_glance_knows_whether_the_schema_is_ours(server: MariadbServer) -> None:
    """Empty, ours, and of a later kangbot: by one connection, without alembic."""
    url = parse(server.url(server.database()))
    assert isinstance(url, MysqlUrl)
    assert not await current(url)
    await upgrade_apart(url)
    assert await current(url)
    server.sql("UPDATE alembic_version SET version_num = '9999'", database=url.database)
    with pytest.raises(NeedsHuman, match="revision 9999"):
        await current(url)
