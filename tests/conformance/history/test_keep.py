"""A server's history is copied before its schema changes: once, whole, within bounds, and it can be put back."""

import asyncio
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from kangbot.cli import database as command
from kangbot.cli.main import app
from kangbot.errors import NeedsHuman
from kangbot.storage.dump import dump, marks
from kangbot.storage.keep import KEPT, Keeping, copies, keep
from kangbot.storage.migrate import check, upgrade, upgrade_apart
from kangbot.storage.tables import REVISION
from kangbot.storage.url import MysqlUrl
from tests.support.databases import Mariadb
from tests.support.mariadb import MariadbServer
from tests.support.records import NOON_NS

pytestmark = pytest.mark.mariadb
OLD = "0001"
TAG = "abcdefgh"
TEXT = '[database]\nurl_file = "url"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


@pytest.fixture
def old(server: MariadbServer) -> Mariadb:
    """A database of an older schema, with a row."""
    one = Mariadb(server)
    upgrade(one.url, to=OLD)
    one.sql(f"INSERT INTO journals VALUES ('{TAG}', 41)")
    return one


def configured(folder: Path, url: MysqlUrl) -> Path:
    """Return a configuration with its history in that database."""
    (folder / "url").write_text(url.full)
    (folder / "url").chmod(0o600)
    (folder / "kangbot.toml").write_text(TEXT)
    return folder / "kangbot.toml"


def typed(config: Path, *options: str) -> int:
    """Type the upgrade with these options, and return its exit code."""
    return CliRunner().invoke(app, ["db", "upgrade", *options, "--config", str(config)]).exit_code


def test_an_upgrade_copies_first_and_says_how_to_go_back(
    old: Mariadb, server: MariadbServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copy is its owner's alone, and an empty database gets the rows and the tables as they were."""
    config = configured(tmp_path, old.url)
    assert command.upgrade(config) == 0
    (copy,) = copies(tmp_path / "state")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.name.startswith(f"history.revision-{OLD}.")
    said = capsys.readouterr().out
    assert f"{OLD} → {REVISION}" in said
    assert f"kangbot db restore {copy} --config {config}" in said
    with pytest.raises(NeedsHuman, match=f"has tables of revision {REVISION}, and the copy is of {OLD}"):
        command.restore(config, copy)
    other = Mariadb(server)
    config = configured(tmp_path, other.url)
    assert command.restore(config, copy) == 0
    assert check(other.url).current == OLD
    assert other.sql("SELECT * FROM journals") == [(TAG, 41)]
    with pytest.raises(NeedsHuman, match="has a history already, and it is the copy's") as told:
        command.restore(config, copy)
    assert told.value.remedy.startswith("nothing is left to do")


def test_a_copy_without_the_table_of_journals_is_put_back_once(
    old: Mariadb, server: MariadbServer, tmp_path: Path
) -> None:
    """Somebody had dropped it; who puts the copy back a second time is told that there is a history."""
    old.sql("INSERT INTO orders (client_id, market, journal, sequence) VALUES ('kb1', 'one', 'abcdefgh', 1)")
    old.sql("DROP TABLE journals")
    copy = keep(old.url, OLD, Keeping(folder=tmp_path / "copies", now_ns=NOON_NS))
    assert copy is not None
    other = Mariadb(server)
    config = configured(tmp_path, other.url)
    assert command.restore(config, copy) == 0
    assert other.sql("SELECT market FROM orders") == [("one",)]
    with pytest.raises(NeedsHuman, match="has a history already"):
        command.restore(config, copy)


def test_tables_that_a_killed_restore_was_making_are_gone_on_with(
    old: Mariadb, server: MariadbServer, tmp_path: Path
) -> None:
    """They are older than the copy's, and have no row."""
    config, copy = configured(tmp_path, old.url), tmp_path / "copy.jsonl.gz"
    upgrade(old.url)
    asyncio.run(dump(old.url, copy))
    begun = Mariadb(server)
    upgrade(begun.url, to=OLD)
    config = configured(tmp_path, begun.url)
    assert command.restore(config, copy) == 0
    assert check(begun.url).current == REVISION
    assert begun.sql("SELECT tag, `stored` FROM journals") == [(TAG, 41)]


def test_what_has_nothing_to_lose_is_not_copied(server: MariadbServer, tmp_path: Path) -> None:
    """A database without tables, tables without rows, and a schema that is the newest."""
    one = Mariadb(server)
    for revision in (OLD, "head", "head"):
        schema = upgrade(one.url, to=revision, keeping=Keeping(folder=tmp_path, now_ns=NOON_NS))
        assert schema.copy is None
        if revision == "head":
            one.sql(f"INSERT IGNORE INTO journals (tag, `stored`) VALUES ('{TAG}', 41)")
    assert copies(tmp_path) == []


def test_a_history_is_copied_again_only_after_it_has_grown_and_the_newest_stay(old: Mariadb, tmp_path: Path) -> None:
    """A migration that fails each minute must not push the good copies out; nor may they fill the disk."""
    (tmp_path / "history.revision-0001.20260101T000000.000000Z.jsonl.gz.part").write_bytes(b"of a run that was killed")
    for number in range(KEPT + 2):
        old.sql("UPDATE journals SET `stored` = `stored` + 1")
        first, again = (
            keep(old.url, OLD, Keeping(folder=tmp_path, now_ns=NOON_NS + (2 * number + turn) * 1_000_000))
            for turn in range(2)
        )
        assert first is not None
        assert first == again == copies(tmp_path)[-1]
    assert len(list(tmp_path.iterdir())) == KEPT == len(copies(tmp_path))
    copies(tmp_path)[-1].write_bytes(b"damaged since")
    fresh = keep(old.url, OLD, Keeping(folder=tmp_path, now_ns=NOON_NS + 1_000_000_000))
    assert fresh == copies(tmp_path)[-1]
    assert marks(fresh) == {TAG: 41 + KEPT + 2}


@pytest.mark.parametrize("free", [[0], [1 << 40, 0]], ids=["at-once", "on-the-way"])
def test_without_room_nothing_is_changed(
    old: Mariadb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: list[int]
) -> None:
    """Refused in words, with the ways to go on; no part of a copy is left."""
    config, left = configured(tmp_path, old.url), [*free]

    def disk(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=left.pop(0) if len(left) > 1 else left[0])

    monkeypatch.setattr(shutil, "disk_usage", disk)
    with pytest.raises(NeedsHuman, match="cannot be copied before its tables change, so they are left") as caught:
        command.upgrade(config)
    assert "--copy-to FOLDER" in caught.value.remedy
    assert check(old.url).current == OLD
    assert list((tmp_path / "state").iterdir()) == []
    monkeypatch.undo()
    assert typed(config, "--copy-to", str(tmp_path / "elsewhere")) == 0
    assert len(copies(tmp_path / "elsewhere")) == 1


def test_a_folder_that_is_none_is_told(old: Mariadb, tmp_path: Path) -> None:
    """And `--without-copy` goes on without one."""
    config = configured(tmp_path, old.url)
    (tmp_path / "file").write_text("")
    with pytest.raises(NeedsHuman, match=r"File exists|Not a directory"):
        command.upgrade(config, copy_to=tmp_path / "file")
    assert typed(config, "--without-copy") == 0
    assert check(old.url).current == REVISION
    assert copies(tmp_path / "state") == []


async def test_a_daemon_copies_too(old: Mariadb, tmp_path: Path) -> None:
    """It migrates in a process of its own, at its first use of the database."""
    await upgrade_apart(old.url, tmp_path)
    (copy,) = copies(tmp_path)
    assert marks(copy) == {TAG: 41}
    assert check(old.url).current == REVISION


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_copies_belongs_to_the_service(old: Mariadb, tmp_path: Path) -> None:
    """So that the daemon, which makes the next one, can remove it."""
    os.chown(tmp_path, 10001, 10001)
    copy = keep(old.url, OLD, Keeping(folder=tmp_path, now_ns=NOON_NS))
    assert copy is not None
    assert (copy.stat().st_uid, copy.stat().st_gid) == (10001, 10001)
