"""`kangbot config …`: the configuration's file, and its accepted versions."""

from pathlib import Path
from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, group

commands = group("The configuration's file, and its accepted versions.")

State = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="The state folder, where the file is broken.")
]


@commands.command("show")
def show(config: Config = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Print each setting's value, and who says it.

    The file's line, a variable, a secret's file, or the default. A secret is only said to be there.
    """
    from kangbot.cli.config import show as command

    raise typer.Exit(command(config, as_json=as_json))


@commands.command("validate")
def validate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Any; it need not be the one that runs.", readable=False)
    ],
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
    *,
    as_json: Json = False,
) -> None:
    """Show what the file has otherwise than an accepted version."""
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
    """Put a version, or a file, in the file's place.

    What was there is set aside.
    """
    from kangbot.cli.config import restore as command

    raise typer.Exit(command(config, state, which, as_json=as_json))


@commands.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; it must not be there.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Copy the file, where it is right; no secret is in it."""
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
    """Write a configuration from another bot's.

    It overwrites none, takes no key, and says what has no counterpart.
    """
    from kangbot.cli.importing import import_config as command

    raise typer.Exit(command(sources, config, as_json=as_json))
