"""Commands about what outlives the daemon: backups, the history database, the journal."""

from pathlib import Path
from typing import Annotated

import typer

from kangbot.cli.commands.options import DEFAULT_CONFIG, Config, Json, group

commands = group()
database = group("The history database.")
journal = group("The journal, the daemon's memory.")
commands.add_typer(database, name="db")
commands.add_typer(journal, name="journal")


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; an existing file is replaced.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Write a backup into one file; the daemon may be running.

    Journal, history and configuration.
    """
    from kangbot.cli.backup import backup as command

    raise typer.Exit(command(config, file, as_json=as_json))


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `kangbot backup` wrote.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty state folder.

    It overwrites nothing.
    """
    from kangbot.cli.restore import restore as command

    raise typer.Exit(command(config, file, as_json=as_json))


@database.command()
def upgrade(
    config: Config = DEFAULT_CONFIG,
    *,
    copy_to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Copy a server's rows here first, not into the state folder.")
    ] = None,
    without_copy: Annotated[bool, typer.Option("--without-copy", help="Copy nothing first.")] = False,
    startup: Annotated[bool, typer.Option("--startup", help="For a container: send a message if it fails.")] = False,
    as_json: Json = False,
) -> None:
    """Upgrade the tables of the database to this version.

    Does nothing if they are up to date; otherwise copies the history first.
    """
    from kangbot.cli.database import upgrade as command

    copied = not without_copy
    raise typer.Exit(command(config, copy_to=copy_to, copied=copied, as_json=as_json, at_start=startup))


@database.command("restore")
def put_back(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy that an upgrade made of a server's history.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Put a copy from before an upgrade into an empty database.

    The tables are those of the version that wrote them.
    """
    from kangbot.cli.database import restore as command

    raise typer.Exit(command(config, file, as_json=as_json))


@journal.command()
def rebuild(
    config: Config = DEFAULT_CONFIG,
    *,
    tag: Annotated[str | None, typer.Option(help="Which journal, if the history has several.")] = None,
    as_json: Json = False,
) -> None:
    """Rebuild a journal that was lost with its disk from the history.

    It never overwrites an existing journal.
    """
    from kangbot.cli.journal import rebuild as command

    raise typer.Exit(command(config, tag, as_json=as_json))
