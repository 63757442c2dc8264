"""Every market acts at the same moment, on a busy machine, at an exchange that counts requests as Bybit does."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_world import BASES, FaultWorld, at

pytestmark = pytest.mark.process

STRATEGY = Path(__file__).parents[1] / "support" / "strategies" / "together.py"
ROUNDS = 2


@pytest.fixture
def _busy() -> Iterator[None]:
    """Two processes that compute for as long as the test lasts."""
    computing = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for process in computing:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("_busy")
def test_no_request_is_too_many_when_all_markets_act_at_once(tmp_path: Path) -> None:
    """They enter, move their stops and leave, each at one second: the exchange refuses none for coming too soon.

    A refusal would have everything wait, stops and exits too.
    """
    with FaultWorld(tmp_path) as world:
        shutil.copy(STRATEGY, tmp_path)
        own = world.config.read_text().replace('"ema_cross"', '"together.py"')
        world.config.write_text(own.replace("[defaults.parameters]\nfast = 2\nslow = 5\n", ""))
        world.start()
        world.live()
        world.orders(more_than=2 * len(BASES) * ROUNDS)
        asked = world.sandbox.truth()["requests"]
        assert asked["POST /v5/position/trading-stop"] >= len(BASES)
        # An exchange that stood still with us takes what was sent before and after it for one second's; no other does.
        assert [line for line in world.said("budget.paused") if not world.steady.stood(at(line), 3.0)] == []
        assert world.disagreements() == []
