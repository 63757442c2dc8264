"""A venue that wants to be left alone is left alone by the next life of the daemon too."""

import time

import pytest

from kangbot.model.events import RequestsPaused
from kangbot.runtime.world import SECOND_NS
from tests.support.agreement import Journalled
from tests.support.processes import World

pytestmark = pytest.mark.process

REST_S = 15.0  # and four times as long as the first life took: the next one must find it in force
ORDERS = ("POST /v5/order/create", "GET /v5/order/realtime", "GET /v5/position/list", "GET /v5/execution/list")


def asked(world: World) -> dict[str, int]:
    """Return how often the exchange was asked by whom it knows."""
    counted = world.sandbox.truth()["requests"]
    return {path: counted.get(path, 0) for path in ORDERS}


def paused(world: World) -> list[RequestsPaused]:
    """Return what the journal has of it."""
    events = [record.event for record in Journalled(world.state).records]
    return [event for event in events if isinstance(event, RequestsPaused)]


def test_a_ban_is_obeyed_after_kill_9(world: World) -> None:
    """Killed within it, and started again: it says so, and no signed request leaves before the end; then it trades."""
    begun_s = time.monotonic()
    world.start()
    world.live()
    rest_s = REST_S + 4 * (time.monotonic() - begun_s)
    world.sandbox.fault({"fault": "rate_limit", "for_s": 600, "retry_after": rest_s})
    given_up = time.monotonic() + 120  # a quiet market asks nothing for a while
    journal = world.folder / "daemon.log"
    while "budget.paused" not in journal.read_text():
        assert time.monotonic() < given_up, "nobody was refused"
        time.sleep(0.05)
    while not paused(world):
        assert time.monotonic() < given_up, "nothing of it is on disk"
        time.sleep(0.05)
    assert "wants to be left alone until" in world.client.report().banned
    world.daemon.kill()
    until_ns = paused(world)[-1].until_ns
    world.sandbox.heal()
    before = asked(world)
    world.start()
    assert "wants to be left alone until" in world.until(lambda report: bool(report.waiting)).waiting
    while asked(world) == before:
        assert time.time_ns() < until_ns + 120 * SECOND_NS, "it never asks again"
        time.sleep(0.05)
    assert time.time_ns() >= until_ns
    assert "budget.still_paused" in journal.read_text()
    world.live()
    world.orders(more_than=0)
