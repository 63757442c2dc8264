"""The databases that the history's suite runs on: a private MariaDB server and an SQLite file, each test on its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl, parse
from tests.support.databases import Database, Mariadb, Sqlite
from tests.support.mariadb import MariadbServer, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    """The private server, one a test process."""
    with running(tmp_path_factory.mktemp("mariadb")) as one:
        yield one


@pytest.fixture(scope="session")
def template(server: MariadbServer) -> str:
    """The name of a migrated database, to copy: migrating anew takes each test a second."""
    name = server.database()
    upgrade(parse(server.url(name)))
    return name


@pytest.fixture(scope="session")
def template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to copy."""
    path = tmp_path_factory.mktemp("template") / "history.sqlite"
    upgrade(SqliteUrl(path=path))
    return path


@pytest.fixture
async def mariadb(server: MariadbServer, template: str) -> AsyncIterator[Mariadb]:
    """A migrated database on the server."""
    one = Mariadb(server, template)
    yield one
    await one.aclose()


KINDS = ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)]


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated database of either kind."""
    if request.param == "sqlite":
        one: Database = Sqlite(tmp_path, request.getfixturevalue("template_file"))
    else:
        one = Mariadb(request.getfixturevalue("server"), request.getfixturevalue("template"))
    yield one
    await one.aclose()


@pytest.fixture(params=KINDS)
async def bare(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of either kind without a table."""
    one: Database = Sqlite(tmp_path) if request.param == "sqlite" else Mariadb(request.getfixturevalue("server"))
    yield one
    await one.aclose()
