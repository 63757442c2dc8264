"""The account's stream is connected anew by an exchange that acknowledges it and tells it nothing."""

import re
from pathlib import Path

import pytest

from tests.support.processes import World

pytestmark = pytest.mark.process


def acknowledged(log: Path) -> int:
    """Return how often the account's stream was there."""
    return len(re.findall(r"account\.stream .* live=True", log.read_text()))


def test_a_mute_stream_of_the_account_is_replaced(world: World) -> None:
    """Fills came by the rounds of questions alone, seconds late, until the connection came of age after a day."""
    world.start()
    world.orders(more_than=3)
    log = world.folder / "daemon.log"
    world.sandbox.fault({"fault": "ack_without_data"})
    world.sandbox.fault({"fault": "drop_sockets", "which": "private"})
    world.until(lambda _: acknowledged(log) == 2)
    world.sandbox.heal()  # the stream that was acknowledged stays mute, and no other is
    world.until(lambda _: "account.unheard" in log.read_text(), timeout_s=120)
    world.until(lambda _: "feed.rotated" in log.read_text())
    before = world.client.report().orders.filled
    world.orders(more_than=before + 10)
    said = log.read_text()
    assert said.count("account.unheard") == 1
    truth = world.stop()
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
