"""Entries are paused because of an error, and the daemon is killed meanwhile: the pause is there after the restart."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kangbot.health.report import MarketReport, Report
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.processes import MARKETS, World

pytestmark = pytest.mark.process

_SYMBOLS = ",".join(f"{base}USDT" for base in (*MARKETS, "ADA"))
_TIED_UP = {"category": "linear", "symbol": "ADAUSDT", "orderType": "Market", "qty": "10000"}  # some 950 of margin


@pytest.fixture
def poor(tmp_path: Path) -> Iterator[World]:
    """An exchange where the account has 1,000 USDT."""
    made = World(tmp_path, seed=7, options=("--symbols", _SYMBOLS, "--balance", "1000"))
    yield made
    made.close()


def paused(report: Report) -> dict[str, MarketReport]:
    """Return the markets whose entries are paused, by name."""
    return {market.market: market for market in report.markets if market.paused}


def executions(world: World, side: str) -> int:
    """Tie the money up by hand, or set it free, while no daemon trades; return in how many pieces it was done."""
    before = int(world.sandbox.truth()["fills"])
    world.sandbox.by_hand(_TIED_UP | {"side": side})
    return int(world.sandbox.truth()["fills"]) - before


def kangbot(world: World, *words: str) -> str:
    """Return what the command says to a person."""
    done = subprocess.run(
        [sys.executable, "-m", "kangbot", *words, "--config", str(world.config)],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pause_of_entries_outlives_a_kill_and_ends_when_somebody_resumes(poor: World) -> None:
    """No order leaves for such a market meanwhile; `kangbot status` says so, and `resume` has it enter again."""
    foreign = executions(poor, "Buy")
    poor.start()
    poor.live()
    before = paused(poor.until(lambda report: len(paused(report)) >= 3 and not report.journal_waiting))
    poor.daemon.kill()
    foreign += executions(poor, "Sell")  # the money is there again, and nobody tells the daemon
    poor.start()
    poor.live()
    after = paused(poor.client.report())
    for name, market in before.items():
        assert after[name].paused == market.paused
        assert after[name].paused_until_ns == market.paused_until_ns
        assert after[name].orders.sent == 0
    said = [line for line in kangbot(poor, "status").splitlines() if "NO ENTRIES until" in line]
    assert {line.split()[0] for line in said} >= {market.symbol for market in before.values()}
    assert all("kangbot resume" in line for line in said)

    one, *others = before
    kangbot(poor, "resume", one)
    report = poor.until(lambda report: all(m.orders.filled for m in report.markets if m.market == one))
    assert one not in paused(report)
    assert paused(report).keys() >= set(others)
    assert all(market.orders.sent == 0 for market in report.markets if market.market in others)
    poor.daemon.kill()
    poor.start()
    poor.live()
    assert paused(poor.client.report()).keys() >= set(others)
    assert one not in paused(poor.client.report())  # nor does a restart bring it back
    poor.stop()
    assert disagreements(Journalled(poor.state), sqlite_query(poor.state), poor.sandbox, by_hand=foreign) == []
