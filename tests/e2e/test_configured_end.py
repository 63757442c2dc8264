"""An error whose kind is configured to end the daemon, in real processes: it ends in order and says why."""

import time

import pytest

from kangbot.cli import exit_codes
from tests.support.processes import World

pytestmark = pytest.mark.process


def test_a_kind_that_is_to_shut_down_ends_the_daemon_in_order(world: World) -> None:
    """What is in flight settles, the exit code calls a person, the log has the cause; the next life goes on."""
    with world.config.open("a") as config:
        config.write('[errors.ambiguous]\naction = "shutdown"\n')
    world.start()
    world.live()
    world.orders(more_than=0)
    world.sandbox.fault({"fault": "timeout_before_accept", "path": "/v5/order/create", "count": 1})
    deadline = time.monotonic() + 120
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert world.daemon.ended == exit_codes.CONFIG, world.daemon.last_lines()
    log = (world.folder / "daemon.log").read_text()
    assert "daemon.needs_human" in log
    assert "[errors.ambiguous]" in log
    assert "floor.unsettled" not in log
    assert log.index("daemon.summary") < log.index("daemon.needs_human")
    truth = world.sandbox.truth()
    assert truth["orders"]["open"] == 0
    assert set(truth["stops"]) == {name for name, net in truth["positions"].items() if float(net)}
    world.config.write_text(world.config.read_text().replace('"shutdown"', '"retry"'))
    world.start()
    assert world.live().orders.unknown == 0
    assert world.stop()["duplicates"]["accepted"] == 0
