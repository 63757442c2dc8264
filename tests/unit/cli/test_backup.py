"""`kangbot backup`: what stands in its way is said in words, and nothing half-made is left."""

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.backup import backup
from kangbot.cli.restore import restore
from kangbot.errors import NeedsHuman, Refused
from kangbot.journal.file import JournalFile
from tests.support.terminal import HEARS_ITS_END


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
            out, err = process.communicate(timeout=300)
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
