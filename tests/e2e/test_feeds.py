"""The feeds of a real daemon: what it owes a host over kills and restarts, and what a mute topic does to it."""

import os
import signal
import time

import msgspec
import pytest

from kangbot.feed.kept import Counted
from kangbot.modes import CONNECTS
from tests.support.processes import World

pytestmark = pytest.mark.process


def connects(world: World) -> int:
    """Return how often the exchange was connected to."""
    return int(sum(world.sandbox.truth()["connects"].values()))


def test_a_daemon_that_is_killed_again_and_again_stays_within_its_connects(world: World) -> None:
    """Two connects a life, five allowed in five minutes: the third life gets one of its two."""
    world.environment["KANGBOT_VENUES__BYBIT__CONNECTS_PER_5_MINUTES"] = "5"
    for life in (1, 2):
        world.start()
        world.live()
        world.daemon.kill()
        assert connects(world) == 2 * life
    world.start()
    world.until(lambda report: report.frames > 0 or connects(world) == 5)
    time.sleep(5.0)
    assert connects(world) == 5
    counted = msgspec.json.decode((world.state / CONNECTS).read_bytes(), type=Counted)
    assert len(counted.stamps) == 5


@pytest.mark.parametrize("seconds", [15, pytest.param(45, marks=pytest.mark.sweep)])
def test_a_loop_that_stood_still_reconnects_nothing(world: World, seconds: int) -> None:
    """The process is stopped and goes on: no socket is taken for dead and no topic for silent, however long it was."""
    world.start()
    world.live()
    before = world.until(lambda report: report.frames > 300)
    dialled = connects(world)
    os.kill(world.daemon.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(world.daemon.pid, signal.SIGCONT)
    world.until(lambda report: report.frames > before.frames + 300)
    after = world.until(lambda report: all(not market.stale for market in report.markets))
    assert after.reconnects == before.reconnects
    assert connects(world) == dialled
    assert [market.troubles for market in after.markets] == [market.troubles for market in before.markets]
