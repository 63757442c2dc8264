"""The embedded history's write-ahead log is cut again, once it was long."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.databases import Sqlite
from tests.support.records import noted, records


@pytest.fixture
async def embedded(tmp_path: Path, template_file: Path) -> AsyncIterator[Sqlite]:
    """A migrated file."""
    one = Sqlite(tmp_path, template_file)
    yield one
    await one.aclose()


async def test_the_log_of_a_large_change_is_cut_while_the_daemon_goes_on(embedded: Sqlite) -> None:
    """The migration of a history of years makes its indexes in one transaction, of gigabytes, beside the daemon."""
    history, path = embedded.history(), embedded.url.path
    log = path.with_name(f"{path.name}-wal")
    await history.store(records([noted(1)]))
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE others AS SELECT zeroblob(40000000) AS much")
    assert log.stat().st_size > 40_000_000
    await history.store(records([noted(2)], after=1))
    await history.store(records([noted(3)], after=2))
    assert log.stat().st_size <= 16 << 20
    assert embedded.count("events") == 3
