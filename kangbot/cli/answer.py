"""How a command that has done its work answers: one JSON object for a script, or lines for a person."""

import errno
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import TextWrapper

import typer

from kangbot.cli import exit_codes
from kangbot.control.client import NoDaemonError
from kangbot.model.plain_json import plain_json
from kangbot.model.printable import printable

_ELSEWHERE = "Name a place that this user may write, or type it as a user who may write there."
_ROOM = "Make room there, or name a place on another disk."
_WRITABLE = {  # by what the system said
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EROFS: "It is mounted to be read only: name another place.",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.ENOENT: "Make its folder first, or name another place.",
}


def answer(said: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> int:
    """Print the object or the lines, and return the exit code. Names in the object are stable."""
    if as_json:
        typer.echo(plain_json(said).decode())
    else:
        for line in lines:
            typer.echo(fitted(line))
    return exit_codes.OK


def fitted(text: str) -> str:
    """Return the lines as they fit a terminal, broken between words, what goes on indented; for a file whole.

    Nothing in them moves its cursor.
    """
    lines = [printable(line) for line in text.split("\n")]
    if not sys.stdout.isatty():
        return "\n".join(lines)
    words = TextWrapper(
        width=shutil.get_terminal_size().columns,
        subsequent_indent=" " * 4,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(words.fill(line) for line in lines)


def unwritten(path: Path, error: OSError, *, place: Path | None = None) -> str:
    """Return that the file cannot be written, why, and what to do; `place` is the folder that refused it."""
    said = f"{path} cannot be written: {error.strerror}" + (f": {place}" if place else "")
    remedy = _WRITABLE.get(error.errno or 0)
    return f"{said}. {remedy}" if remedy else said


def cut(text: str, *, keep: int = 0) -> str:
    """Return the lines as far as they fit a terminal, but the first `keep` characters of each; for a file unchanged."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    ends = max(width - 1, keep)
    room = " " if ends == keep else ""  # what is kept is whole: nothing that is cut follows on it
    return "\n".join(
        line if len(line) <= max(width, keep) else f"{line[:ends].rstrip()}{room}…" for line in text.splitlines()
    )


def no_daemon(error: NoDaemonError, config: Path) -> str:
    """Return what is said where no daemon answers, with what to do.

    A second daemon is no answer to a socket that only another user may open, or to a daemon that is slow to answer.
    """
    if error.shut:
        return f"{error}\nOne may run all the same: type this with sudo, or as the user that the daemon runs as."
    if error.silent:
        return f"{error}\nOne is there: it begins, has much to do, or hangs. Ask again; where it lasts, see its log."
    return f"{error}\nStart one with: kangbot run --config {config}"
