"""The state folder on a disk that fills up while the daemon trades: with bytes, or with files."""

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kangbot.runtime.disk import room
from tests.support.agreement import Journalled, disagreements
from tests.support.full_disk import mounted
from tests.support.processes import World
from tests.support.reports import write_report

pytestmark = pytest.mark.process

_LEFT = 48 << 10  # bytes, once something else has taken the rest


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """The daemon's state folder, on a tmpfs of 1 MB; the history is elsewhere."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    world.state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(world.state)], check=False)
    if mounted.returncode:
        pytest.skip("this host lets not even root mount a tmpfs")
    world.environment["KANGBOT_DATABASE__URL"] = f"sqlite:///{world.folder / 'history.sqlite'}"
    yield world.state
    world.close()
    subprocess.run(["umount", "--lazy", str(world.state)], check=True)


def test_a_full_disk_stops_entries_with_its_reason_and_nothing_else(world: World, small_disk: Path) -> None:
    """Exits go on from the reserve; with room again entries do; exchange, journal and history agree to the row."""
    world.start()
    world.live()
    world.orders(more_than=5)
    foreign = small_disk / "foreign"
    free = os.statvfs(small_disk)
    foreign.write_bytes(bytes(free.f_bavail * free.f_frsize - _LEFT))
    deadline = time.monotonic() + 120
    while "journal.full" not in (log := (world.folder / "daemon.log").read_text()):
        assert time.monotonic() < deadline, world.daemon.last_lines()
        time.sleep(0.1)
    full = world.client.report()
    time.sleep(6)
    # Exits, and what is learnt of orders: on a busy machine it may take longer until there is one.
    later = world.until(lambda report: report.journal_sequence > full.journal_sequence)
    foreign.unlink()
    world.orders(more_than=later.orders.filled + 5)
    assert "journal.has_room" in (world.folder / "daemon.log").read_text()
    world.stop()
    journal = Journalled(world.state)

    def query(sql: str) -> Sequence[tuple[Any, ...]]:
        with closing(sqlite3.connect(world.folder / "history.sqlite")) as database:
            return database.execute(sql).fetchall()

    violations = disagreements(journal, query, world.sandbox)
    found = {
        "disk_bytes": 1 << 20,
        "orders_before": full.orders.filled,
        "orders_while_full": later.orders.filled - full.orders.filled,
        "orders": len(journal.statuses),
        "records": len(journal.records),
        "violations": violations,
    }
    write_report("small_disk", found)
    assert violations == []
    assert "journal.full" in log


def _disk(world: World) -> tuple[str, str]:
    """Return how the daemon's health judges its disk, and by what."""
    (check,) = (check for check in json.loads(world.client.health())["checks"] if check["name"] == "disk")
    return check["status"], check["unit"]


def test_a_disk_that_takes_no_file_more_is_told_and_hinders_no_order(world: World) -> None:
    """Small files have used up their number. There is room, and what is open goes on; the end is one in order."""
    world.environment |= {"KANGBOT_HEALTH__DISK_WARNING_MB": "2", "KANGBOT_HEALTH__DISK_CRITICAL_MB": "1"}
    with mounted(world.state, megabytes=64, files=200) as disk, closing(world):
        world.start()
        world.live()
        for number in range(room(disk).files or 0):
            (disk / f"small-{number}").touch()
        few: tuple[str, str] = ("critical", "files")
        deadline = time.monotonic() + 60  # those who look within a moment share one look
        while (told := _disk(world)) != few:
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        world.orders(more_than=world.client.report().orders.filled + 3)
        assert world.daemon.stop() == 0, world.daemon.last_lines()

        for file in disk.glob("small-*"):
            file.unlink()
        world.start()
        world.live()
