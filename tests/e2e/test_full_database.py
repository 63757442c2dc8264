"""The daemon and a MariaDB whose disk is full before it has a table."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import mariadb
from tests.support.full_disk import mounted, occupied
from tests.support.processes import MARKETS, World

pytestmark = [pytest.mark.process, pytest.mark.mariadb]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[mariadb.MariadbServer, Path]]:
    """A server on a disk of its own, where each table is a file that grows in small steps; and that disk."""
    with mounted(tmp_path / "disk", 200) as disk:
        (disk / "server").mkdir()
        (disk / "server" / "log").symlink_to(tmp_path / "server.log")  # what it has to say has room
        with mariadb.running(disk / "server", "--innodb-file-per-table=ON") as server:
            yield server, disk


def test_trading_goes_on_beside_a_database_that_has_no_room(
    world: World, small: tuple[mariadb.MariadbServer, Path]
) -> None:
    """From its first start, without a table; orders go on, a person is told what to do, and then every row is there."""
    server, disk = small
    database = server.database()
    world.environment["KANGBOT_DATABASE__URL"] = server.url(database)
    with occupied(disk):
        world.start()
        world.live()
        away = world.until(lambda report: report.history_away != "" and report.history_backlog > 0)
        away = world.orders(more_than=away.orders.filled + 3)
        assert away.live == len(MARKETS)
        assert "No space left on device" in away.history_away
        assert [one.total for one in away.events if one.kind == "history.away"] == [1], "told once"
        assert "make room on the disk of the database server" in (world.folder / "daemon.log").read_text()
    world.until(lambda report: report.history_backlog == 0 and report.history_away == "", timeout_s=240)
    truth = world.stop()
    fills = server.sql("SELECT COUNT(*), COUNT(DISTINCT execution_id) FROM fills", database=database)
    assert fills == [(truth["fills"], truth["fills"])]
    ((stored,),) = server.sql("SELECT `stored` FROM journals", database=database)
    numbers = server.sql("SELECT sequence FROM events UNION ALL SELECT sequence FROM bars", database=database)
    assert sorted(number for (number,) in numbers) == list(range(1, stored + 1))
