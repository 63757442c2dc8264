"""The real executor and the real journal, ended at every step of submit, cancel and fill handling.

`make test` takes every fourth step, `make crash-points` each. What must hold at each of them is `findings` in
`tests/support/crash_sweep.py`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli.demo.processes import Sandbox
from kangbot.sim.markets.listing import DEFAULT_LINEAR
from tests.support.reports import write_report

pytestmark = pytest.mark.process

_MARKETS = DEFAULT_LINEAR[:8]


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Sandbox]:
    """An exchange of its own; requests are not counted, for many lives share one key."""
    symbols = ("--symbols", ",".join(_MARKETS), "--spot-symbols", "")
    quiet = ("--no-limits", "--rate", "4", "--history-minutes", "2")
    one = Sandbox(seed=3, log=tmp_path / "sandbox.log", options=(*symbols, *quiet))
    yield one
    one.close()


def sweep(exchange: Sandbox, folder: Path, stride: int, *options: str) -> dict[str, Any]:
    """Crash at each `stride`th step, and return what was found."""
    where = {"rest_url": exchange.rest_url, "ws_private_url": exchange.ws_private_url, "natives": _MARKETS}
    command = [sys.executable, "-m", "tests.support.crash_sweep", json.dumps(where), str(folder), str(stride), *options]
    begun = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    return result | {"seconds": round(time.monotonic() - begun, 1)}


def test_a_crash_at_any_step_leaves_nothing_to_disagree_about(exchange: Sandbox, tmp_path: Path) -> None:
    """A quarter of the steps, and again during the recovery: no order lost or doubled, positions and stops equal."""
    found = sweep(exchange, tmp_path, 4)
    assert found["violations"] == []
    assert found["points"] > 20
    assert found["completed"] > 0


@pytest.mark.sweep
def test_a_crash_at_every_step_leaves_nothing_to_disagree_about(exchange: Sandbox, tmp_path: Path) -> None:
    """Every step."""
    found = sweep(exchange, tmp_path, 1)
    write_report("crash_points", found)
    assert found["violations"] == []
    assert found["points"] > 100


def test_the_sweep_notices_an_order_that_leaves_before_it_is_on_disk(exchange: Sandbox, tmp_path: Path) -> None:
    """With a journal that promises what it has not done, orders are at the exchange that nobody remembers."""
    found = sweep(exchange, tmp_path, 30, "--careless")
    assert any("not in the journal" in one["message"] for one in found["violations"])
