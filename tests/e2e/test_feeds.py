"""The feeds of a real daemon: what it owes a host over kills and restarts, and what a mute topic does to it."""

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
