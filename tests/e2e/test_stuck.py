"""A part that must never die is stuck in a real process: it says so, ends itself, and the next start trades on."""

import re
import time

import pytest

from kangbot.errors import Retryable
from kangbot.market.vitals import TURN_S
from kangbot.runtime.hang import HANG_S
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.hung_disk import HungDisk
from tests.support.processes import World
from tests.support.reports import write_report

pytestmark = pytest.mark.process

_LOOKS_S = 10.0  # between two looks, and what two shared cores are late


def test_a_journal_whose_disk_hangs_ends_the_process_and_the_next_start_trades_on(world: World) -> None:
    """Alive no more after a minute, over after another, with every thread's stack; nothing is lost or doubled."""
    disk = HungDisk(world.folder / "disk")
    world.environment.update(disk.environment)
    world.start()
    world.live()
    world.orders(more_than=5)
    world.client.ask("/live")
    disk.hang()
    begun = time.monotonic()
    time.sleep(3.0)  # what the disk had confirmed has left by then
    sent = world.sandbox.truth()["orders"]["with_prefix"]
    stuck_s = _said_dead(world, begun)
    assert re.search(r"journal for [6-9]\d s", world.client.report().stuck)
    while world.daemon.ended is None and time.monotonic() - begun < TURN_S + HANG_S + 3 * _LOOKS_S:
        time.sleep(0.2)
    ended_s = time.monotonic() - begun
    assert world.daemon.ended == 1, world.daemon.last_lines()
    assert world.sandbox.truth()["orders"]["with_prefix"] == sent  # no order leaves that is not on the disk
    words = (world.folder / "daemon.log").read_text()
    _, _, told = words.partition("service.stuck")
    stacks, end, _ = told.partition("Timeout (0:01:00)!")
    assert "kangbot/journal/" in stacks  # the thread that waits for the disk
    assert "kangbot/daemon.py" in stacks  # and the loop's, which does not
    assert end
    disk.work()
    world.start()
    world.live()
    world.orders(more_than=5)
    world.stop()
    violations = disagreements(Journalled(world.state), sqlite_query(world.state), world.sandbox)
    found = {"not_alive_s": stuck_s, "ended_s": round(ended_s, 1), "orders_while_hung": 0, "violations": violations}
    write_report("stuck_journal", found)
    assert violations == []
    assert TURN_S - _LOOKS_S <= stuck_s <= TURN_S + _LOOKS_S
    assert ended_s - stuck_s <= HANG_S + _LOOKS_S


def _said_dead(world: World, begun: float) -> float:
    """Return after how many seconds the daemon no longer called itself alive."""
    while time.monotonic() - begun < TURN_S + 3 * _LOOKS_S:
        try:
            world.client.ask("/live")
        except Retryable:  # 503
            return round(time.monotonic() - begun, 1)
        time.sleep(0.5)
    raise AssertionError(f"it calls itself alive: {world.client.report()}")
