"""A venue whose clock is far from ours, in real processes."""

from pathlib import Path

import pytest

from kangbot.cli.demo.ledger import positions_in
from tests.support.processes import World, net

pytestmark = pytest.mark.process


@pytest.mark.parametrize("skew_s", [-90, 40])
def test_a_skewed_venue_is_traded_by_its_own_clock(tmp_path: Path, skew_s: int) -> None:
    """Far outside the receive window, either way: requests are taken, bars close, the books agree, over a restart."""
    world = World(tmp_path, seed=7, options=("--clock-skew-s", str(skew_s)))
    try:
        world.start()
        world.live()
        report = world.orders(more_than=3)
        offset_ms, uncertainty_ms = report.clock["offset"], report.clock["uncertainty"]
        assert offset_ms is not None
        assert uncertainty_ms is not None
        assert abs(offset_ms - skew_s * 1000) <= uncertainty_ms + 100  # the two anchors were read at other moments
        assert uncertainty_ms < 1000
        world.daemon.kill()
        world.start()
        world.live()
        world.orders(more_than=0)
        truth = world.stop()
        held = {market.split(":")[1].split("-")[0]: size for market, size in positions_in(world.state).items()}
        assert held == net(truth["positions"])
        assert truth["duplicates"]["accepted"] == 0
    finally:
        world.close()
