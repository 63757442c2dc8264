"""One connection to MariaDB or MySQL, with a deadline on everything; the only place that imports aiomysql.

aiomysql has no read timeout: on a half-open link a query would wait for ever. And what a driver's error asks for is
said here, in one table, so that nobody further in knows its codes. A link that failed in any way but an orderly refusal
is broken: it is never used again.
"""

import asyncio
import contextlib
import os
import re
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Self

from kangbot.errors import KangbotError, NeedsHuman, Retryable
from kangbot.runtime.lean_cryptography import deferred
from kangbot.storage import tls
from kangbot.storage.room import full
from kangbot.storage.schema import SQL_MODE
from kangbot.storage.url import MysqlUrl

with deferred("pymysql._auth"):
    import aiomysql

_QUIT_S = 1.0
_SESSION = (
    # UTC: DATETIME columns hold UTC. Less than our own deadline: for a row or a table that somebody holds, the server
    # is to say so, instead of being taken for one that does not answer.
    f"SET SESSION sql_mode = '{SQL_MODE}', time_zone = '+00:00', innodb_lock_wait_timeout = 5, lock_wait_timeout = 5",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
)
# Lock wait timeout, deadlock, and a record that another transaction changed: run the whole transaction again.
_AGAIN = frozenset({1205, 1213, 1020})
# What a connection that is lost raises: the driver, the system, and uvloop, at a write on one that the other side has
# reset while it lay idle, as a server does after its `wait_timeout`.
_LOST = (aiomysql.Error, OSError, RuntimeError)
# What the driver raises over a greeting that it cannot read: it takes one to be well made.
_UNREAD = (struct.error, LookupError, ValueError, NameError)
_NO_SERVER = "what answers there is no MariaDB or MySQL server"
_UNREACHABLE = 2003  # the driver's own, over what the system said
_CLIENT_SSL = 0x800  # of a server's capabilities
_HANGS = (
    "where that lasts, see the server's disk (one that keeps a binary log waits for room on it, and says nothing), and "
    "by SHOW PROCESSLIST what else it waits for"
)
_ROOM = "make room on the disk of the database server"
_REMEDIES = {
    # Denied: user, host, or a login that the driver does not speak, TLS; no such database.
    (1045, 1130, 1251, 1698, 3159, 1049): "see that database.url names the right database and user, and ssl-mode where "
    "the server asks for TLS; then run kangbot db upgrade, and restart a daemon whose address or password has changed",
    # A right is missing: to the database, a table, a column, or one of an administrator's.
    (1044, 1142, 1143, 1227): "give the user all rights on its own database: GRANT ALL ON name.* TO user; see that "
    "database.url names the right one",
    # A password that has expired, as two of a server's settings have it told; an account that is locked.
    (1820, 1862, 3118, 4151): "unlock the account, or give it the password of database.url again (ALTER USER); restart "
    "a daemon whose password has changed",
    # No such table.
    (1146,): "kangbot db upgrade makes it anew, empty; what it held may be in a backup; where another database was "
    "meant, name it in database.url",
    # A table is not as we made it: a column is gone, or is a stranger's, or too narrow, or a key, a check or a trigger
    # objects.
    (1048, 1054, 1264, 1265, 1364, 1366, 1406, 1452, 1644, 3819, 4025): "where somebody has changed this table, or "
    "given it a rule of their own, take that back; or rename the table, and kangbot db upgrade makes it anew, empty",
    # The disk, as the server and as its tables say it.
    (1021, 1114): _ROOM,
    # Read-only: the server, in two ways, or every transaction that does not say otherwise.
    (1290, 1836, 1792): "the server was set read-only, or is a replica: name the one that takes writes in "
    "database.url, or have this one take them",
    # A binary log of statements, into which InnoDB writes nothing at our isolation level.
    (1665,): "set binlog_format to MIXED or ROW in the server's [mysqld] section",
    # A statement that is longer than the server takes.
    (1153,): "raise max_allowed_packet in the server's [mysqld] section; its own default is 16M or more",
}
_HUMAN = {code: remedy for codes, remedy in _REMEDIES.items() for code in codes}


class Collided(Retryable):
    """A deadlock or a lock's timeout: the server has rolled back; the whole transaction may run again at once."""


class _Connection(aiomysql.Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's, which by itself goes on in plain text where a server, or whoever is on the way, offers no TLS."""

    _named = ""

    async def open(self, named: str) -> None:
        """Connect and log in to the host of that name, wherever it is said to be."""
        self._named = named
        try:
            await self._connect()
        except BaseException:
            self.close()  # a handshake that was cancelled leaves it half open
            raise

    async def _request_authentication(self) -> None:
        """Refuse before anything of the login is sent."""
        if self._ssl_context and not self.server_capabilities & _CLIENT_SSL:
            raise aiomysql.OperationalError(tls.NOT_OFFERED, "the server offers no TLS")
        self._host = self._named  # for its certificate
        await super()._request_authentication()


class Link:
    """One connection. Made by `await Link.open(...)`; used by one task."""

    def __init__(self, connection: aiomysql.Connection, url: MysqlUrl, statement_s: float) -> None:
        self._connection = connection
        # Kept, because closing a transport waits until a dead peer takes what is still in the buffer.
        self._transport = connection._writer.transport  # noqa: SLF001 -- aiomysql offers no abort
        self._url = url
        self._statement_s = statement_s
        self.broken = False
        self.row_alias = _has_row_alias(connection.server_version)
        """Whether new rows get a name in `INSERT … VALUES … AS name`, in the place of `VALUES(column)`."""

    @classmethod
    async def open(cls, url: MysqlUrl, *, connect_s: float, statement_s: float, at: str | None = None) -> Self:
        """Connect and set the session up, all within `connect_s`. Retryable or NeedsHuman.

        `at` is the address of the host; None where its name is to be looked up.
        """
        connection = _Connection(
            host=at or url.host,
            port=url.port,
            unix_socket=url.unix_socket,
            user=url.user,
            password=url.sent_password,
            db=url.database,
            charset="utf8mb4",
            autocommit=None,  # the server's default; transactions are explicit
            ssl=tls.context(url),
        )
        try:
            async with asyncio.timeout(connect_s):
                await connection.open(url.host)
                link = cls(connection, url, statement_s)
                try:
                    for statement in _SESSION:
                        await connection.query(statement)
                except BaseException:
                    link.drop()
                    raise
        except TimeoutError as error:
            raise Retryable(f"{url} did not answer within {connect_s:g} s") from error
        except _LOST as error:
            raise _meaning(url, error) from error
        except UnicodeError:  # of the host's name
            raise
        except _UNREAD as error:
            raise Retryable(f"{url}: {_NO_SERVER}") from error
        return link

    async def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement within the deadline and return its rows.

        Retryable: the connection is lost, and with it the transaction. Collided: run the transaction again.
        """
        with self._explained():
            async with asyncio.timeout(self._statement_s):
                cursor = await self._connection.cursor()
                await cursor.execute(sql, tuple(values) or None)
                return list(await cursor.fetchall() or ())

    async def change(self, sql: str, values: Sequence[Any]) -> int:
        """Run one statement within the deadline and return how many rows it changed. The same errors as `query`."""
        with self._explained():
            async with asyncio.timeout(self._statement_s):
                cursor = await self._connection.cursor()
                return int(await cursor.execute(sql, tuple(values)))

    async def stream(self, sql: str, *, size: int) -> AsyncIterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows, at most `size` at a time, each time within the deadline.

        The link is for nothing else until the last row is read. The same errors as `query`.
        """
        with self._explained():
            async with asyncio.timeout(self._statement_s):
                cursor = await self._connection.cursor(aiomysql.SSCursor)
                await cursor.execute(sql)
        while True:
            with self._explained():
                async with asyncio.timeout(self._statement_s):
                    rows = list(await cursor.fetchmany(size))
            if not rows:
                return
            yield rows

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate what a statement raises; drop the connection where it cannot be used any longer."""
        try:
            yield
        except TimeoutError as error:
            self.drop()
            raise Retryable(f"{self._url} did not answer within {self._statement_s:g} s: {_HANGS}") from error
        except asyncio.CancelledError:
            self.drop()
            raise
        except _LOST as error:
            meaning = _meaning(self._url, error)
            if not isinstance(meaning, Collided):  # one that was refused, too: a session keeps the rights it began with
                self.drop()
            raise meaning from error
        except Exception:  # a fault of ours, half-way through who knows what
            self.drop()
            raise

    def drop(self) -> None:
        """Close at once, without a word to the other side."""
        self.broken = True
        self._connection.close()
        self._transport.abort()

    async def aclose(self) -> None:
        """Say goodbye, within a second, and close."""
        with contextlib.suppress(TimeoutError, *_LOST):
            async with asyncio.timeout(_QUIT_S):
                await self._connection.ensure_closed()
        self.drop()


def _has_row_alias(server_version: str) -> bool:
    """Whether it is a MySQL from 8.0.19 on: it warns of `VALUES(column)` at every use. MariaDB has nothing else."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", server_version)
    return "MariaDB" not in server_version and numbers is not None and tuple(map(int, numbers.groups())) >= (8, 0, 19)


def _meaning(url: MysqlUrl, error: Exception) -> KangbotError:
    """Translate a driver's error at the edge. What no table names is Retryable: the link is replaced anyway."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if about_tls := tls.failure(url, code, error.__cause__):
        return about_tls
    message = f"{url}: {_said(error, code)}"
    if code in _AGAIN:
        return Collided(message, code=str(code))
    if remedy := _HUMAN.get(code, _ROOM if full(message) else ""):
        return NeedsHuman(message, remedy=remedy, code=str(code))
    return Retryable(message, code=str(code) if code else None)


def _said(error: Exception, code: int) -> str:
    if isinstance(error, RuntimeError):
        return "the connection was closed by the other side"
    cause = error.__cause__ or error.__context__
    if code == _UNREACHABLE and isinstance(cause, OSError):
        known = cause.errno if cause.errno and cause.errno > 0 else 0  # a resolver has numbers of its own, below zero
        return f"it cannot be reached: {os.strerror(known) if known else cause.strerror or cause}"
    if not code and isinstance(error, aiomysql.InternalError):  # the greeting has another form
        return _NO_SERVER
    return str(error.args[-1] if error.args else error)
