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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; replaced where it is there.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Write what matters into one file; the daemon may run.

    Journal, history and configuration.
    """
    from kangbot.cli.backup import backup as command

    raise typer.Exit(command(config, file, as_json=as_json))


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.")],
    config: Config = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Put a backup into an empty state folder.

    It overwrites nothing.
    """
    from kangbot.cli.restore import restore as command

    raise typer.Exit(command(config, file, as_json=as_json))


@database.command()
def upgrade(
    config: Config = DEFAULT_CONFIG,
    *,
    copy_to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where a server's rows are copied to first; the state folder.")
    ] = None,
    without_copy: Annotated[bool, typer.Option("--without-copy", help="Copy nothing first.")] = False,
    startup: Annotated[bool, typer.Option("--startup", help="A container's: tell people if it fails.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the database's tables to what this version writes.

    Changes nothing where they are; copies the history first where they are not.
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
    """Put a copy into an empty database, as it was before an upgrade.

    The tables are as they were, for the version that wrote them.
    """
    from kangbot.cli.database import restore as command

    raise typer.Exit(command(config, file, as_json=as_json))


@journal.command()
def rebuild(
    config: Config = DEFAULT_CONFIG,
    *,
    tag: Annotated[str | None, typer.Option(help="Which, where the history has several.")] = None,
    as_json: Json = False,
) -> None:
    """Make a journal that was lost with its disk anew from the history.

    It overwrites none that is there.
    """
    from kangbot.cli.journal import rebuild as command

    raise typer.Exit(command(config, tag, as_json=as_json))
