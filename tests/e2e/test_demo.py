"""`kangbot demo`, as a script sees it."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process


def test_the_demo_agrees_with_the_exchange() -> None:
    """27 markets, the real daemon: one JSON object, every market live, the same orders and positions on both sides."""
    ended = subprocess.run(
        [sys.executable, "-m", "kangbot", "demo", "--seconds", "25", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
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
    """With --chaos sockets drop, answers are lost and the daemon is killed: the books still agree."""
    ended = subprocess.run(
        [sys.executable, "-m", "kangbot", "demo", "--seconds", "35", "--json", "--chaos", "--markets", "9"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = json.loads(ended.stdout)
    assert said["positions_agree"] is True
    assert said["orders"]["duplicated"] == said["orders"]["unknown"] == 0
