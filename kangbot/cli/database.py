"""`kangbot db …`: the history database's tables."""

import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip

import asyncio
import shlex
from collections.abc import Iterator
from pathlib import Path

from kangbot.cli.answer import answer
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.errors import KangbotError, NeedsHuman
from kangbot.runtime.world import real_world
from kangbot.storage import migrate, url
from kangbot.storage.dump import empty, extent, fill, marks, revision_of
from kangbot.storage.glance import current, missing
from kangbot.storage.glance import revision as revision_at
from kangbot.storage.keep import Keeping
from kangbot.storage.schema import judge
from kangbot.storage.tables import REVISION


def upgrade(
    config: Path, *, copy_to: Path | None = None, copied: bool = True, as_json: bool = False, at_start: bool = False
) -> int:
    """Bring the tables to this version's and say from where to where. Raises what `migrate.upgrade` raises.

    A server's rows are copied first, to `copy_to` or the state folder, unless not `copied`. `at_start`: a container's
    start comes to nothing where this does, and people are told.
    """
    settings = settings_of(config)
    target = url.parse(settings.history_url)
    try:
        schema = _brought_forward(target, copy_to or settings.state_dir, settings.state_dir, copied=copied)
    except KangbotError as error:
        if at_start:
            from kangbot.app.unstarted import tell  # noqa: PLC0415 -- the daemon's parts, which nobody else needs here

            tell(settings, error, real_world().clock)
        raise
    copy = str(schema.copy) if schema.copy else None
    said = {
        "database": str(target),
        "from": schema.current or "",
        "to": schema.newest,
        "copy": copy,
        "tables_made_anew": schema.anew,
    }
    return answer(said, _upgraded(target, schema, config), as_json=as_json)


def _brought_forward(target: url.DatabaseUrl, folder: Path, state_dir: Path, *, copied: bool) -> migrate.Schema:
    if isinstance(target, url.MysqlUrl) and _whole(target):  # without alembic: a second on a small server
        return migrate.Schema(current=REVISION, newest=REVISION)
    keeping = Keeping(folder=folder, now_ns=real_world().clock.now_ns())
    with given_to_its_owner(state_dir):
        return migrate.upgrade(target, keeping=keeping if copied else None)


def _whole(target: url.MysqlUrl) -> bool:
    return asyncio.run(current(target)) and not asyncio.run(missing(target))


def _upgraded(target: url.DatabaseUrl, schema: migrate.Schema, config: Path) -> Iterator[str]:
    if schema.anew:
        yield f"{target}: tables were missing, and are made anew without a row: {', '.join(schema.anew)}"
        yield "What they held is not in this database any more; a backup may have it."
    if schema.current == schema.newest:
        if not schema.anew:
            yield f"{target}: at {schema.newest} already"
        return
    yield f"{target}: {schema.current or 'empty'} → {schema.newest}"
    if schema.copy and isinstance(target, url.MysqlUrl):
        yield f"as it was before: {schema.copy}"
        back = f"kangbot db restore {shlex.quote(str(schema.copy))} --config {shlex.quote(str(config))}"
        yield f"to go back, with database.url naming an empty database: {back}"
    elif schema.copy:
        yield f"as it was before: {schema.copy}; to go back, put it in the file's place"


def restore(config: Path, file: Path, *, as_json: bool = False) -> int:
    """Put a copy of a server's history into an empty database, with the tables as they were, and return the exit code.

    The version of kangbot that wrote it goes on from there; a later one brings the tables forward again. NeedsHuman:
    the file is no copy, the database is not empty, or the configuration names none.
    """
    target = url.parse(settings_of(config).history_url)
    if not isinstance(target, url.MysqlUrl):
        raise NeedsHuman(
            "a copy of a server's history goes back into a server, and the configuration has an SQLite file",
            remedy=f"name an empty database in database.url of {config}, or with --config the configuration that does",
        )
    try:
        revision = revision_of(file)
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error
    there = asyncio.run(revision_at(target))
    if there is not None:
        judge(there, str(target))
    if there is not None and there > revision:
        raise NeedsHuman(
            f"{target} has tables of revision {there}, and the copy is of {revision}",
            remedy="name an empty database, without a table; nothing was changed",
        )
    if there == revision and filled(target, file):  # the call before was killed over its answer
        raise NeedsHuman(
            f"{target} has a history already, and it is the copy's: every row of {file}",
            remedy="nothing is left to do; to put it somewhere else, name an empty database",
        )
    count = refill(target, file, revision)
    said = {"database": str(target), "revision": revision, "rows": count}
    return answer(said, (f"{target}: {count} rows restored, tables of revision {revision}",), as_json=as_json)


def filled(target: url.MysqlUrl, rows: Path) -> bool:
    """Return whether the database has these rows and nothing later: they go in all at once, and marks tell, if any."""
    try:
        there = asyncio.run(extent(target)).stored
        return bool(there) and there == marks(rows)
    except ValueError as error:
        raise _unusable(rows, error) from error


def refill(target: url.MysqlUrl, rows: Path, revision: str) -> int:
    """Make the tables as they were, fill them with the rows, and return how many. NeedsHuman where there are any."""
    try:
        must_be_empty(target)  # before the tables are touched; looked at again where they are filled
        migrate.upgrade(target, to=revision)
        return asyncio.run(fill(target, rows))
    except ValueError as error:
        raise _unusable(rows, error) from error


def must_be_empty(target: url.MysqlUrl) -> None:
    """NeedsHuman where one of our tables has a row."""
    if not asyncio.run(empty(target)):
        raise NeedsHuman(f"{target} has a history already", remedy="name an empty database; nothing is overwritten")


def _unusable(file: Path, error: Exception) -> NeedsHuman:
    why = error.strerror if isinstance(error, OSError) else error
    return NeedsHuman(f"the history cannot be restored: {file}: {why}", remedy="take another backup")
