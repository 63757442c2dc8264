"""A backup that cannot be read is refused in words, whatever is wrong with it."""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from kangbot.cli import database, exit_codes, offline
from kangbot.cli.archive import FORMAT, Manifest
from kangbot.cli.backup import backup
from kangbot.cli.restore import restore
from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.journal.file import JournalFile
from kangbot.settings import loading
from kangbot.storage import glance
from tests.support.nobody import as_nobody
from tests.support.terminal import HEARS_ITS_END

MANIFEST = """\
{"format": 2, "kangbot": "0.1.0", "at_ns": 0, "mode": "sandbox", "venue": "bybit", "history": "server",
 "files": {"journal.sqlite": "0"}}
"""


def test_bytes_that_changed_on_the_way_are_told(tmp_path: Path) -> None:
    """A stream that cannot be unpacked at all, too: nothing is placed, and the operator learns which file it is."""
    file, config = tmp_path / "backup.zip", tmp_path / "kangbot.toml"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", MANIFEST)
        archive.writestr("journal.sqlite", b"records " * 100)
        begins = archive.getinfo("journal.sqlite").header_offset + 30 + len("journal.sqlite")
    raw = bytearray(file.read_bytes())
    raw[begins] = 0xFF  # a kind of block that there is not
    file.write_bytes(raw)
    with pytest.raises(NeedsHuman, match=r"backup\.zip is no backup that can be read"):
        restore(config, file)
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_history_larger_than_the_memory_is_put_back(tmp_path: Path) -> None:
    """Years of trading are gigabytes, and the server that they were made on may have one."""
    config, file, size = tmp_path / "kangbot.toml", tmp_path / "backup.zip", 16 << 20
    config.write_text('mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    state = tmp_path / "state"
    state.mkdir()
    JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
    with contextlib.closing(sqlite3.connect(state / "history.sqlite")) as history:
        history.execute("CREATE TABLE bars AS SELECT zeroblob(?) AS much", (size,))
    assert backup(config, file) == 0
    state.rename(tmp_path / "before")
    tracemalloc.start()
    try:
        assert restore(config, file) == 0
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()
    assert (state / "history.sqlite").stat().st_size > size


def test_a_journal_that_is_none_is_told_before_anything_is_placed(tmp_path: Path) -> None:
    """Its sums are right all the same. What is refused leaves the folder empty, for another backup."""
    file, config, state = tmp_path / "backup.zip", tmp_path / "kangbot.toml", tmp_path / "state"
    files = {
        "kangbot.toml": b'state_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n',
        "journal.sqlite": b"no journal",
        "history.sqlite": b"a history",
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = Manifest(
        format=FORMAT, kangbot="0.1.0", at_ns=0, mode="sandbox", venue="bybit", history="sqlite", files=sums
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", msgspec.json.encode(manifest))
        for name, data in files.items():
            archive.writestr(name, data)
    with pytest.raises(NeedsHuman, match=r"the journal .* cannot be used"):
        restore(config, file)
    assert [path.name for path in state.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, exit_codes.TERMINATED),
        (signal.SIGHUP, exit_codes.HUNG_UP),
        (signal.SIGQUIT, exit_codes.QUIT),
    ],
)
def test_a_backup_that_is_ended_half_way_leaves_nothing_behind(number: int, code: int, tmp_path: Path) -> None:
    """Its copies are as large as journal and history, and lie where backups are kept. A pipe holds it up half-way."""
    state, there = tmp_path / "state", tmp_path / "there"
    for folder in (state / "config", there):
        folder.mkdir(parents=True)
    (state / "journal.sqlite").touch()
    pipe = state / "config" / "1.toml"
    os.mkfifo(pipe)
    config = tmp_path / "kangbot.toml"
    config.write_text('mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    command = [sys.executable, "-m", "kangbot", "backup", str(there / "backup.zip"), "--config", str(config)]
    with subprocess.Popen(
        [*HEARS_ITS_END, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        writing = None
        while writing is None:
            assert process.poll() is None
            with contextlib.suppress(OSError):  # ENXIO, until it is read
                writing = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            time.sleep(0.02)
        assert list(there.glob("*/kangbot.toml"))
        process.send_signal(number)
        os.close(writing)  # a signal that comes just before a system call does not interrupt it: the pipe's end does
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (code, "", "")
    assert not list(there.iterdir())


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (0, r"has 0 MB free, and \d+ MB are asked for; name a file on another disk, or make room"),
        (290 << 20, "has 304 MB free, and 313 MB are asked for"),  # 34 MB of files, as much again by a third, and 268
        (320 << 20, ""),
    ],
)
def test_what_a_disk_has_no_room_for_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, message: str
) -> None:
    """The journal is on the same disk, and would be full until the copy has failed: no entry would pass."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "state"
    config.write_text('mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    state.mkdir()
    JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
    with contextlib.closing(sqlite3.connect(state / "history.sqlite")) as history:
        history.execute("CREATE TABLE bars AS SELECT zeroblob(?) AS much", (32 << 20,))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=1 << 40))
    if not message:
        assert backup(config, tmp_path / "backup.zip") == 0
        return
    with pytest.raises(Refused, match=rf"backup\.zip cannot be written: .* {message}"):
        backup(config, tmp_path / "backup.zip")
    assert sorted(tmp_path.iterdir()) == [config, state]


@pytest.mark.parametrize(
    ("free", "message"),
    [
        ([0], r"backup\.zip cannot be unpacked: .* has 0 MB free, and 33 MB are asked for; make room there"),
        ([1 << 40, 20 << 20], r"cannot be restored: .*/state has 20 MB free, and 33 MB are asked for; make room there"),
    ],
    ids=["to-unpack", "to-place"],
)
def test_what_a_disk_has_no_room_for_is_not_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: list[int], message: str
) -> None:
    """It is refused by what it takes, not as a backup that is damaged; with room the same command does it."""
    config, state, file = tmp_path / "kangbot.toml", tmp_path / "state", tmp_path / "backup.zip"
    config.write_text('mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    state.mkdir()
    JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
    with contextlib.closing(sqlite3.connect(state / "history.sqlite")) as history:
        history.execute("CREATE TABLE bars AS SELECT zeroblob(?) AS much", (32 << 20,))
    assert backup(config, file) == 0
    state.rename(tmp_path / "before")
    left = [*free]
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: SimpleNamespace(free=left.pop(0) if len(left) > 1 else left[0], total=1 << 40)
    )
    with pytest.raises(Refused, match=message):
        restore(config, file)
    assert not list(state.glob("*.sqlite")) if state.exists() else True
    monkeypatch.undo()
    assert restore(config, file) == 0
    assert (state / "history.sqlite").stat().st_size > 32 << 20


def test_a_configuration_that_may_only_be_read_is_restored_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, which mounts it so: all is unpacked in the state folder, and its owner's alone."""
    monkeypatch.setattr(offline, "load", loading.load)  # nobody may not start the interpreter that would run it apart
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody else in
        folder, state = Path(name), Path(name) / "memory" / "state"
        folder.chmod(0o755)
        state.mkdir(parents=True)
        (folder / "etc").mkdir()
        config = folder / "etc" / "kangbot.toml"
        config.write_text(f'mode = "sandbox"\nstate_dir = "{state}"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
        JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
        with contextlib.closing(sqlite3.connect(state / "history.sqlite")) as history:
            history.execute("CREATE TABLE journals (tag TEXT, stored INTEGER)")
        assert backup(config, folder / "backup.zip") == 0
        (folder / "backup.zip").chmod(0o644)
        shutil.rmtree(state)
        state.parent.chmod(0o777)
        (folder / "etc").chmod(0o555)
        (folder / "etc" / "kangbot.toml").chmod(0o444)
        with as_nobody():
            before = os.umask(0o022)
            try:
                assert restore(config, folder / "backup.zip") == 0
            finally:
                os.umask(before)
        (folder / "etc").chmod(0o755)
        found = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
        assert found == {"journal.sqlite": 0o600, "history.sqlite": 0o600, "lock": 0o600}


def test_what_a_killed_restore_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """The folder in which it unpacked is no memory of a daemon's, so the state folder counts as empty."""
    config, state = tmp_path / "kangbot.toml", tmp_path / "state"
    config.write_text('mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    state.mkdir()
    JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
    assert backup(config, tmp_path / "backup.zip") == 0
    shutil.rmtree(state)
    (state / ".kangbot-restore-left").mkdir(parents=True)
    (state / ".kangbot-restore-left" / "journal.sqlite").write_bytes(b"half of it")
    assert restore(config, tmp_path / "backup.zip") == 0
    assert sorted(path.name for path in state.iterdir()) == ["journal.sqlite", "lock"]


def test_a_place_that_takes_no_file_is_told_by_the_name_that_was_typed(tmp_path: Path) -> None:
    """Not by that of the folder beside it in which the backup is made."""
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    nowhere = tmp_path / "nowhere"
    with pytest.raises(Refused, match=rf"^{nowhere / 'backup.zip'} cannot be written: No such file or directory"):
        backup(config, nowhere / "backup.zip")
    for special in (tmp_path, Path(os.devnull)):
        with pytest.raises(Refused, match="it is no plain file; name one"):
            backup(config, special)
    with pytest.raises(NeedsHuman, match=r"nowhere is no backup that can be read: No such file or directory$"):
        restore(config, nowhere)
    assert [path.name for path in tmp_path.iterdir()] == [config.name]


def test_a_copy_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any database is asked."""
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    config, empty = tmp_path / "kangbot.toml", tmp_path / "empty"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    empty.write_bytes(b"")
    for file, why in ((tmp_path / "none", "No such file or directory"), (empty, "it is no dump of a history")):
        with pytest.raises(NeedsHuman, match=f"the history cannot be restored: {file}: {why}"):
            database.restore(config, file)


def test_a_full_disk_is_told_by_the_name_that_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as the output of a command that prints nothing; and nothing is left there."""
    config, target = tmp_path / "kangbot.toml", tmp_path / "there" / "backup.zip"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    (tmp_path / "state").mkdir()
    target.parent.mkdir()
    JournalFile(tmp_path / "state" / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "t").close()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match=rf"^{target} cannot be written: No space left on device\. Make room"):
        backup(config, target)
    assert not any(target.parent.iterdir())


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
