"""Brings the history's schema to what this kangbot writes: forward only, safe to run again, one at a time.

Alembic and SQLAlchemy take 30 MB, so they never enter the daemon: it calls `upgrade_apart`, which runs this module in
a process of its own. The URL with its password goes by standard input, for a command line is for everybody to read.
Both libraries are imported inside the functions that use them, only ever called in that process (and in tests).
"""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

import kangbot
from kangbot.errors import KangbotError, NeedsHuman, Retryable
from kangbot.runtime.installation import RESTART, last_said, replaced, unstarted
from kangbot.runtime.there import there
from kangbot.runtime.world import real_world
from kangbot.storage import tls
from kangbot.storage.room import changed, full, lacking
from kangbot.storage.schema import SQL_MODE, newer
from kangbot.storage.tables import LATER, NAMES, REVISION
from kangbot.storage.url import DatabaseUrl, MysqlUrl, SqliteUrl, parse

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from kangbot.storage.keep import Keeping

log = structlog.get_logger(__name__)

_EX_TEMPFAIL, _EX_CONFIG = 75, 78  # sysexits.h
# One for a database, not for a server; a name may have 64 characters, and that of a database has as many.
_LOCK = "SELECT GET_LOCK(CONCAT('kangbot.', SHA1(DATABASE())), :s)"
_LOCK_S = 60
_HELD_S = 60  # for a table that somebody uses: whoever comes after a change that waits, waits behind it
_CONNECT_S = 10
_LOOK_S = _LOCK_S + 10  # for an answer, while it is only looked and waited for the lock
_ANSWER_S = 1_800  # to one statement that changes the schema: an index over years of rows, on a slow disk
# Access denied, no such database: nobody but a person can change these.
_DENIED = frozenset({1044, 1045, 1049, 1130, 1142, 1227, 1698})
_FULL = frozenset({1021, 1114, 1878})  # the disk; and the folder in which an index is sorted
# Of the server's files, and of what it keeps in them: without room it may say no more than that, or nonsense.
_INSIDE = frozenset({*range(1, 1000), 1815})
_LOST = 2013  # the driver's own, also where it has waited for long enough
_REMEDY = "see that database.url is right, and that it may be opened and its schema changed"
_ROOM = (
    "make room on the disk of the database server, and where its tmpdir is: an index over years of rows is sorted there"
)
# A copy of years of rows, then an index over them, on a slow disk and a share of a core. Each answer of a server has a
# bound of its own; one that is cut short begins anew, and would never come to an end.
_APART_S = 6 * 3600.0
_COPIES = 2  # of an embedded history: each is as large as it was


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """What a database has (`None`: nothing of ours), and what this kangbot brings it to."""

    current: str | None
    newest: str
    copy: Path | None = None  # of the rows as they were before
    anew: tuple[str, ...] = ()  # tables that somebody had dropped


def upgrade(url: DatabaseUrl, *, to: str = "head", keeping: "Keeping | None" = None) -> Schema:
    """Bring the schema to the newest revision, or to an older one; return what it was and the newest.

    An older schema is copied first. A file goes to `history.sqlite.revision-0001` beside it, where the disk has room
    for that too. A server's rows go where `keeping` says, or nowhere without it, and where that fails nothing is
    changed: meanwhile the daemon trades on without its history. Tables that somebody dropped are made anew, without a
    row.

    Retryable: the database is away, or another process is at it. NeedsHuman: its schema is of a later kangbot, its
    user may not change the schema, or there is no room for the copy of a server, or for the change of a file.
    """
    from alembic import command  # noqa: PLC0415 -- only in its own process

    with _connected(url) as connection:
        config = _config(connection)
        schema = _schema(connection, url)
        copy = None
        if schema.current not in (None, schema.newest):
            if isinstance(url, SqliteUrl):
                copy = _keep(url.path, f"revision-{schema.current}")
                _must_fit(url)
            elif keeping is not None:
                from kangbot.storage.keep import keep  # noqa: PLC0415 -- the driver, which an embedded history needs not

                copy = keep(url, str(schema.current), keeping)
        if isinstance(url, MysqlUrl):
            # The driver takes a bound for the whole connection, and this one has the lock.
            driver: Any = connection.connection.driver_connection
            driver._read_timeout = _ANSWER_S  # noqa: SLF001 -- it has no other way
        anew = _made_anew(connection, config, schema.current) if schema.current else ()
        command.upgrade(config, to)
        connection.commit()
    return msgspec.structs.replace(schema, copy=copy, anew=anew)


def check(url: DatabaseUrl) -> Schema:
    """Return what the database has, without changing anything. The same errors as `upgrade`."""
    with _connected(url) as connection:
        return _schema(connection, url)


async def upgrade_apart(url: DatabaseUrl, copies: Path | None = None, *, timeout_s: float = _APART_S) -> None:
    """Run `upgrade` in a process of its own, which ends with this call, however it ends. The same errors.

    A server's rows are copied into the folder `copies` first. NeedsHuman, too, where another version's files took the
    place of ours: it would change the tables to what we do not write.
    """
    if replaced():
        raise NeedsHuman(
            f"{url} lacks tables of ours, and kangbot's files were replaced or removed since it was started",
            remedy=RESTART,
        )
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "kangbot.storage.migrate",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise Retryable(f"{url} cannot be migrated: {unstarted(error)}") from error
    try:
        async with asyncio.timeout(timeout_s):
            copy, errors = await process.communicate(f"{url.full}\n{copies or ''}\n".encode())
    except TimeoutError:
        raise Retryable(f"migrating {url} did not end within {timeout_s:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    message, _, remedy = errors.decode(errors="replace").strip().partition("\n")
    match process.returncode:
        case 0:
            if copy:
                log.info("history.copied", file=copy.decode(errors="replace").strip())
        case code if code == _EX_CONFIG:
            raise NeedsHuman(message, remedy=remedy)
        case code if code == _EX_TEMPFAIL:
            raise Retryable(message)
        case code:
            why = last_said(errors)
            raise Retryable(f"migrating {url} ended with code {code}{why and f': {why}'}", code=str(code))


def migrations() -> Path:
    """Return the folder of the migrations: the checkout's, or the one that was installed with the package."""
    places = (Path(kangbot.__file__).parent.parent, Path(sys.prefix) / "share" / "kangbot")
    for place in places:
        if (place / "migrations" / "env.py").is_file():
            return place / "migrations"
    raise NeedsHuman(
        f"the migrations are neither in {places[0]} nor in {places[1]}",
        remedy="install kangbot again, whole",
    )


def _schema(connection: "Connection", url: DatabaseUrl) -> Schema:
    """Return current and newest; NeedsHuman where the current one is not known to us."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 -- as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- as above

    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config(connection))
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise newer(current, str(url))
    return Schema(current=current, newest=script.get_current_head() or REVISION)


def _made_anew(connection: "Connection", config: "Config", revision: str) -> tuple[str, ...]:
    """Make the tables that a schema of this revision lacks, and return their names."""
    import sqlalchemy as sa  # noqa: PLC0415 -- as above
    from alembic import command  # noqa: PLC0415 -- as above

    before = sa.inspect(connection).get_table_names()
    if set(before) >= {name for name in NAMES if LATER.get(name, "") <= revision}:
        return ()
    command.stamp(config, "base")  # each revision makes what is not there, and leaves what is
    command.upgrade(config, revision)
    after = sa.inspect(connection).get_table_names()
    return tuple(name for name in NAMES if name in after and name not in before)


def _keep(path: Path, name: str) -> Path | None:
    """Copy the file, whole or not at all, and return the copy; one that was copied before is left.

    None where the disk has no room for it and for what comes after. Older copies than the newest two are removed.
    """
    copy, part = path.with_name(f"{path.name}.{name}"), path.with_name(f"{path.name}.{name}.part")
    if there(copy):
        return copy
    try:
        for left in path.parent.glob(f"{path.name}.*.part"):
            left.unlink()
        size = path.stat().st_size
        if lacking(path.parent, size + changed(size)):
            return None
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(part)) as target:
            source.backup(target)
        part.chmod(path.stat().st_mode & 0o777)
        part.replace(copy)
        for old in sorted(path.parent.glob(f"{path.name}.revision-*"))[:-_COPIES]:
            old.unlink()
    except (OSError, sqlite3.Error):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return None
    return copy


def _must_fit(url: SqliteUrl) -> None:
    """Refuse a change that may fill the disk of the journal, and that would be tried again and again."""
    if why := lacking(url.path.parent, changed(url.path.stat().st_size)):
        raise NeedsHuman(
            f"the tables of {url} cannot be brought up to date, so they are left: {why}",
            remedy="make room, then run kangbot db upgrade; the version of kangbot that made them goes on with them",
        )


def _config(connection: "Connection") -> "Config":
    from alembic.config import Config  # noqa: PLC0415 -- as above

    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextlib.contextmanager
def _connected(url: DatabaseUrl) -> Iterator["Connection"]:
    import sqlalchemy as sa  # noqa: PLC0415 -- as above

    if isinstance(url, MysqlUrl):
        query = {"charset": "utf8mb4"} | ({"unix_socket": url.unix_socket} if url.unix_socket else {})
        target = sa.URL.create(
            "mysql+pymysql", url.user, url.sent_password, url.host, url.port, database=url.database, query=query
        )
        secure = tls.context(url)
        encrypted = {"ssl": secure} if secure else {"ssl_disabled": True}  # by itself the driver encrypts where it can
        begin = {"sql_mode": SQL_MODE, "init_command": f"SET SESSION lock_wait_timeout = {_HELD_S}"}
        options = {"connect_timeout": _CONNECT_S, "read_timeout": _LOOK_S, **begin, **encrypted}
        engine = sa.create_engine(target, connect_args=options, poolclass=sa.pool.NullPool)
    else:
        with contextlib.suppress(OSError):  # the connect below says what is wrong
            url.path.parent.mkdir(parents=True, exist_ok=True)
        # The driver would begin transactions of its own; ours begins with the lock and ends with the last change.
        options = {"isolation_level": None, "timeout": _LOCK_S}
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(url.path)), connect_args=options, poolclass=sa.pool.NullPool
        )
    try:
        with engine.connect() as connection:
            if not isinstance(url, MysqlUrl):
                # A container's /tmp has 16 MB, in memory: indexes are sorted on the disk whose room is asked for.
                folder = str(url.path.absolute().parent).replace("'", "''")
                connection.exec_driver_sql(f"PRAGMA temp_store_directory = '{folder}'")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif connection.execute(sa.text(_LOCK), {"s": _LOCK_S}).scalar() != 1:
                raise Retryable(f"another process is migrating {url}")
            yield connection
    except sa.exc.DBAPIError as error:
        raise _translated(url, error.orig) from error
    finally:
        engine.dispose()


def _translated(url: DatabaseUrl, error: BaseException | None) -> KangbotError:
    arguments = error.args if error is not None else ()
    message = f"{url} cannot be migrated: {arguments[-1] if arguments else error}"
    if isinstance(error, sqlite3.Error):
        away = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL}
        return Retryable(message) if away else NeedsHuman(message, remedy=_REMEDY)
    code = arguments[0] if arguments and isinstance(arguments[0], int) else 0
    if error is not None and code == _LOST and isinstance(error.__context__, TimeoutError):
        message = f"{url} does not answer any more: see that the server runs; begun again, an upgrade goes on"
    if code in _INSIDE:
        message = f"{message}: see the server's own log, and the room on its disk"
    below = getattr(error, "original_exception", None)  # what the system said, where PyMySQL could not connect
    if isinstance(url, MysqlUrl) and (about_tls := tls.failure(url, code, below)):
        return about_tls
    if code in _FULL or full(message):
        return NeedsHuman(message, remedy=_ROOM)
    if code in _DENIED:
        return NeedsHuman(message, remedy=_REMEDY)
    return Retryable(message, code=str(code))


def main() -> int:
    """Upgrade the database whose URL stands on standard input, and say where the copy is that was made before.

    The second line names the folder of copies, where there is one. Exit code 0, 75 (try again) or 78 (a person must).
    """
    from kangbot.storage.keep import Keeping  # noqa: PLC0415 -- as in `upgrade`

    address, folder = (sys.stdin.readline().strip() for _ in range(2))
    keeping = Keeping(folder=Path(folder), now_ns=real_world().clock.now_ns()) if folder else None
    try:
        schema = upgrade(parse(address), keeping=keeping)
    except NeedsHuman as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}\n")
        return _EX_CONFIG
    except Retryable as error:
        sys.stderr.write(f"{error.message}\n")
        return _EX_TEMPFAIL
    sys.stdout.write(f"{schema.copy or ''}")
    return 0


if __name__ == "__main__":
    import kangbot.runtime.ending  # noqa: F401 -- a daemon that starts waits for this process

    sys.exit(main())
