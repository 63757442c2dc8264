"""What the history's suites run on: a private MariaDB server, an SQLite file, the simulation; each test on its own."""

import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from kangbot.ports import History
from kangbot.sim.world.faults import Faults
from kangbot.sim.world.history import SimHistory
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl, parse
from tests.support.databases import Database, Mariadb, Sqlite
from tests.support.full_disk import mounted
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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a folder with room for so many megabytes."""
    with contextlib.ExitStack() as stack:
        yield lambda megabytes: stack.enter_context(mounted(tmp_path / "disk", megabytes))


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the suite of storing the adapters of its module's time."""
    if "history" in metafunc.fixturenames:
        virtual = metafunc.definition.get_closest_marker("virtual_time")
        metafunc.parametrize("history", ["simulation"] if virtual else KINDS, indirect=True)


@pytest.fixture
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    """An empty history over each adapter."""
    if request.param == "simulation":
        yield SimHistory(Faults(random.Random(1)))
        return
    if request.param == "sqlite":
        one: Database = Sqlite(tmp_path, request.getfixturevalue("template_file"))
    else:
        one = Mariadb(request.getfixturevalue("server"), request.getfixturevalue("template"))
    yield one.history()
    await one.aclose()
