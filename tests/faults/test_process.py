"""What befalls the process itself."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import BASES, FaultWorld, market, wait_until
from tests.support.strategies import blocks

pytestmark = [pytest.mark.process, pytest.mark.sweep]


def test_a_loop_that_stood_still_blames_nobody(world: FaultWorld, expect: Expect) -> None:
    """SIGSTOP for fifteen seconds: what was not read meanwhile is no silence of the venue."""
    row = expect("event loop stands still for 15 s", "0 reconnects, 0 topics told as down, all fresh ≤ 5 s after")
    world.trading()
    begun, dialled = time.time(), time.monotonic()
    os.kill(world.daemon.pid, signal.SIGSTOP)
    time.sleep(15)
    os.kill(world.daemon.pid, signal.SIGCONT)
    took = world.took(time.time(), world.fresh)
    time.sleep(5)
    reconnects = world.public.since(dialled) + world.private.since(dialled)
    down = [line for line in world.said("feed.", begun) if line["level"] == "warning"]
    row.measured(
        f"{reconnects} reconnects, {len(down)} told as down, all fresh after {took:.1f} s",
        ok=not reconnects and not down and took <= 5,
    )


def test_a_loop_that_is_held_from_inside_blames_nobody(tmp_path: Path, expect: Expect) -> None:
    """A strategy's library keeps the interpreter for fifteen seconds, and the alarm is set far beyond that."""
    row = expect(
        "event loop blocked 15 s inside",
        "the loop stands still ≥ 14 s, 0 reconnects, 0 topics told as down, all fresh ≤ 5 s after",
    )
    shutil.copy(blocks.__file__, tmp_path / "blocks.py")
    flag = tmp_path / blocks.FLAG.name
    victim, *others = BASES
    config = "".join(
        (
            "[supervision]\nslow_decision_ms = 10000\nblocking_decision_ms = 60000\n",
            *map(market, others),
            market(victim, 'strategy = "blocks.py:Blocks"'),
        )
    )
    with FaultWorld(tmp_path, config=config) as world:
        world.trading()
        begun, dialled = time.time(), time.monotonic()
        flag.touch()
        wait_until(lambda: not flag.exists(), 120, "no bar was decided on")  # it answers nobody from then on
        time.sleep(blocks.FOR_S)
        took = world.took(time.time(), world.fresh)
        stood_s = (world.client.report().loop_lag_recent_ms["longest"] or 0.0) / 1000
        time.sleep(5)
        reconnects = world.public.since(dialled) + world.private.since(dialled)
        down = [line for line in world.said("feed.", begun) if line["level"] == "warning"]
        row.measured(
            f"the loop stood still for {stood_s:.1f} s, {reconnects} reconnects, {len(down)} told as down, all fresh "
            f"after {took:.1f} s",
            ok=stood_s >= blocks.FOR_S - 1 and not reconnects and not down and took <= 5,
        )
