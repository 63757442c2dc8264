"""How a command answers: lines for a person, which move no cursor, or an object for a script."""

import contextlib
import errno
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.answer import answer, cut, fitted, no_daemon, unwritten
from kangbot.control.client import NoDaemonError

SHOWN = "from kangbot.cli.answer import fitted; print(fitted('market  why\\n\\nBTC/USDT  EMA 5 is below EMA 20'))"


def test_a_narrow_terminal_breaks_lines_between_words_and_a_file_has_them_whole() -> None:
    """What goes on is indented, so that a row is seen to be one."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SHOWN]
    environ = {**os.environ, "COLUMNS": "20"}
    subprocess.run(command, stdout=theirs, env=environ, check=True)
    os.close(theirs)
    said = os.read(ours, 4096).decode().replace("\r\n", "\n")
    os.close(ours)
    assert said == "market  why\n\nBTC/USDT  EMA 5 is\n    below EMA 20\n"
    filed = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    assert filed.stdout == "market  why\n\nBTC/USDT  EMA 5 is below EMA 20\n"


def test_lines_move_no_cursor() -> None:
    """In a file as in a terminal; where they end is ours."""
    assert fitted("first\x1b[2J\nsecond") == "first\\x1b[2J\nsecond"


@contextlib.contextmanager
def narrow() -> Iterator[None]:
    """Have a terminal at standard output."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs, "w") as screen, contextlib.redirect_stdout(screen):
        yield


def test_a_row_of_a_list_keeps_its_line_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no room is cut, and that is seen; what has, is whole."""
    monkeypatch.setenv("COLUMNS", "20")
    with narrow():
        said = cut(f"{'x' * 20}\n{'y' * 21}\nend of a line that is cut")
    assert said == f"{'x' * 20}\n{'y' * 19}…\nend of a line that…"


def test_a_row_of_a_list_is_whole_in_a_file() -> None:
    """Whatever its length."""
    assert cut("y" * 500) == "y" * 500


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, ". Name a place that this user may write, or type it as a user who may write there."),
        (errno.EPERM, ". Name a place that this user may write, or type it as a user who may write there."),
        (errno.EROFS, ". It is mounted to be read only: name another place."),
        (errno.ENOSPC, ". Make room there, or name a place on another disk."),
        (errno.EDQUOT, ". Make room there, or name a place on another disk."),
        (errno.ENOENT, ". Make its folder first, or name another place."),
        (errno.EIO, ""),
    ],
)
def test_a_file_that_cannot_be_written_is_told_with_what_to_do(number: int, remedy: str) -> None:
    """In the system's words; with the folder, where it is that which refuses."""
    error = OSError(number, os.strerror(number))
    assert unwritten(Path("/a/b"), error) == f"/a/b cannot be written: {os.strerror(number)}{remedy}"
    assert unwritten(Path("/a/b"), error, place=Path("/a")).startswith(
        f"/a/b cannot be written: {os.strerror(number)}: /a"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoDaemonError("nobody"), "Start one with: kangbot run --config mine.toml"),
        (NoDaemonError("nobody", shut=True), "One may run all the same: type this with sudo"),
        (NoDaemonError("nobody", silent=True), "One is there: it begins, has much to do, or hangs."),
    ],
)
def test_a_second_daemon_is_advised_only_where_there_is_none(error: NoDaemonError, words: str) -> None:
    """Two of them on one account would trade against each other."""
    said = no_daemon(error, Path("mine.toml"))
    assert said.startswith(f"nobody\n{words}")
    assert ("kangbot run" in said) is not (error.shut or error.silent)


def test_an_answer_is_for_a_person_or_for_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Never both; either is a success."""
    for as_json, said in ((False, "one\ntwo\\x1b\n"), (True, '{"amount":"0.10"}\n')):
        assert answer({"amount": Decimal("0.10")}, ("one", "two\x1b"), as_json=as_json) == 0
        assert capsys.readouterr().out == said
