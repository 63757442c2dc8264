"""A spot market in real processes: what is bought is part of the account's equity."""

import json
import shutil
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.processes import World

pytestmark = pytest.mark.process

HOLDS = Path(__file__).parents[1] / "support" / "strategies" / "holds.py"
CONFIG = """
mode = "sandbox"
[risk]
require_stop = false
market_notional = 30000
total_notional = 30000
daily_loss = 5000
[[markets]]
symbol = "BTC/USDT"
strategy = "holds.py"
timeframe = "1s"
size = 20000
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange with a spot market, and a daemon that buys there once."""
    made = World(tmp_path, seed=7, options=("--spot-symbols", "BTCUSDT"))
    made.config.write_text(CONFIG)
    shutil.copy(HOLDS, tmp_path)
    yield made
    made.close()


def jump(world: World, ratio: float) -> None:
    """Have the price move by that factor at once."""
    body = json.dumps({"symbol": "BTCUSDT", "ratio": ratio, "category": "spot"}).encode()
    request = urllib.request.Request(f"{world.sandbox.rest_url}/sandbox/jump", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def marks(world: World) -> list[Decimal]:
    """Return every equity that the history has, in order."""
    with closing(sqlite3.connect(world.state / "history.sqlite")) as database:
        rows = database.execute("SELECT equity FROM equity WHERE currency = 'USDT' ORDER BY sequence")
        return [Decimal(str(equity)) for (equity,) in rows]


def test_what_is_bought_is_no_loss_and_is_worth_its_price(world: World) -> None:
    """A purchase of 20,000 never shows as a loss of it; where the price has risen by half, it is worth 30,000."""
    world.start()
    begun = world.until(lambda report: bool(report.equity)).equity["USDT"]
    (market,) = world.until(lambda report: any(market.net for market in report.markets)).markets
    world.client.command(market.market, "stop")
    held = world.until(lambda report: report.markets[0].state == "stopped").markets[0].net
    world.daemon.kill()
    jump(world, 1.5)
    world.start()
    report = world.until(lambda report: report.equity.get("USDT", begun) > begun + 5000, timeout_s=150)
    assert report.markets[0].net == held
    assert report.equity["USDT"] < begun + 15000
    assert Decimal(world.stop()["wallet"]) < begun - 15000
    assert min(marks(world)) > begun - 5000
