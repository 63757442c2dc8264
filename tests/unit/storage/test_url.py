"""What a database URL may be, and that its password is never shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.errors import ConfigInvalid
from kangbot.storage.url import MysqlUrl, SqliteUrl, Tls, TlsMode, parse


def mysql(text: str) -> MysqlUrl:
    """The parsed URL of a server."""
    url = parse(text)
    assert isinstance(url, MysqlUrl)
    return url


def test_mysql_url_names_server_user_and_database() -> None:
    """Both schemes are the same; the port may be left out."""
    url = mysql("mysql://trader:secret@db.example:3307/history")
    assert (url.user, url.password, url.host, url.port, url.database) == (
        "trader", "secret", "db.example", 3307, "history",
    )  # fmt: skip
    assert parse(url.full) == url
    assert mysql("mariadb://trader:secret@db.example/history").port == 3306
    assert mysql("mysql://trader@[::1]:3307/history").host == "::1"
    assert str(mysql("mysql://trader@[::1]:3307/history")) == "mysql://trader@[::1]:3307/history"


def test_percent_forms_are_decoded() -> None:
    """A password may hold any character."""
    assert mysql("mysql://tr%40der:a%2Fb%3Ac%40d%2541@h/na%20me").password == "a/b:c@d%41"


def test_unix_socket_replaces_the_host() -> None:
    """A server on the same machine needs no port."""
    url = mysql("mysql://trader:secret@/history?unix_socket=/run/mysqld/mysqld.sock")
    assert url.unix_socket == "/run/mysqld/mysqld.sock"
    assert str(url) == "mysql://trader@/run/mysqld/mysqld.sock/history"
    assert parse(url.full) == url
    assert not mysql("mysql://trader@db.example/history?unix_socket=/run/s").exposed, "the host is not asked"


def test_sqlite_url_names_a_path() -> None:
    """Three slashes and a path: relative; four: absolute."""
    for text, path in (
        ("sqlite:///state/history.sqlite", "state/history.sqlite"),
        ("sqlite:////var/lib/a%20b.db", "/var/lib/a b.db"),
    ):
        url = parse(text)
        assert isinstance(url, SqliteUrl)
        assert str(url.path) == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no database URL"),
        ("postgres://u:p4ssw0rd@h/d", "no database URL"),
        ("mysql:u:p4ssw0rd@h/d", "no database URL"),
        ("mysql://u:p4ssw0rd@h:port/d", "host or port"),
        ("mysql://u:p4ssw0rd@[::1/d", "host or port"),
        ("mysql://u:p4ssw0rd@h:99999/d", "host or port"),
        ("mysql://u:p4ss#w0rd@h/d", "host or port"),
        ("mysql://u:p4ssw0rd@h/d#fragment", "write # in the password"),
        ("mysql://:p4ssw0rd@h/d", "user is missing"),
        ("mysql://h/d", "user is missing"),
        ("mysql://u:p4ssw0rd@/d", "host is missing"),
        ("mysql://u:p4ssw0rd@h", "database's name"),
        ("mysql://u:p4ssw0rd@h/d/e", "database's name"),
        ("mysql://u:p4ssw0rd@h:0/d", "host or port"),
        ("mysql://u:p4@ss/d?w0rd@h/d", "host or port"),
        ("mysql://u:12?p4ss&w0rd@h/d", "host or port"),
        ("mysql://u:p4ssw0rd@h/d?ssl=yes&charset=x", "unknown option charset, ssl"),
        ("mysql://u:p4ssw0rd@h/d?ssl-ca=/a&ssl-ca=/b", "there twice"),
        ("mysql://u:p4ssw0rd@h/d?ssl-ca", "ssl-ca has no value"),
        ("mysql://u:p4ssw0rd@/d?unix_socket=/s&ssl-mode=REQUIRED", "unix socket never leaves the machine"),
        ("mysql://u:p4ssw0rd@h/d?ssl-mode=PREFERRED", "PREFERRED goes on in plain text"),
        ("mysql://u:p4ssw0rd@h/d?ssl-mode=sometimes", "SOMETIMES is not known"),
        ("mysql://u:p4ssw0rd@h/d?ssl-ca=ca.pem", "ssl-ca must be an absolute path"),
        ("mysql://u:p4ssw0rd@h/d?ssl-mode=DISABLED&ssl-ca=/ca.pem", "DISABLED takes no files"),
        ("mysql://u:p4ssw0rd@h/d?ssl-mode=REQUIRED&ssl-ca=/ca.pem", "REQUIRED looks at no certificate"),
        ("mysql://u:p4ssw0rd@h/d?ssl-key=/key.pem", "ssl-key belongs to a certificate"),
        ("sqlite://history.sqlite", "three slashes"),
        ("sqlite:///", "three slashes"),
    ],
)
def test_mistakes_are_said_without_the_password(text: str, reason: str) -> None:
    """One clear sentence each, with the forms that are right."""
    with pytest.raises(ConfigInvalid) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert reason in problem.message
    assert problem.key == "database.url"
    assert problem.remedy.endswith((".", "?"))
    for part in ("p4ss", "w0rd"):
        assert part not in str(caught.value)


def test_an_address_that_is_none_is_answered_with_the_forms() -> None:
    """Both of them."""
    with pytest.raises(ConfigInvalid, match="mysql://user:password@host:3306/name or sqlite:///path"):
        parse("postgres://u@h/d")


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ("sl-mode=REQUIRED", "Did you mean ssl-mode?"),
        ("ssl_ca=/ca.pem", "Did you mean ssl-ca?"),
        ("charset=x", "There are unix_socket, ssl-mode, ssl-ca, ssl-cert, ssl-key."),
        ("ssl-mode=verify-ca", "Did you mean VERIFY_CA?"),
        ("ssl-mode=on", "There are DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY."),
    ],
)
def test_a_misspelt_option_is_answered_with_the_right_one(options: str, remedy: str) -> None:
    """Never passed over: an address that asks for TLS in other words would go without."""
    with pytest.raises(ConfigInvalid) as caught:
        parse(f"mysql://u@h/d?{options}")
    assert caught.value.problems[0].remedy == remedy


def test_options_of_tls_are_those_of_mysqls_clients() -> None:
    """Whoever names a file and no mode gets the strictest."""
    assert mysql("mysql://u@h/d?ssl-mode=required").tls == Tls(mode=TlsMode.REQUIRED)
    assert mysql("mysql://u@h/d?ssl-ca=/etc/my%20ca.pem").tls == Tls(
        mode=TlsMode.VERIFY_IDENTITY, ca=Path("/etc/my ca.pem")
    )
    assert mysql("mysql://u@h/d?ssl-mode=VERIFY_CA&ssl-cert=/c&ssl-key=/k").tls == Tls(
        mode=TlsMode.VERIFY_CA, cert=Path("/c"), key=Path("/k")
    )
    required = mysql("mysql://u@h/d?ssl-mode=REQUIRED")
    assert required.encrypted == required.tls is not None
    assert mysql("mysql://u@h/d").encrypted is None
    assert mysql("mysql://u@h/d?ssl-mode=DISABLED").encrypted is None


@pytest.mark.parametrize("host", ["db.example", "10.1.2.3", "[fd00::1]", "db"])
def test_plain_text_across_a_network_is_exposed(host: str) -> None:
    """Until somebody says that it is encrypted, or that it need not be."""
    assert mysql(f"mysql://u:p@{host}/d").exposed
    assert not mysql(f"mysql://u:p@{host}/d?ssl-mode=REQUIRED").exposed
    assert not mysql(f"mysql://u:p@{host}/d?ssl-mode=DISABLED").exposed


@pytest.mark.parametrize(
    "place", ["localhost/d", "LOCALHOST/d", "127.0.0.1/d", "127.1.2.3/d", "[::1]/d", "/d?unix_socket=/s"]
)
def test_what_stays_on_the_machine_is_not_exposed(place: str) -> None:
    """A loopback needs no TLS."""
    assert not mysql(f"mysql://u:p@{place}").exposed


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(user=TEXT, password=TEXT, database=TEXT.filter(lambda text: "/" not in text), port=st.integers(1, 65535))
def test_full_url_reads_back_and_nothing_else_shows_the_password(
    user: str, password: str, database: str, port: int
) -> None:
    """Whatever the characters; `str` and `repr` are for logs."""
    url = MysqlUrl(user=user, password=f"§{password}§", host="::1", port=port, database=database, unix_socket="/run/ä")
    assert parse(url.full) == url
    assert url.password not in f"{url} {url!r}"


PATHS = st.none() | TEXT.map(lambda text: Path(f"/{text}"))


@given(ca=PATHS, cert=PATHS)
def test_full_url_says_how_it_is_encrypted(ca: Path | None, cert: Path | None) -> None:
    """Whatever the paths: the process that migrates is given no less than the pool."""
    for mode in (TlsMode.VERIFY_CA, TlsMode.VERIFY_IDENTITY):
        tls = Tls(mode=mode, ca=ca, cert=cert, key=cert)
        url = MysqlUrl(user="u", password="p", host="h", port=1, database="d", tls=tls)
        assert parse(url.full) == url


@given(TEXT.filter(lambda text: not text.startswith("/")))
def test_full_sqlite_url_reads_back(name: str) -> None:
    """The path survives, whatever its characters."""
    url = parse(f"sqlite:////state/{name.replace('%', '%25')}")
    assert parse(url.full) == url
