"""The daemon is killed for real, and started again on the same state."""

import random
import sqlite3
import time
from contextlib import closing
from decimal import Decimal

import pytest

from tests.support.processes import MARKETS, World, net

pytestmark = pytest.mark.process


def ledger(world: World) -> tuple[dict[str, Decimal], dict[str, int]]:
    """Return the history's open positions by base currency, and its orders by status."""
    with closing(sqlite3.connect(world.state / "history.sqlite")) as database:
        positions = {
            market.split(":")[1].split("-")[0]: Decimal(text)
            for market, text in database.execute("SELECT market, net FROM positions")
            if Decimal(text)
        }
        orders = dict(database.execute("SELECT status, COUNT(*) FROM orders GROUP BY status"))
    return positions, orders


def test_killed_five_times_nothing_is_lost_or_doubled(world: World) -> None:
    """At random moments under load: the same positions as the exchange, every order once, the same desired states."""
    draw = random.Random(11)
    for _ in range(5):
        world.start()
        world.orders(more_than=0)
        time.sleep(draw.uniform(0.0, 2.0))
        world.daemon.kill()
    world.start()
    world.live()
    world.orders(more_than=1)
    truth = world.stop()
    positions, orders = ledger(world)
    assert positions == net(truth["positions"])
    assert truth["duplicates"]["accepted"] == 0
    refused = orders.get("rejected", 0) + orders.get("not_accepted", 0)
    assert truth["orders"]["with_prefix"] == sum(orders.values()) - refused
    assert not orders.keys() & {"intent", "sent", "unknown"}


def test_a_restart_resumes_what_the_operator_wanted(world: World) -> None:
    """A market that was stopped stays stopped over `kill -9`, a paused one comes back paused, the rest run."""
    world.start()
    world.live()
    world.client.command("bybit:SOL-USDT:USDT", "stop")
    world.client.command("bybit:XRP-USDT:USDT", "pause")
    wanted = {"SOL/USDT:USDT": "stopped", "XRP/USDT:USDT": "paused"}
    world.until(
        lambda r: len(r.markets) == len(MARKETS) and all(m.state == wanted.get(m.symbol, "live") for m in r.markets)
    )
    world.daemon.kill()
    world.start()
    report = world.until(
        lambda r: len(r.markets) == len(MARKETS) and all(m.state == wanted.get(m.symbol, "live") for m in r.markets)
    )
    assert report.live == len(MARKETS) - 2
    truth = world.stop()
    assert ledger(world)[0] == net(truth["positions"])


def test_a_second_daemon_on_the_same_state_is_refused(world: World) -> None:
    """Two daemons never share a journal: the second one says who holds it, and ends with 78."""
    world.start()
    first = world.daemon
    second = type(first)(
        config=world.config, state=world.state, environment=world.environment, log=world.folder / "second.log"
    )
    deadline = time.monotonic() + 30
    while second.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert second.ended == 78
    assert str(first.pid) in (world.folder / "second.log").read_text()
    assert world.client.report().pid == first.pid
