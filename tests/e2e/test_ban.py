"""A venue that wants to be left alone is left alone by the next life of the daemon too."""

import time

import pytest

from kangbot.model.events import RequestsPaused
from tests.support.agreement import Journalled
from tests.support.processes import World

pytestmark = pytest.mark.process

REST_S = 20.0  # a busy machine takes half of it to start the next life


def test_a_ban_is_obeyed_after_kill_9(world: World) -> None:
    """Killed within it and started again: no signed request leaves before it is over, and then trading goes on."""
    world.start()
    world.live()
    world.sandbox.fault({"fault": "rate_limit", "for_s": 60, "retry_after": REST_S})
    given_up = time.monotonic() + 60  # a quiet market asks nothing for a while
    journal = world.folder / "daemon.log"
    while "budget.paused" not in journal.read_text():
        assert time.monotonic() < given_up, "nobody was refused"
        time.sleep(0.05)
    until = time.monotonic() + REST_S
    while not any(isinstance(record.event, RequestsPaused) for record in Journalled(world.state).records):
        assert time.monotonic() < until, "nothing of it is on disk"
        time.sleep(0.05)
    world.daemon.kill()
    world.sandbox.heal()
    before = world.sandbox.truth()["requests"]
    world.start()
    time.sleep(max(0.0, until - time.monotonic() - 3.0))
    after = world.sandbox.truth()["requests"]
    orders = ("POST /v5/order/create", "GET /v5/order/realtime", "GET /v5/position/list", "GET /v5/execution/list")
    assert {path: after.get(path, 0) for path in orders} == {path: before.get(path, 0) for path in orders}
    assert "budget.still_paused" in journal.read_text()
    world.live()
    world.orders(more_than=0)
