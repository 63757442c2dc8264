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
from tests.support.steady import Steady

pytestmark = pytest.mark.process

_LOOKS_S = 10.0  # between two looks, and what two shared cores are late
_PATIENCE_S = 120.0  # until it is given up that it ever comes


def test_a_journal_whose_disk_hangs_ends_the_process_and_the_next_start_trades_on(world: World) -> None:
    """Alive no more after a minute, over after another, with every thread's stack; nothing is lost or doubled."""
    disk = HungDisk(world.folder / "disk")
    world.environment.update(disk.environment)
    world.start()
    world.live()
    world.orders(more_than=5)
    world.client.ask("/live")
    with Steady() as steady:
        disk.hang()
        begun = time.time()
        sent = _left(world)
        stuck = _said_dead(world)
        assert re.search(r"journal for [6-9]\d s", world.client.report().stuck)
        while world.daemon.ended is None and time.time() < stuck + HANG_S + _PATIENCE_S:
            time.sleep(0.2)
        ended = time.time()
        stuck_s, late_s, end_s = stuck - begun, steady.since(begun, stuck), steady.since(stuck, ended)
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
    times = {"not_alive_s": round(stuck_s, 1), "ended_s": round(ended - begun, 1)}
    found = {**times, "orders_while_hung": 0, "violations": violations}
    write_report("stuck_journal", found)
    assert violations == []
    assert stuck_s >= TURN_S - _LOOKS_S
    assert late_s <= TURN_S + _LOOKS_S
    assert end_s <= HANG_S + _LOOKS_S


def _left(world: World) -> int:
    """Return how many orders have left, once those have that the disk had confirmed."""
    sent, given_up = -1, time.time() + TURN_S / 2
    while (now := int(world.sandbox.truth()["orders"]["with_prefix"])) != sent and time.time() < given_up:
        sent = now
        time.sleep(3.0)
    return sent


def _said_dead(world: World) -> float:
    """Return when the daemon no longer called itself alive, by the epoch."""
    given_up = time.time() + TURN_S + _PATIENCE_S
    while time.time() < given_up:
        try:
            world.client.ask("/live")
        except Retryable:  # 503
            return time.time()
        time.sleep(0.5)
    raise AssertionError(f"it calls itself alive: {world.client.report()}")
