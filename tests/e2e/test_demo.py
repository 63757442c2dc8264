"""`kangbot demo`, as a script sees it."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.cli.demo.processes import Sandbox
from kangbot.settings.paths import shipped_config
from tests.support.processes import Life

pytestmark = pytest.mark.process


def test_the_demo_agrees_with_the_exchange() -> None:
    """27 markets, the real daemon: one JSON object, every market live, the same orders and positions on both sides."""
    ended = subprocess.run(
        [sys.executable, "-m", "kangbot", "demo", "--seconds", "25", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["markets"] == {"total": 27, "live": 27}
    orders = said["orders"]
    assert orders["sent"] > 5
    assert orders["sent"] == orders["at_venue"] + orders["rejected"]
    assert orders["filled"] > 5
    assert orders["duplicated"] == orders["unknown"] == 0
    assert said["positions_agree"] is True
    assert said["frames"] > 500
    assert said["bars"] > 20
    assert said["decisions"] > 20
    assert said["latency_ms"].keys() == {"frame_to_decision", "frame_to_order"}
    assert said["latency_ms"]["frame_to_order"]["p99"] >= said["latency_ms"]["frame_to_order"]["p50"] > 0
    assert 30 < said["rss_mb"]["peak"] < 200
    assert said["cpu_percent"] > 0
    assert said["loop"] in ("uvloop", "asyncio")
    assert said["reconnects"] == 0


def test_the_demo_survives_its_own_mischief() -> None:
    """With --chaos sockets drop, answers are lost and the daemon is killed: each is told, and the books still agree."""
    ended = subprocess.run(
        [sys.executable, "-m", "kangbot", "demo", "--seconds", "35", "--chaos", "--markets", "9"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = ended.stdout.splitlines()
    assert sum(line.endswith(" s  the daemon is killed") for line in said) == 1
    assert sum(line.endswith(" s  the daemon was killed by signal 9; started again") for line in said) == 1
    summary = dict(re.findall(r"│ (\S.*?\S)\s{2,}(\S.*?)\s*│", ended.stdout))
    assert summary["orders agree"] == summary["positions agree"] == "yes"
    assert summary["orders"].endswith(" 0 unknown")
    assert summary["the exchange counts"].endswith(" 0 doubled")


def test_something_is_traded_in_the_first_seconds(tmp_path: Path) -> None:
    """By strategies that decide on seconds: no market is live for ten of its bars before its first order is planned."""
    sandbox = Sandbox(seed=7, log=tmp_path / "sandbox.log", options=("--no-limits", "--history-minutes", "300"))
    addresses = {
        "KANGBOT_VENUES__BYBIT__REST_URL": sandbox.rest_url,
        "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": sandbox.ws_public_url,
        "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": sandbox.ws_private_url,
        "KANGBOT_CONTROL__PORT": "0",
    }
    life = Life(tmp_path, shipped_config("demo.toml").read_text(), 27, addresses)
    try:
        life.start()
        seconds = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
        life.until(lambda now: sum(bool(one.orders.filled) for one in now.markets if one.symbol in seconds) == 3)
        assert life.daemon.stop() == 0
    finally:
        life.close()
        sandbox.close()
    question = """
        SELECT orders.market,
            (SELECT count(*) FROM bars
             WHERE bars.market = orders.market AND bars.timeframe_s = 1
             AND bars.opened_at BETWEEN min(run_states.changed_at) AND min(orders.intended_at))
        FROM orders JOIN run_states ON run_states.market = orders.market AND run_states.state = 'live'
        GROUP BY orders.market
    """
    with closing(sqlite3.connect(life.state / "history.sqlite")) as database:
        waited = dict(database.execute(question).fetchall())
    assert all(waited[f"bybit:{symbol.replace('/', '-')}"] < 10 for symbol in seconds)
