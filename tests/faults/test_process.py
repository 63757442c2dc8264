"""What befalls the process itself."""

import os
import signal
import time

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld

pytestmark = [pytest.mark.process, pytest.mark.sweep]


def test_a_loop_that_stood_still_blames_nobody(world: FaultWorld, expect: Expect) -> None:
    """SIGSTOP for fifteen seconds: what was not read meanwhile is no silence of the venue."""
    row = expect("event loop stands still for 15 s", "0 reconnects, 0 topics told as down, all fresh ≤ 5 s after")
    world.trading()
    begun, dialled = time.time(), time.monotonic()
    os.kill(world.daemon.pid, signal.SIGSTOP)
    time.sleep(15)
    os.kill(world.daemon.pid, signal.SIGCONT)
    on = time.monotonic()
    world.until(world.fresh, 30)
    took = time.monotonic() - on
    time.sleep(5)
    reconnects = world.public.since(dialled) + world.private.since(dialled)
    down = [line for line in world.said("feed.", begun) if line["level"] == "warning"]
    row.measured(
        f"{reconnects} reconnects, {len(down)} told as down, all fresh after {took:.1f} s",
        ok=not reconnects and not down and took <= 5,
    )
