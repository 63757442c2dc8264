"""Funding, from the exchange to the report: paid for positions that are held, over a kill, to the last payment."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.processes import World

pytestmark = pytest.mark.process

EVERY_S = 2


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange that pays every two seconds."""
    made = World(tmp_path, seed=7, options=("--funding-interval-s", str(EVERY_S)))
    yield made
    made.close()


def paid(world: World) -> int:
    """Return how many payments the exchange has made."""
    count: int = world.sandbox.truth()["cash_flows"]
    return count


def wait_for_payments(world: World, more: int) -> None:
    """Wait until there are so many more."""
    deadline, before = time.monotonic() + 120, paid(world)
    while paid(world) < before + more:
        assert time.monotonic() < deadline, "nothing was paid"
        time.sleep(0.1)


def test_funding_is_booked_once_and_reported(world: World) -> None:
    """By stream and, for the time without a daemon, by asking; journal, history and report agree to the last digit."""
    world.start()
    world.orders(more_than=2)
    wait_for_payments(world, 3)
    world.daemon.kill()
    wait_for_payments(world, 3)
    world.start()
    world.live()
    wait_for_payments(world, 3)
    owed = paid(world)
    world.until(lambda _: len(Journalled(world.state).flows) >= owed)
    world.stop()
    journal = Journalled(world.state)
    assert disagreements(journal, sqlite_query(world.state), world.sandbox) == []
    assert owed >= 9
    command = [sys.executable, "-m", "kangbot", "report", "--json", "--config", str(world.config)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | world.environment)
    assert Decimal(json.loads(said.stdout)["funding"]) == sum(journal.flows.values())
