"""Where the history is: `mysql://user:password@host:port/name`, or `sqlite:///path`. Pure.

`mariadb://` is the same as `mysql://`; `?unix_socket=/path` replaces host and port. Characters such as `@` or `/` in a
password are written in percent form. Nothing here ever shows the password.

TLS is asked for in the words of MySQL's own clients, `?ssl-mode=VERIFY_IDENTITY&ssl-ca=/path/ca.pem`: with `ssl-ca`,
`ssl-cert` or `ssl-key` and no mode, it is VERIFY_IDENTITY. See `Tls`.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kangbot.errors import ConfigInvalid, Problem

KEY = "database.url"
_FORMS = "Write mysql://user:password@host:3306/name or sqlite:///path/to/history.sqlite."
_FILES = ("ssl-ca", "ssl-cert", "ssl-key")
_OPTIONS = ("unix_socket", "ssl-mode", *_FILES)


class TlsMode(StrEnum):
    """What MySQL's clients call these. Their PREFERRED is none: it goes on in plain text where it is told to."""

    DISABLED = "DISABLED"
    """In plain text, and that is meant: a network of one's own, a tunnel."""

    REQUIRED = "REQUIRED"
    """Encrypted; whoever answers is believed to be the server."""

    VERIFY_CA = "VERIFY_CA"
    """And it has a certificate of an authority that is trusted: for a server that was given no name in its own."""

    VERIFY_IDENTITY = "VERIFY_IDENTITY"
    """And the certificate is for the host that the address names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a connection is encrypted. The paths are absolute.

    `ca` holds the authorities that are trusted, in PEM; None: the system's. `cert` is what we show the server, with its
    `key`, which may stand in the same file.
    """

    mode: TlsMode
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """The files, by the option that names each."""
        named = zip(_FILES, (self.ca, self.cert, self.key), strict=True)
        return {option: path for option, path in named if path is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlUrl:
    """A MariaDB or MySQL database. `tls` is None where the address says nothing of it: then it is in plain text."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    unix_socket: str | None = None
    tls: Tls | None = None

    @property
    def encrypted(self) -> Tls | None:
        """How it is encrypted; None for plain text."""
        return None if self.tls is None or self.tls.mode is TlsMode.DISABLED else self.tls

    @property
    def exposed(self) -> bool:
        """Whether rows cross a network in plain text, and nobody has said that they may."""
        return self.tls is None and not self.unix_socket and not _loopback(self.host)

    def __str__(self) -> str:
        place = self.unix_socket or f"{self._host}:{self.port}"
        return f"mysql://{self.user}@{place}/{self.database}"

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def sent_password(self) -> str:
        """The password for either driver: they send the Latin-1 of what they get, and servers compare with UTF-8."""
        return self.password.encode().decode("latin-1")

    @property
    def full(self) -> str:
        """The URL with its password: for the one process that needs it, never for a log or a command line."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        options = {"unix_socket": self.unix_socket} if self.unix_socket else {}
        if self.tls is not None:
            options = {"ssl-mode": str(self.tls.mode), **{name: str(path) for name, path in self.tls.files.items()}}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
        return f"mysql://{login}@{self._host}:{self.port}/{quote(self.database, safe='')}{'?' if query else ''}{query}"


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
    scheme, _, _ = text.partition("://")
    if scheme not in {"mysql", "mariadb", "sqlite"}:
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
    if socket and options:
        raise _invalid("a unix socket never leaves the machine: it takes no ssl options")
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
        tls=_tls(options),
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


def _tls(options: dict[str, str]) -> Tls | None:
    """Return what the options of TLS say; None where there is none of them."""
    if not options:
        return None
    word = options.get("ssl-mode", TlsMode.VERIFY_IDENTITY).upper()
    if word not in TlsMode.__members__:
        why = "goes on in plain text where whoever answers wants it so" if word == "PREFERRED" else "is not known"
        raise _invalid(f"ssl-mode={word} {why}", _nearest(word, tuple(TlsMode)))
    mode = TlsMode(word)
    files = {name: Path(options[name]) for name in _FILES if name in options}
    for name, path in files.items():
        if not path.is_absolute():
            raise _invalid(f"{name} must be an absolute path, and is {path}", f"Write {name}=/etc/kangbot/{path.name}.")
    if mode is TlsMode.DISABLED and files:
        raise _invalid("ssl-mode=DISABLED takes no files", "Remove them, or the mode.")
    if mode is TlsMode.REQUIRED and "ssl-ca" in files:
        raise _invalid("ssl-mode=REQUIRED looks at no certificate, and ssl-ca is there", "Write VERIFY_IDENTITY.")
    if "ssl-key" in files and "ssl-cert" not in files:
        raise _invalid("ssl-key belongs to a certificate, and there is none", "Name it in ssl-cert.")
    return Tls(mode=mode, ca=files.get("ssl-ca"), cert=files.get("ssl-cert"), key=files.get("ssl-key"))


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."


def _loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _unreadable() -> ConfigInvalid:
    return _invalid("host or port cannot be read; write @ / : ? # in the password as %40 %2F %3A %3F %23")


def _invalid(message: str, remedy: str = _FORMS) -> ConfigInvalid:
    return ConfigInvalid((Problem(message=message, key=KEY, remedy=remedy),))
