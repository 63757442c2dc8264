"""What a migration says where it cannot be: by the process's exit code, in words; and the copy that it makes before.

On a file; what both databases make of it is in tests/conformance/history.
"""

import io
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pymysql
import pytest

import kangbot
from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage import migrate
from kangbot.storage.migrate import _keep, _translated, check, main, migrations, upgrade
from kangbot.storage.room import changed
from kangbot.storage.tables import REVISION
from kangbot.storage.url import MysqlUrl, SqliteUrl

OLD = "0001"
SERVER = MysqlUrl(user="trader", password="s3cret", host="db.example", port=3306, database="history")


def typed(monkeypatch: pytest.MonkeyPatch, url: SqliteUrl, folder: str = "") -> int:
    """Run the process's own entry, with this on its standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{url.full}\n{folder}\n"))
    return main()


# --------------------------------------------------------------------------------------------------------- the process
def test_the_process_says_by_its_exit_code_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 with the copy that was made, if any; 75 where it may be tried again; 78 with the remedy on its own line."""
    url = SqliteUrl(path=tmp_path / "made by it" / "history.sqlite")
    assert typed(monkeypatch, url) == 0
    assert capsys.readouterr() == ("", "")
    assert check(url).current == REVISION

    monkeypatch.setattr(migrate, "_LOCK_S", 0.05)
    with closing(sqlite3.connect(url.path, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        assert typed(monkeypatch, url) == 75
        assert capsys.readouterr() == ("", f"{url} cannot be migrated: database is locked\n")
        somebody.execute("ROLLBACK")
        somebody.execute("UPDATE alembic_version SET version_num = '9999'")
    assert typed(monkeypatch, url) == 78
    out, said = capsys.readouterr()
    message, remedy = said.splitlines()
    assert (out, message.startswith(f"{url} has a schema of revision 9999")) == ("", True)
    assert "later version of kangbot" in remedy


def test_an_older_file_is_copied_as_it_was_and_the_copy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For nobody else than the file was for. Its folder of copies is a server's."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    upgrade(url, to=OLD)
    url.path.chmod(0o640)
    assert typed(monkeypatch, url, str(tmp_path / "copies")) == 0
    copy = Path(capsys.readouterr().out)
    assert copy == tmp_path / f"history.sqlite.revision-{OLD}"
    assert copy.stat().st_mode & 0o777 == 0o640
    assert (check(SqliteUrl(path=copy)).current, check(url).current) == (OLD, REVISION)
    assert not (tmp_path / "copies").exists()


# ------------------------------------------------------------------------------------------------------------ the copy
@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a table."""
    path = tmp_path / "history.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE journals (tag)")
        database.execute("INSERT INTO journals VALUES ('abcdefgh')")
    return path


def test_a_copy_that_was_made_before_is_left(file: Path) -> None:
    """A migration that failed after it may have changed the file since."""
    copy = _keep(file, "revision-0001")
    assert copy is not None
    before = copy.read_bytes()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TABLE journals")
    assert _keep(file, "revision-0001") == copy
    assert copy.read_bytes() == before


def test_the_newest_two_copies_stay_and_no_half_of_one(file: Path) -> None:
    """Each is as large as the file; a copy that a kill has cut is none."""
    file.with_name("history.sqlite.revision-0002.part").write_bytes(b"half of it")
    for number in range(1, 5):
        assert _keep(file, f"revision-000{number}") is not None
    names = sorted(path.name for path in file.parent.iterdir())
    assert names == ["history.sqlite", "history.sqlite.revision-0003", "history.sqlite.revision-0004"]


def test_a_copy_without_room_or_that_fails_is_none_and_leaves_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is asked for the copy and for the change behind it; to the byte."""
    size = file.stat().st_size
    for free, copied in ((size + changed(size) - 1, False), (size + changed(size), True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert (_keep(file, "revision-0001") is not None) is copied
    monkeypatch.undo()
    file.write_bytes(b"no database at all" * 1000)
    assert _keep(file, "revision-0009") is None
    assert sorted(path.name for path in file.parent.iterdir()) == ["history.sqlite", "history.sqlite.revision-0001"]


def test_a_change_that_may_fill_the_disk_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is there; a person hears that the version before goes on."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    upgrade(url, to=OLD)
    free = changed(url.path.stat().st_size) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(NeedsHuman, match="cannot be brought up to date, so they are left: ") as caught:
        upgrade(url)
    assert "the version of kangbot that made them goes on with them" in caught.value.remedy
    assert check(url).current == OLD


# ----------------------------------------------------------------------------------------------------------- the words
@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (1044, "may be opened and its schema changed"),
        (1045, "may be opened and its schema changed"),
        (1049, "may be opened and its schema changed"),
        (1142, "may be opened and its schema changed"),
        (1021, "its tmpdir"),
        (1114, "its tmpdir"),
        (1878, "its tmpdir"),
    ],
)
def test_what_a_server_refuses_for_good_is_a_persons(code: int, remedy: str) -> None:
    """In the server's words, with the database and without the password."""
    told = _translated(SERVER, pymysql.OperationalError(code, "no"))
    assert isinstance(told, NeedsHuman)
    assert told.message == "mysql://trader@db.example:3306/history cannot be migrated: no"
    assert remedy in told.remedy


def test_a_server_without_room_is_told_by_its_words_whatever_its_code() -> None:
    """MariaDB writes down what it is about to do with a table, and that may be what finds the disk full."""
    told = _translated(
        SERVER, pymysql.OperationalError(3, 'Error writing file (Errcode: 28 "No space left on device")')
    )
    assert isinstance(told, NeedsHuman)
    assert "make room on the disk" in told.remedy


def test_what_passes_by_waiting_may_be_tried_again() -> None:
    """A server that is away, a lock; one that has gone mute is told with what becomes of the work."""
    for error, words in (
        (pymysql.OperationalError(2003, "Can't connect"), "cannot be migrated: Can't connect"),
        (pymysql.OperationalError(1205, "Lock wait timeout exceeded"), "Lock wait timeout exceeded"),
        (pymysql.OperationalError(2013, "Lost connection"), "cannot be migrated: Lost connection"),
        (pymysql.InternalError(1815, "InnoDB: Insert failed"), "see the server's own log, and the room on its disk"),
        (pymysql.OperationalError(22, "Can't change size"), "see the server's own log, and the room on its disk"),
        (pymysql.err.InterfaceError(), "cannot be migrated: "),
        (None, "cannot be migrated: None"),
    ):
        told = _translated(SERVER, error)
        assert isinstance(told, Retryable)
        assert words in told.message
    mute = pymysql.OperationalError(2013, "Lost connection")
    mute.__context__ = TimeoutError()
    assert "does not answer any more: see that the server runs" in str(_translated(SERVER, mute))


def test_a_file_that_is_busy_or_full_may_be_tried_again_and_another_is_a_persons(tmp_path: Path) -> None:
    """By SQLite's own code."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    for code, kind in ((sqlite3.SQLITE_BUSY, Retryable), (517, Retryable), (sqlite3.SQLITE_FULL, Retryable)):
        error = sqlite3.OperationalError("as asked")
        error.sqlite_errorcode = code
        assert type(_translated(url, error)) is kind
    url.path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(NeedsHuman, match=rf"^{url} cannot be migrated: file is not a database$"):
        upgrade(url)


def test_migrations_are_those_of_the_checkout_or_of_the_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither has them, whoever reads it learns where they were looked for."""
    assert (migrations() / "env.py").is_file()
    monkeypatch.setattr(kangbot, "__file__", str(tmp_path / "lib" / "kangbot" / "__init__.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    with pytest.raises(NeedsHuman, match=rf"neither in {tmp_path}/lib nor in {tmp_path}/prefix/share/kangbot"):
        migrations()
    installed = tmp_path / "prefix" / "share" / "kangbot" / "migrations"
    installed.mkdir(parents=True)
    (installed / "env.py").touch()
    assert migrations() == installed
