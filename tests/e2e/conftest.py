"""Real processes: a sandbox exchange, a daemon, and a MariaDB server of the tests' own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import mariadb
from tests.support.processes import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange, and no daemon yet."""
    made = World(tmp_path, seed=7)
    yield made
    made.close()


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mariadb.MariadbServer]:
    """A private MariaDB server."""
    with mariadb.running(tmp_path_factory.mktemp("mariadb")) as server:
        yield server
