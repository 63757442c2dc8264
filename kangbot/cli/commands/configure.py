"""`kangbot config …`: the configuration's file, and its accepted versions."""

from pathlib import Path
from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, group

commands = group("The configuration's file, and its accepted versions.")

State = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="The state folder, if the file is broken.")
]


@commands.command("show")
def show(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Print every setting and where its value comes from.

    The file's line, a variable, a secret's file, or the default. Of a secret it says only that it is there.
    """
    from kangbot.cli.config import show as command

    raise typer.Exit(command(config, as_json=as_json))


@commands.command("validate")
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file, not only the one in use.", readable=False)],
    *,
    as_json: Json = False,
) -> None:
    """List all mistakes in a file, or what it means; offline."""
    from kangbot.cli.check import validate as command

    raise typer.Exit(command(file, as_json=as_json))


@commands.command("versions")
def versions(config: Config = DEFAULT_CONFIG, state: State = None, *, as_json: Json = False) -> None:
    """List the accepted versions, oldest first."""
    from kangbot.cli.config import versions as command

    raise typer.Exit(command(config, state, as_json=as_json))


@commands.command("diff")
def diff(
    number: Annotated[int | None, typer.Argument(help="The version; the newest by default.")] = None,
    config: Config = DEFAULT_CONFIG,
    state: State = None,
    *,
    as_json: Json = False,
) -> None:
    """Compare the file with an accepted version."""
    from kangbot.cli.config import diff as command

    raise typer.Exit(command(config, state, number, as_json=as_json))


@commands.command("restore")
def restore(
    which: Annotated[str, typer.Argument(metavar="NUMBER|FILE", help="An accepted version, or a file.")],
    config: Config = DEFAULT_CONFIG,
    state: State = None,
    *,
    as_json: Json = False,
) -> None:
    """Replace the configuration by a version, or by a file.

    What was there is set aside.
    """
    from kangbot.cli.config import restore as command

    raise typer.Exit(command(config, state, which, as_json=as_json))


@commands.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; it must not exist.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Copy the configuration if it is valid; it holds no secret."""
    from kangbot.cli.config import backup as command

    raise typer.Exit(command(config, file, as_json=as_json))


@commands.command("import")
def import_config(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Of freqtrade, or an older bot's global.json, constants.json."),
    ],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Convert the configuration of another bot.

    It overwrites nothing, copies no key, and lists what has no counterpart.
    """
    from kangbot.cli.importing import import_config as command

    raise typer.Exit(command(sources, config, as_json=as_json))
