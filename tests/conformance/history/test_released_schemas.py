"""Every schema that was ever released, with rows in it, is brought to the newest: no row is lost, no value changed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kangbot.ports import Listing, Page
from kangbot.storage.migrate import check, migrations, upgrade
from kangbot.storage.room import changed
from kangbot.storage.tables import REVISION
from kangbot.storage.url import SqliteUrl
from tests.support.databases import Database, Mariadb

RELEASED = sorted(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*.py"))
ROWS = 3


def tables(database: Database) -> list[str]:
    """Return the tables as they are now, of whatever revision."""
    if isinstance(database, Mariadb):
        names = [row[0] for row in database.sql("SHOW TABLES")]
    else:
        names = [row[0] for row in database.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return sorted(name for name in names if name != "alembic_version")


def columns(database: Database, table: str) -> dict[str, str]:
    """Return a table's columns with their types."""
    if isinstance(database, Mariadb):
        return {row[0]: row[1].lower() for row in database.sql(f"SHOW COLUMNS FROM `{table}`")}
    return {row[1]: row[2].lower() for row in database.sql(f"PRAGMA table_info('{table}')")}


def value(name: str, kind: str, number: int) -> str:
    """Return a value for a column, as SQL writes it: each row's own, and none that a rounding would leave alone."""
    if "int" in kind:
        return str(number + 1)
    if "decimal" in kind:
        return f"{number}.123456789012345678"
    if "datetime" in kind:
        return f"'2026-01-02 03:04:0{number}.678901'"
    return f"'{name[:4]} {number}'"


def filled(database: Database) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    """Put rows into every table; return them by table, with the columns that they were read by."""
    out = {}
    for table in tables(database):
        kinds = columns(database, table)
        names = ", ".join(f"`{name}`" for name in kinds)
        for number in range(ROWS):
            values = ", ".join(value(name, kind, number) for name, kind in kinds.items())
            database.sql(f"INSERT INTO `{table}` ({names}) VALUES ({values})")
        out[table] = names, read(database, table, names)
    return out


def read(database: Database, table: str, names: str) -> list[tuple[Any, ...]]:
    """Return a table's rows, by columns that it may have had first."""
    return sorted(database.sql(f"SELECT {names} FROM `{table}`"), key=repr)


@pytest.mark.parametrize("revision", RELEASED)
def test_rows_of_a_released_schema_are_all_there_in_the_newest(bare: Database, revision: str) -> None:
    """By the columns that the old schema had; and the newest tables take new rows."""
    upgrade(bare.url, to=revision)
    assert check(bare.url).current == revision
    before = filled(bare)
    assert all(len(rows) == ROWS for _, rows in before.values())
    done = upgrade(bare.url)
    assert (done.current, done.anew) == (revision, ())
    assert check(bare.url).current == REVISION == RELEASED[-1]
    for table, (names, rows) in before.items():
        assert read(bare, table, names) == rows, table


async def test_what_the_oldest_schema_holds_is_gone_on_with(bare: Database) -> None:
    """The way of a daemon: it finds an old schema with a journal in it, brings it forward, and stores what comes."""
    upgrade(bare.url, to=RELEASED[0])
    bare.sql("INSERT INTO journals VALUES ('abcdefgh', 41)")
    assert await bare.history().stored("abcdefgh") == 41
    assert check(bare.url).current == REVISION


async def test_events_of_a_schema_that_did_not_list_them_are_listed(bare: Database) -> None:
    """Those that no other listing tells."""
    upgrade(bare.url, to="0004")
    for number, kind in enumerate(("order_intended", "feed.down", "equity_marked", "run_state_changed"), 1):
        bare.sql(
            "INSERT INTO events (journal, sequence, at, at_ns, kind, message, body) "
            f"VALUES ('abcdefgh', {number}, '2026-01-02 03:04:0{number}.000000', 0, '{kind}', 'said', '{{}}')"
        )
    upgrade(bare.url)
    rows = await bare.history().page(Page(listing=Listing.EVENTS))
    assert [row["kind"] for row in rows] == ["run_state_changed", "feed.down"]


def test_a_file_is_copied_before_its_schema_changes(tmp_path: Path) -> None:
    """As it was, for whoever wants to go back; a second start does not replace it by what the first one made."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    upgrade(url, to=RELEASED[0])
    with closing(sqlite3.connect(url.path)) as database, database:
        database.execute("INSERT INTO journals VALUES ('abcdefgh', 41)")
    upgrade(url)
    copy = tmp_path / f"history.sqlite.revision-{RELEASED[0]}"
    assert check(SqliteUrl(path=copy)).current == RELEASED[0]
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT tag, `stored` FROM journals").fetchall() == [("abcdefgh", 41)]
    upgrade(url)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.sqlite", copy.name]


def test_the_newest_two_copies_are_kept(tmp_path: Path) -> None:
    """Each is as large as the history was; so is what a copy that was killed has left, of whichever schema."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    (tmp_path / "history.sqlite.revision-0000.part").write_text("half of it")
    for revision in RELEASED[:4]:
        upgrade(url, to=revision)
    copies = [f"history.sqlite.revision-{revision}" for revision in RELEASED[1:3]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.sqlite", *copies]


def test_a_copy_that_the_disk_has_no_room_for_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal beside it would be full meanwhile. Where the change itself fits, it is made all the same."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    upgrade(url, to=RELEASED[0])
    for revision, short, copied in ((RELEASED[1], 1, False), (RELEASED[2], 0, True)):
        size = url.path.stat().st_size
        free = size + changed(size) - short
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert upgrade(url, to=revision).current is not None
        assert len(list(tmp_path.iterdir())) == 1 + copied


def test_a_copy_that_cannot_be_made_leaves_nothing_and_stops_nothing(tmp_path: Path) -> None:
    """The daemon has positions to see to."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    upgrade(url, to=RELEASED[0])
    blocked = tmp_path / f"history.sqlite.revision-{RELEASED[0]}.part"
    blocked.mkdir()
    assert upgrade(url).current == RELEASED[0]
    assert check(url).current == REVISION
    assert not (tmp_path / f"history.sqlite.revision-{RELEASED[0]}").exists()
