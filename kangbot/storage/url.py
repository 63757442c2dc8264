"""Where the history is: `mysql://user:password@host:port/name`, or `sqlite:///path`. Pure.

`mariadb://` is the same as `mysql://`; `?unix_socket=/path` replaces host and port. Characters such as `@` or `/` in a
password are written in percent form. Nothing here ever shows the password.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kangbot.errors import ConfigInvalid, Problem

KEY = "database.url"
_FORMS = "Write mysql://user:password@host:3306/name or sqlite:///path/to/history.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlUrl:
    """A MariaDB or MySQL database."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    unix_socket: str | None = None

    def __str__(self) -> str:
        place = self.unix_socket or f"{self._host}:{self.port}"
        return f"mysql://{self.user}@{place}/{self.database}"

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def full(self) -> str:
        """The URL with its password: for the one process that needs it, never for a log or a command line."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        socket = f"?unix_socket={quote(self.unix_socket, safe='')}" if self.unix_socket else ""
        return f"mysql://{login}@{self._host}:{self.port}/{quote(self.database, safe='')}{socket}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteUrl:
    """An SQLite file."""

    path: Path

    def __str__(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def full(self) -> str:
        """The URL, as `parse` reads it."""
        return f"sqlite:///{quote(str(self.path))}"


DatabaseUrl = MysqlUrl | SqliteUrl


def parse(text: str) -> DatabaseUrl:
    """Return what the URL names. ConfigInvalid says what is wrong with it, without its password."""
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in {"mysql", "mariadb", "sqlite"}:
        raise _invalid("no database URL that kangbot knows")
    if scheme == "sqlite":
        return _sqlite(text)
    return _mysql(text)


def _sqlite(text: str) -> SqliteUrl:
    path = unquote(text.removeprefix("sqlite://").removeprefix("/"))
    if not text.startswith("sqlite:///") or not path:
        raise _invalid("an SQLite URL needs three slashes and a path")
    return SqliteUrl(path=Path(path))


def _mysql(text: str) -> MysqlUrl:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message would show the part that may hold the password
        raise _invalid("host or port cannot be read; write @ / : ? # in the password as %40 %2F %3A %3F %23") from None
    options = dict(parse_qsl(parts.query))
    socket = options.pop("unix_socket", None)
    database = unquote(parts.path.removeprefix("/"))
    if options:
        raise _invalid(f"unknown option {', '.join(sorted(options))}; only unix_socket is known")
    if parts.fragment:
        raise _invalid("there is a # in it; write # in the password as %23")
    if not parts.username:
        raise _invalid("the user is missing")
    if not parts.hostname and not socket:
        raise _invalid("the host is missing")
    if not database or "/" in database:
        raise _invalid("the database's name is missing, or has a slash in it")
    return MysqlUrl(
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        host=parts.hostname or "localhost",
        port=port or 3306,
        database=database,
        unix_socket=socket,
    )


def _invalid(message: str) -> ConfigInvalid:
    return ConfigInvalid((Problem(message=message, key=KEY, remedy=_FORMS),))
