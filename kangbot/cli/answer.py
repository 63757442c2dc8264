"""How a command that has done its work answers: one JSON object for a script, or lines for a person."""

from collections.abc import Iterable, Mapping

import msgspec
import typer

from kangbot.cli import exit_codes


def answer(said: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> int:
    """Print the object or the lines, and return the exit code. Names in the object are stable."""
    if as_json:
        typer.echo(msgspec.json.encode(said).decode())
    else:
        for line in lines:
            typer.echo(line)
    return exit_codes.OK
