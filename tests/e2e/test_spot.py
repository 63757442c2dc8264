"""A spot market in real processes: what is bought is part of the account's equity, and has its stop at the exchange."""

import asyncio
import json
import shutil
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.model.ids import ClientId, Symbol
from kangbot.model.orders import OrderReport
from kangbot.venues.bybit.venue import BybitVenue
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

CROSSES = """
mode = "sandbox"
[risk]
market_notional = 30000
total_notional = 30000
daily_loss = 5000
[[markets]]
symbol = "BTC/USDT"
strategy = "ema_cross"
timeframe = "1s"
size = 20000
parameters = { fast = 2, slow = 5, stop_percent = 5 }
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
    with urllib.request.urlopen(request, timeout=120) as answer:
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
    world.client.tell(f"/markets/{market.market}/stop")
    held = world.until(lambda report: report.markets[0].state == "stopped").markets[0].net
    world.daemon.kill()
    jump(world, 1.5)
    world.start()
    report = world.until(lambda report: report.equity.get("USDT", begun) > begun + 5000, timeout_s=150)
    assert report.markets[0].net == held
    assert report.equity["USDT"] < begun + 15000
    assert Decimal(world.stop()["wallet"]) < begun - 15000
    assert min(marks(world)) > begun - 5000


def at_the_exchange(world: World, cancel: ClientId | None = None) -> list[OrderReport]:
    """Return the open orders of the spot market, after one of them has been cancelled."""

    async def main() -> list[OrderReport]:
        venue = BybitVenue(
            key="sandbox",
            secret="sandbox",
            rest_url=world.sandbox.rest_url,
            now_ns=time.time_ns,
            venue_now_ms=lambda: time.time_ns() // 1_000_000,
        )
        try:
            pair = (await venue.instruments([Symbol("BTC/USDT")]))[Symbol("BTC/USDT")]
            if cancel is not None:
                await venue.cancel(pair, cancel)
            return list(await venue.open_orders())
        finally:
            await venue.aclose()

    return asyncio.run(main())


def test_a_holding_has_its_stop_at_the_exchange(world: World) -> None:
    """Beside a market entry; back after a `kill -9` without it; it sells the holding when the price falls."""
    world.config.write_text(CROSSES)
    world.start()
    (market,) = world.until(lambda report: any(one.net and one.stop for one in report.markets)).markets
    world.client.tell(f"/markets/{market.market}/stop")
    (market,) = world.until(lambda report: report.markets[0].state == "stopped").markets
    held = market.net
    (stop,) = at_the_exchange(world)
    assert (stop.protective, stop.trigger) == (True, Decimal(str(market.stop)))
    assert held - Decimal("0.001") < stop.quantity <= held
    world.daemon.kill()
    assert at_the_exchange(world, cancel=stop.client_id) == []
    world.start()
    report = world.until(lambda _: bool(at_the_exchange(world)))
    assert report.live == 0
    (again,) = at_the_exchange(world)
    assert (again.trigger, again.quantity) == (stop.trigger, stop.quantity)
    assert again.client_id != stop.client_id
    world.until(lambda report: not report.markets[0].unprotected)
    jump(world, 0.8)
    world.until(lambda report: report.markets[0].net < Decimal("0.001"))  # what the fee made uneven stays
    assert at_the_exchange(world) == []
