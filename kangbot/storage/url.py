"""Where the history is: `mysql://user:password@host:port/name`, or `sqlite:///path`. Pure.

`mariadb://` is the same as `mysql://`; `?unix_socket=/path` replaces host and port. Characters such as `@` or `/` in a
password are written in percent form. Nothing here ever shows the password.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kangbot.errors import ConfigInvalid, Problem

KEY = "database.url"
_OPTIONS = ("unix_socket",)
_FORMS = "Write mysql://user:password@host:3306/name or sqlite:///path/to/history.sqlite."


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
        raise _unreadable() from None
    if port == 0 or "@" in parts.query:  # a password with a ? in it would go on among the options, which are shown
        raise _unreadable()
    if parts.fragment:
        raise _invalid("there is a # in it; write # in the password as %23")
    if not parts.username:
        raise _invalid("the user is missing")
    options = _options(parts.query)
    socket = options.pop("unix_socket", None)
    if not parts.hostname and not socket:
        raise _invalid("the host is missing")
    database = unquote(parts.path.removeprefix("/"))
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


def _options(query: str) -> dict[str, str]:
    """Return the options by their names."""
    said = parse_qsl(query, keep_blank_values=True)
    options = dict(said)
    if unknown := sorted(options.keys() - set(_OPTIONS)):
        raise _invalid(f"unknown option {', '.join(unknown)}", _nearest(unknown[0].lower(), _OPTIONS))
    if len(options) < len(said):
        raise _invalid("an option is there twice")
    if empty := [name for name, value in said if not value]:
        raise _invalid(f"{empty[0]} has no value")
    return options


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."


def _unreadable() -> ConfigInvalid:
    return _invalid("host or port cannot be read; write @ / : ? # in the password as %40 %2F %3A %3F %23")


def _invalid(message: str, remedy: str = _FORMS) -> ConfigInvalid:
    return ConfigInvalid((Problem(message=message, key=KEY, remedy=remedy),))
