"""`kangbot config …`: the configuration's file, and its accepted versions."""

from pathlib import Path
from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, group

commands = group("The configuration's file, and its accepted versions.")

State = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="The state folder, where the file is broken.")
]


@commands.command("validate")
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any; it need not be the one that runs.")],
    *,
    as_json: Json = False,
) -> None:
    """Tell every mistake of a file, or what it means; asks nobody."""
    from kangbot.cli.check import validate as command

    raise typer.Exit(command(file, as_json=as_json))


@commands.command("versions")
def versions(config: Config = DEFAULT_CONFIG, state: State = None, *, as_json: Json = False) -> None:
    """Name the accepted versions, oldest first."""
    from kangbot.cli.config import versions as command

    raise typer.Exit(command(config, state, as_json=as_json))


@commands.command("diff")
def diff(
    number: Annotated[int | None, typer.Argument(help="Of the version; the newest by default.")] = None,
    config: Config = DEFAULT_CONFIG,
    state: State = None,
) -> None:
    """Show what the file has otherwise than an accepted version."""
    from kangbot.cli.config import diff as command

    raise typer.Exit(command(config, state, number))


@commands.command("restore")
def restore(
    number: Annotated[int, typer.Argument(help="Of the version.")],
    config: Config = DEFAULT_CONFIG,
    state: State = None,
) -> None:
    """Put an accepted version in the file's place.

    What was there is set aside.
    """
    from kangbot.cli.config import restore as command

    raise typer.Exit(command(config, state, number))


@commands.command("import")
def import_config(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Of freqtrade, or an older bot's global.json, constants.json."),
    ],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write a configuration from another bot's.

    It overwrites none, takes no key, and says what has no counterpart.
    """
    from kangbot.cli.importing import import_config as command

    raise typer.Exit(command(sources, config))
