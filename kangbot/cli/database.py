"""`kangbot db …`: the history database's tables."""

import asyncio
import os
from pathlib import Path

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.settings import load
from kangbot.storage import migrate, url
from kangbot.storage.glance import current
from kangbot.storage.tables import REVISION


def upgrade(config: Path, *, as_json: bool = False) -> int:
    """Bring the tables to this version's and say from where to where. Raises what `migrate.upgrade` raises."""
    settings = load(config, os.environ)
    target = url.parse(settings.history_url)
    if isinstance(target, url.MysqlUrl) and asyncio.run(current(target)):  # without alembic: a second on a small server
        before, after = REVISION, REVISION
    else:
        schema = migrate.upgrade(target)
        before, after = schema.current or "", schema.newest
    if as_json:
        typer.echo(msgspec.json.encode({"database": str(target), "from": before, "to": after}).decode())
    elif before == after:
        typer.echo(f"{target}: at {after} already")
    else:
        typer.echo(f"{target}: {before or 'empty'} → {after}")
    return exit_codes.OK
