"""A backup put back: all of it, or nothing, and never over what is there."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from kangbot.cli import offline
from kangbot.cli.archive import FORMAT, Manifest
from kangbot.cli.backup import backup
from kangbot.cli.restore import restore
from kangbot.errors import ConfigInvalid, NeedsHuman, Refused
from kangbot.journal.file import JournalFile
from kangbot.journal.lock import FolderLock
from kangbot.settings import loading
from kangbot.settings.versions import Versions
from tests.support.nobody import as_nobody, open_folder

CONFIG = 'mode = "sandbox"\nstate_dir = "state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader itself, which takes a tenth; and nobody may not start the interpreter that would run it apart."""
    monkeypatch.setattr(offline, "load", loading.load)


def lost(folder: Path, *, with_configuration: bool = False, text: str = CONFIG) -> tuple[Path, Path]:
    """Return a configuration and a backup of all that its daemon had, which is there no more."""
    config, state, file = folder / "kangbot.toml", folder / "state", folder / "backup.zip"
    config.write_text(text)
    Versions(state).keep(CONFIG.encode(), "start", 0)
    (state / "KILL").write_text("news\n")
    JournalFile(state / "journal.sqlite", max_bytes=1 << 20, new_tag=lambda: "abcdefgh").close()
    with contextlib.closing(sqlite3.connect(state / "history.sqlite")) as history:
        history.execute("CREATE TABLE journals (tag TEXT, stored INTEGER)")
    assert backup(config, file) == 0
    shutil.rmtree(state)
    if with_configuration:
        config.unlink()
    return config, file


@pytest.mark.parametrize("with_configuration", [False, True])
def test_all_that_was_there_is_there_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, with_configuration: bool
) -> None:
    """The kill switch and the accepted versions too; a configuration that is there stays as it is."""
    config, file = lost(tmp_path, with_configuration=with_configuration)
    if not with_configuration:
        config.write_text(f"{CONFIG}# mine\n")
    capsys.readouterr()
    assert restore(config, file, as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["journal"], said["config"], said["config_restored"]) == ("abcdefgh", str(config), with_configuration)
    assert config.read_text() == (CONFIG if with_configuration else f"{CONFIG}# mine\n")
    state = tmp_path / "state"
    assert {path.name for path in state.iterdir()} == {"KILL", "config", "history.sqlite", "journal.sqlite", "lock"}
    assert (state / "KILL").read_text() == "news\n"
    (version,) = Versions(state).all()
    assert (version.cause, version.path.read_text()) == ("start", CONFIG)
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((state / "config").stat().st_mode) == 0o700


def test_a_backup_moved_without_the_strategy_says_what_it_lacks(tmp_path: Path) -> None:
    """On another machine the configuration is put in its place, so that it can be read; once the file is there, all."""
    own = "from kangbot.strategy.ema_cross import EmaCross\nclass Own(EmaCross):\n    name = 'own'\n"
    (tmp_path / "own.py").write_text(own)
    config, file = lost(tmp_path, with_configuration=True, text=f'{CONFIG}strategy = "own.py"\n')
    (tmp_path / "own.py").unlink()
    with pytest.raises(ConfigInvalid) as caught:
        restore(config, file)
    missing, rest = caught.value.problems
    assert f"{tmp_path}/own.py: cannot be read" in missing.message
    assert str(rest).startswith(f"{config}: is put there from the backup, and nothing else yet. A backup has neither ")
    (tmp_path / "own.py").write_text(own)
    assert restore(config, file) == 0
    assert (tmp_path / "state" / "journal.sqlite").exists()


def test_a_backup_of_another_mode_is_refused(tmp_path: Path) -> None:
    """Positions of the sandbox are none of a real account."""
    config, file = lost(tmp_path)
    config.write_text(CONFIG.replace("sandbox", "paper"))
    with pytest.raises(NeedsHuman, match=r"is of mode sandbox at bybit, the configuration of paper at bybit$"):
        restore(config, file)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


def test_a_folder_in_which_something_is_keeps_it(tmp_path: Path) -> None:
    """What there is, is named."""
    config, file = lost(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "last_run.json").write_text("{}")
    with pytest.raises(NeedsHuman, match=r"state is not empty: it has last_run\.json$"):
        restore(config, file)
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"last_run.json", "lock"}


def test_a_daemon_that_runs_keeps_its_folder(tmp_path: Path) -> None:
    """However empty it looks: its journal may have been removed under it."""
    config, file = lost(tmp_path)
    held = FolderLock(tmp_path / "state")
    with pytest.raises(NeedsHuman, match="belongs to a running kangbot"):
        restore(config, file)
    held.release()
    assert restore(config, file) == 0


def test_a_history_of_another_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is asked for that; and what goes into a file is not put over one."""
    config, file = lost(tmp_path)
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    words = "the history in the backup is an SQLite file, and that of the configuration is a server"
    with pytest.raises(NeedsHuman, match=words):
        restore(config, file)
    (tmp_path / "taken.sqlite").write_bytes(b"mine")
    monkeypatch.setenv("KANGBOT_DATABASE__URL", f"sqlite:///{tmp_path / 'taken.sqlite'}")
    with pytest.raises(NeedsHuman, match=r"the history .*taken\.sqlite is there already"):
        restore(config, file)
    assert (tmp_path / "taken.sqlite").read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


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


def test_a_configuration_that_may_only_be_read_is_restored_beside() -> None:
    """As in a container, which mounts it so: all is unpacked in the state folder, and its owner's alone."""
    with open_folder() as folder:
        state = folder / "memory" / "state"
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
