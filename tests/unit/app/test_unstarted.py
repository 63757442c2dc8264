"""A start that a wrong configuration prevents: who is told of it, and when nobody is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kangbot.app import unstarted
from kangbot.app.unstarted import tell, tell_wrong
from kangbot.cli.exit_codes import CONFIG
from kangbot.cli.main import app
from kangbot.errors import ConfigInvalid, Problem
from kangbot.journal.lock import FolderLock
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.settings.kinds import Secret
from kangbot.settings.notify import Notify
from kangbot.settings.versions import Versions

NOWHERE = "json://127.0.0.1:1/hunter2/"  # nobody listens there
GOOD = b'mode = "paper"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
WRONG = ConfigInvalid((Problem(message="is no setting", key="sizze", file="kangbot.toml", line=3),))


def said(folder: Path) -> str:
    """Return what people were told last, or were tried to be; "" for nothing."""
    file = folder / "state" / "last_words.json"
    return file.read_text() if file.exists() else ""


def ended(*words: str, apart: bool) -> tuple[int, str]:
    """Return the exit code and the messages of a command: in a process of its own, or here."""
    if not apart:
        done = CliRunner().invoke(app, words, env={"KANGBOT_NOTIFY__ADDRESSES": NOWHERE})
        return done.exit_code, done.stderr or str(done.exception)
    environment = {**os.environ, "KANGBOT_NOTIFY__ADDRESSES": NOWHERE}
    command = [sys.executable, "-m", "kangbot", *words]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file that was right once, and whose state folder knows it."""
    file = tmp_path / "kangbot.toml"
    file.write_bytes(GOOD)
    Versions(tmp_path / "state").keep(GOOD, "start", 0)
    return file


def test_nobody_is_told_where_no_configuration_was_ever_right_or_nobody_is_named(config: Path, tmp_path: Path) -> None:
    """Whoever writes the first one looks."""
    clock = real_world().clock
    tell_wrong(config, {}, WRONG, clock)
    tell_wrong(config, {"KANGBOT_NOTIFY__ADDRESSES": NOWHERE, "KANGBOT_STATE_DIR": "new"}, WRONG, clock)
    assert not said(tmp_path)
    assert not (tmp_path / "new").exists()


def test_nobody_is_told_while_a_daemon_runs_or_where_it_could_not_be_remembered(tmp_path: Path) -> None:
    """The one that runs tells of its file itself; without a memory each start of a loop would say the same."""
    notify = Notify(addresses=Secret(NOWHERE))
    lock = FolderLock(tmp_path / "state")
    tell(Settings(state_dir=tmp_path / "state", notify=notify), WRONG, real_world().clock)
    lock.release()
    assert not said(tmp_path)
    (tmp_path / "file").touch()
    tell(Settings(state_dir=tmp_path / "file", notify=notify), WRONG, real_world().clock)


def test_a_start_keeps_its_own_end_whatever_becomes_of_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No handle is left for a process, say: the exit code is the configuration's all the same."""
    monkeypatch.setattr(unstarted, "run", lambda work: work.close() or 1 // 0)
    tell(Settings(state_dir=tmp_path, notify=Notify(addresses=Secret(NOWHERE))), WRONG, real_world().clock)
    assert "nobody could be told: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.process
def test_the_look_before_a_container_starts_tells_people_of_a_file_that_is_wrong(config: Path) -> None:
    """No daemon is started after it that could; by the addresses of the last right one. Who looks by hand sees it."""
    config.write_text("[[markets]]\n")
    for option, tells in ((), False), (("--startup",), True):
        code, said_here = ended("check", *option, "--config", str(config), apart=tells)
        assert code == CONFIG
        place = f"{config}:1: markets[0].symbol: is missing"
        assert place in said_here
        assert (f"it does not run; stops of open positions rest at the venue: {place}" in said(config.parent)) is tells
        assert "hunter2" not in said_here


@pytest.mark.process
def test_a_container_whose_tables_cannot_be_brought_up_to_date_tells_people(config: Path) -> None:
    """The daemon that could tell of it is not started. Who upgrades by hand sees it."""
    (config.parent / "state" / "history.sqlite").write_bytes(b"torn" * 4096)
    for option, tells in ((), False), (("--startup",), True):
        code, said_here = ended("db", "upgrade", *option, "--config", str(config), apart=tells)
        assert code != 0
        assert "history.sqlite" in said_here
        words = "it does not run; stops of open positions rest at the venue: "
        assert (words in said(config.parent) and "history.sqlite" in said(config.parent)) is tells
