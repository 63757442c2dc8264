"""Services that tell people, and do not answer."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import BASES, FaultWorld
from tests.support.mute import Mute, mute

pytestmark = [pytest.mark.process, pytest.mark.sweep]

WATCHED_S = 15
LATER_S = 5.0
ADDED_MS = 50.0  # a call that waited for one of them would take seconds; the rest is what the machine does besides
TOLD = f"bybit:{BASES[0]}-USDT:USDT"


def life(world: FaultWorld, hole: tuple[Mute, ...] = ()) -> tuple[float, float, int]:
    """Run a daemon from its start to its end: seconds to all live, frame to order p50 in ms, and orders filled.

    The services of `hole` fall silent as soon as it is live, where they were not before, and must have been asked then.
    What an earlier life could not tell is what they are told first.
    """
    begun = time.monotonic()
    world.start()
    early = any(service.silent.is_set() for service in hole)
    world.live()
    took = time.monotonic() - begun
    for service in hole:
        service.silent.set()
    if hole and not early:
        world.client.tell(f"/markets/{TOLD}/start")  # it changes nothing, and is told once
    time.sleep(WATCHED_S)
    if hole:
        world.until(lambda _: all(service.swallowed for service in hole), 60)
    report = world.client.report()
    p50_ms = report.frame_to_order_ms["p50"]
    assert p50_ms is not None
    assert report.live == len(world.bases), report
    return took, p50_ms, report.orders.filled


def test_services_that_swallow_every_message_cost_trading_nothing(tmp_path: Path, expect: Expect) -> None:
    """Apprise's address and the Bot API take and never answer: from when all is live, then from before the start on."""
    row = expect(
        "notifications and Telegram black-holed, at the start and while running",
        f"live ≤ {LATER_S:.0f} s later than without, p50 frame to order ≤ {ADDED_MS:.0f} ms more, orders filled "
        "all the while, books agree",
    )
    with FaultWorld(tmp_path) as world:
        without = life(world)
        assert world.daemon.stop() == 0
        found = []
        for silent in (False, True):
            with mute() as messages, mute() as bot:
                if silent:
                    messages.silent.set()
                    bot.silent.set()
                world.environment |= {
                    "KANGBOT_NOTIFY__ADDRESSES": f"json://127.0.0.1:{messages.port}/",
                    "KANGBOT_NOTIFY__LEAST": "info",
                    "KANGBOT_TELEGRAM__TOKEN": "1:token",
                    "KANGBOT_TELEGRAM__API_URL": f"http://127.0.0.1:{bot.port}",
                    "KANGBOT_TELEGRAM__CHATS": "1",
                }
                found.append((*life(world, (messages, bot)), messages.swallowed, bot.swallowed))
                wrong = world.disagreements()
                world.sandbox.go_on()
                assert not wrong, wrong
        (running, from_start) = found
        row.measured(
            f"live after {without[0]:.1f} s without, {from_start[0]:.1f} s with; p50 frame to order {without[1]:.2f} "
            f"ms without, {from_start[1]:.2f} ms with, {running[1]:.2f} ms where they fell silent later; {without[2]}, "
            f"{from_start[2]} and {running[2]} orders filled; {from_start[3]} and {running[3]} messages, "
            f"{from_start[4]} and {running[4]} polls swallowed; the books agree",
            ok=from_start[0] <= without[0] + LATER_S
            and max(from_start[1], running[1]) <= without[1] + ADDED_MS
            and min(from_start[2], running[2]) > 5,
        )
