"""How a command that has done its work answers: one JSON object for a script, or lines for a person."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import TextWrapper

import typer

from kangbot.cli import exit_codes
from kangbot.control.client import NoDaemonError
from kangbot.model.plain_json import plain_json


def answer(said: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> int:
    """Print the object or the lines, and return the exit code. Names in the object are stable."""
    if as_json:
        typer.echo(plain_json(said).decode())
    else:
        for line in lines:
            typer.echo(fitted(line))
    return exit_codes.OK


def fitted(text: str) -> str:
    """Return the lines as they fit a terminal, broken between words, what goes on indented; for a file unchanged."""
    if not sys.stdout.isatty():
        return text
    words = TextWrapper(
        width=shutil.get_terminal_size().columns,
        subsequent_indent=" " * 4,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(words.fill(line) for line in text.splitlines())


def cut(text: str) -> str:
    """Return the lines as far as they fit a terminal; for a file unchanged."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(line if len(line) <= width else f"{line[: width - 1].rstrip()}…" for line in text.splitlines())


def no_daemon(error: NoDaemonError, config: Path) -> str:
    """Return what is said where no daemon answers, with what to do.

    A second daemon is no answer to a socket that only another user may open, or to a daemon that is slow to answer.
    """
    if error.shut:
        return f"{error}\nOne may run all the same: type this with sudo, or as the user that the daemon runs as."
    if error.silent:
        return f"{error}\nOne is there: it begins, has much to do, or hangs. Ask again; where it lasts, see its log."
    return f"{error}\nStart one with: kangbot run --config {config}"
