"""`kangbot db …`: what it says of the tables, and what it refuses before anything is changed."""

import gzip
import socket
from pathlib import Path

import pytest

from kangbot.cli import database
from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage import glance


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
