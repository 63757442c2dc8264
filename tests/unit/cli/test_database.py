"""`kangbot db …`: what it says of the tables, and what it refuses before anything is changed."""

import contextlib
import gzip
import json
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from kangbot.cli import database, exit_codes, offline
from kangbot.errors import NeedsHuman, Retryable
from kangbot.settings import loading
from kangbot.settings.paths import shipped_config
from kangbot.storage import glance, migrate
from kangbot.storage.tables import REVISION
from kangbot.storage.url import SqliteUrl
from tests.support.typed import kangbot

SHIPPED = str(shipped_config("kangbot.toml"))


def test_a_copy_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any database is asked."""
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    config, empty = tmp_path / "kangbot.toml", tmp_path / "empty"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    empty.write_bytes(b"")
    for file, why in ((tmp_path / "none", "No such file or directory"), (empty, "it is no dump of a history")):
        with pytest.raises(NeedsHuman, match=f"the history cannot be restored: {file}: {why}"):
            database.restore(config, file)


def test_a_server_that_takes_a_connection_and_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver of the migrations has no bound of its own for a greeting that does not come."""
    config, copy = tmp_path / "kangbot.toml", tmp_path / "copy.jsonl.gz"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    copy.write_bytes(gzip.compress(b'{"revision": "0002"}\n{"rows": 0}\n'))
    monkeypatch.setattr(glance, "_CONNECT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("KANGBOT_DATABASE__URL", f"mysql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")
        with pytest.raises(Retryable, match=r"did not answer within 0\.2 s"):
            database.restore(config, copy)


def test_upgrading_a_database_says_from_where_to_where(tmp_path: Path) -> None:
    """The second time there is nothing to do."""

    def upgrade(*options: str) -> subprocess.CompletedProcess[str]:
        return kangbot("db", "upgrade", "--config", SHIPPED, *options, KANGBOT_STATE_DIR=str(tmp_path))

    first = upgrade()
    assert (first.returncode, first.stderr) == (exit_codes.OK, "")
    assert "empty →" in first.stdout
    assert "already" in upgrade().stdout
    said = json.loads(upgrade("--json").stdout)
    assert said["database"].endswith("history.sqlite")
    assert said["from"] == said["to"] != ""
    assert (tmp_path / "history.sqlite").exists()


def test_a_database_that_is_away_may_be_there_later() -> None:
    """Exit code 75, and the password in no message."""
    done = kangbot(
        "db", "upgrade", "--config", SHIPPED, KANGBOT_DATABASE__URL="mysql://u:canary-9f3c@127.0.0.1:1/kangbot"
    )
    assert done.returncode == exit_codes.TEMPORARY
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with an embedded history, read in this process."""
    monkeypatch.setattr(offline, "load", loading.load)
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    return path


def test_a_file_is_kept_as_it_was_before_its_tables_change(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the way back; a script gets where the copy is."""
    file = config.parent / "state" / "history.sqlite"
    copy = file.with_name("history.sqlite.revision-0005")
    migrate.upgrade(SqliteUrl(path=file), to="0005")
    assert database.upgrade(config) == exit_codes.OK
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"sqlite:///{file}: 0005 → {REVISION}"
    assert second == f"as it was before: {copy}; to go back, put it in the file's place"
    copy.replace(file)
    assert database.upgrade(config, as_json=True) == exit_codes.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["from"], said["to"], said["copy"], said["tables_made_anew"]) == ("0005", REVISION, str(copy), [])


def test_tables_that_somebody_dropped_are_said_to_be_empty_now(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is to find that out by a report."""
    file = config.parent / "state" / "history.sqlite"
    migrate.upgrade(SqliteUrl(path=file))
    with contextlib.closing(sqlite3.connect(file)) as history:
        history.execute("DROP TABLE fills")
    assert database.upgrade(config) == exit_codes.OK
    assert capsys.readouterr().out.splitlines() == [
        f"sqlite:///{file}: tables were missing, and are made anew without a row: fills",
        "What they held is not in this database any more; a backup may have it.",
    ]


def test_a_copy_of_a_server_goes_into_no_file(config: Path) -> None:
    """Whatever it holds; the remedy names the configuration."""
    with pytest.raises(NeedsHuman, match="goes back into a server, and the configuration has an SQLite") as refused:
        database.restore(config, config)
    assert f"name an empty database in database.url of {config}" in refused.value.remedy
