"""`kangbot config import`: another bot's configuration, as far as it has a counterpart here.

A freqtrade configuration (`freqtrade.py`), or the `global.json` and `constants.json` of an older bot
(`old_bot.py`). What is written is read as the daemon would read it before it is called written; it overwrites nothing.
No key, secret or token of a source is written, and no value of a setting that is not understood: either may be one.

The mode is never one that trades with money: what a person wants of a bot that they know they may not want of this one.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import answer, unwritten
from kangbot.cli.importing.draft import draft
from kangbot.cli.importing.freqtrade import from_freqtrade, is_freqtrade
from kangbot.cli.importing.old_bot import from_old_bot
from kangbot.cli.importing.reading import read
from kangbot.errors import ConfigInvalid, Problem
from kangbot.runtime.there import there
from kangbot.settings import load
from kangbot.settings.sources import Table, merged


def import_config(sources: Sequence[Path], config: Path, *, as_json: bool = False) -> int:
    """Write `config` from the sources and return the exit code. ConfigInvalid where nothing can be made of them."""
    if there(config):
        typer.echo(f"{config} is there already, and is not overwritten; name another with --config", err=True)
        return exit_codes.FAILURE
    table = _together(sources)
    taken = from_freqtrade(table) if is_freqtrade(table) else from_old_bot(table)
    if not taken.symbols:
        message = "names no market that kangbot could trade"
        raise ConfigInvalid(
            tuple(Problem(message=said, file=str(sources[0])) for said in (message, *taken.notes[:5])),
        )
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # also where a file has the folder's name
        typer.echo(unwritten(config.absolute(), error, place=config.parent.absolute()), err=True)
        return exit_codes.FAILURE
    try:
        _write(config, draft(taken, [source.name for source in sources]))
    except FileExistsError:
        typer.echo(f"{config} was made meanwhile, and is not overwritten", err=True)
        return exit_codes.FAILURE
    except OSError as error:
        typer.echo(unwritten(config.absolute(), error), err=True)
        return exit_codes.FAILURE
    lines = (
        f"wrote {config}: {len(taken.symbols)} markets, mode {taken.mode}",
        *(f"- {note}" for note in taken.notes),
        f"These stand in the file, too. Then: kangbot check --config {config}",
    )
    said = {"config": str(config), "mode": taken.mode, "markets": taken.symbols, "notes": taken.notes}
    return answer(said, lines, as_json=as_json)


def _together(sources: Sequence[Path]) -> Table:
    """Return one table; of what two files say the later one counts, as with freqtrade. ConfigInvalid."""
    table: Table = {}
    for source in sources:
        table = merged(table, read(source))
    return table


def _write(config: Path, text: str) -> None:
    """Write the file where the daemon would accept it. ConfigInvalid, FileExistsError, OSError."""
    trial = config.with_name(f".{config.name}.{os.getpid()}")  # beside the file: its paths are taken from there
    try:
        with trial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        load(trial, _without_ours(os.environ))
        os.link(trial, config)  # in one step, and never over a file that is there
    finally:
        trial.unlink(missing_ok=True)


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("KANGBOT_")}
