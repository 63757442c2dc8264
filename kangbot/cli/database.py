"""`kangbot db …`: the history database's tables."""

import asyncio
import os
from pathlib import Path

import typer

from kangbot.cli import exit_codes
from kangbot.settings import load
from kangbot.storage import migrate, url
from kangbot.storage.glance import current
from kangbot.storage.tables import REVISION


def upgrade(config: Path) -> int:
    """Bring the tables to this version's and say from where to where. Raises what `migrate.upgrade` raises."""
    settings = load(config, os.environ)
    target = url.parse(settings.history_url)
    if isinstance(target, url.MysqlUrl) and asyncio.run(current(target)):  # without alembic: a second on a small server
        typer.echo(f"{target}: at {REVISION} already")
        return exit_codes.OK
    schema = migrate.upgrade(target)
    if schema.current == schema.newest:
        typer.echo(f"{target}: at {schema.newest} already")
    else:
        typer.echo(f"{target}: {schema.current or 'empty'} → {schema.newest}")
    return exit_codes.OK
