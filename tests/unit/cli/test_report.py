"""`kangbot report`: of which days, to where, and what comes of a history that is not there."""

import errno
import os
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest
import typer

from kangbot.cli.report import command
from kangbot.errors import ConfigInvalid, Retryable
from tests.support.twelve_days import configured, figures, twelve_days


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of twelve days."""
    return twelve_days(tmp_path_factory.mktemp("twelve"))


@pytest.fixture
def config(tmp_path: Path, history: Path) -> Path:
    """A configuration whose history is a copy of that."""
    return configured(tmp_path, history)


def test_a_day_that_is_none_is_told_in_one_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example of what is taken, as wrong usage; so are days the wrong way round."""
    with pytest.raises(typer.BadParameter, match="--from takes a day such as 2026-11-01, not 'yesterday'"):
        command(config, start="yesterday", end=None, html=None, as_json=False)
    with pytest.raises(typer.BadParameter, match="--to 2026-11-01 is before --from 2026-11-02"):
        command(config, start="2026-11-02", end="2026-11-01", html=None, as_json=False)
    assert capsys.readouterr().out == ""


def test_the_calendar_s_first_and_last_day_are_days(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything lies between them."""
    assert figures(config, capsys, start="0001-01-01", end="9999-12-31") == figures(config, capsys)


def test_a_history_that_is_away_may_be_there_later(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says so, as that of every command does; a configuration that is wrong has its own."""
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    with pytest.raises(Retryable):
        command(config, start=None, end=None, html=None, as_json=False)
    config.write_text("")
    with pytest.raises(ConfigInvalid):
        command(config, start=None, end=None, html=None, as_json=False)


def test_looking_makes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no daemon ran yet there is no history: root would leave one that the service may not write."""
    shutil.rmtree(config.parent / "state")
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    assert capsys.readouterr().out == "Nothing was traded in that time.\n"
    assert [path.name for path in config.parent.iterdir()] == [config.name]


def test_a_full_disk_leaves_the_page_that_is_there(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Yesterday's page is better than half of today's; a new one is open to whom the old one was."""
    page, link = tmp_path / "page" / "report.html", tmp_path / "report.html"
    page.parent.mkdir()
    page.write_text("yesterday")
    page.chmod(0o600)
    link.symlink_to(page)
    write = partial(command, config, start=None, end=None, html=link, as_json=False)
    with monkeypatch.context() as without_room:
        without_room.setattr(os, "fsync", full)
        assert write() == 1
    said = f"{link} cannot be written: No space left on device. "
    assert capsys.readouterr().err == f"{said}Make room there, or name a place on another disk.\n"
    assert (page.read_text(), list(page.parent.iterdir())) == ("yesterday", [page])
    assert write() == 0
    assert link.is_symlink()
    assert (stat.S_IMODE(page.stat().st_mode), 'id="equity"' in page.read_text()) == (0o600, True)


def full(_handle: int) -> None:
    """Be a disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_page_that_is_passed_on_replaces_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the shell has opened for us keeps what stands in it, and the word of it is not in the page."""
    log = tmp_path / "log"
    with log.open("a") as opened:
        opened.write("before\n")
        opened.flush()
        handle = Path(f"/dev/fd/{opened.fileno()}")
        assert command(config, start=None, end=None, html=handle, as_json=False) == 0
    assert log.read_text().startswith("before\n<!")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"written to {handle}\n")
    assert command(config, start=None, end=None, html=Path("/dev/full"), as_json=False) == 1
    assert Path("/dev/full").is_char_device()
