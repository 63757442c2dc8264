"""What a database URL may be, and that its password is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.errors import ConfigInvalid
from kangbot.storage.url import MysqlUrl, SqliteUrl, parse


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
        ("mysql://u:p4ssw0rd@h/d?unix_socket=/a&unix_socket=/b", "there twice"),
        ("mysql://u:p4ssw0rd@h/d?unix_socket", "unix_socket has no value"),
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


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(user=TEXT, password=TEXT, database=TEXT.filter(lambda text: "/" not in text), port=st.integers(1, 65535))
def test_full_url_reads_back_and_nothing_else_shows_the_password(
    user: str, password: str, database: str, port: int
) -> None:
    """Whatever the characters; `str` and `repr` are for logs."""
    url = MysqlUrl(user=user, password=f"§{password}§", host="::1", port=port, database=database, unix_socket="/run/ä")
    assert parse(url.full) == url
    assert url.password not in f"{url} {url!r}"


@given(TEXT.filter(lambda text: not text.startswith("/")))
def test_full_sqlite_url_reads_back(name: str) -> None:
    """The path survives, whatever its characters."""
    url = parse(f"sqlite:////state/{name.replace('%', '%25')}")
    assert parse(url.full) == url
