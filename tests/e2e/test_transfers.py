"""Money that its owner takes out and brings back while the daemon trades, and while it is away."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.model.events import Noted, Transferred
from tests.support.agreement import Journalled
from tests.support.processes import World

pytestmark = pytest.mark.process

D = Decimal
SURE = timedelta(seconds=10)  # between a mark and a transfer, for their order to be known


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A daemon that enters nothing any more once its equity is ten percent below its highest, or by 500 a day."""
    made = World(tmp_path, seed=11, options=("--balance", "10000"))
    text = made.config.read_text().replace("drawdown_percent = 90", "drawdown_percent = 10")
    made.config.write_text(text.replace("daily_loss = 100000", "daily_loss = 500"))
    yield made
    made.close()


def noted(world: World) -> list[Noted]:
    """Return what the journal notes of transfers."""
    events = (record.event for record in Journalled(world.state).records)
    return [event for event in events if isinstance(event, Noted) and event.kind.startswith("transfers.")]


def transferred(world: World) -> list[Decimal]:
    """Return what the journal has of them, in its order."""
    events = (record.event for record in Journalled(world.state).records)
    return [event.transfer.amount for event in events if isinstance(event, Transferred)]


def trades_on(world: World) -> None:
    """Wait until entries are made after this moment, and no limit of loss is reached."""
    before = world.client.report().orders.filled
    world.orders(more_than=before + 6)
    checks = {check["name"]: check for check in json.loads(world.client.health())["checks"]}
    assert checks["loss_limits"]["figure"] == 0, checks["loss_limits"]


def settled(world: World, times: int = 1) -> None:
    """Wait until the equity was marked that long after now, so that what is marked now is surely of another side."""
    until_ns = time.time_ns() + times * int(SURE.total_seconds() * 1e9)
    world.until(lambda report: report.equity_ns > until_ns)


def reported(world: World) -> None:
    """Hold what `kangbot report` says of it: trading lost less than the day's limit, and 4000 were taken at once."""
    ran = subprocess.run(
        [sys.executable, "-m", "kangbot", "report", "--json", "--config", str(world.config)],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said = json.loads(ran.stdout)
    assert (said["moved_in"], said["moved_out"]) == ("8500", "7500")
    drawdown = D(said["equity"]["drawdown"])
    assert drawdown == fallen(world.state / "history.sqlite")
    assert 0 < drawdown < 500
    assert 0 < said["equity"]["drawdown_percent"] < 10


def fallen(history: Path) -> Decimal:
    """Return the deepest fall of the equity less what was moved before, by the rows of the history."""
    at = datetime.fromisoformat
    with closing(sqlite3.connect(f"{history.as_uri()}?mode=ro", uri=True)) as database:
        marks = database.execute("SELECT marked_at, equity FROM equity WHERE currency = 'USDT' ORDER BY sequence")
        worth = [(at(marked), D(equity)) for marked, equity in marks]
        moves = [(at(moved), D(amount)) for moved, amount in database.execute("SELECT moved_at, amount FROM transfers")]
    highest, deepest = worth[0][1], D(0)
    for marked, equity in worth:
        if all(abs(marked - moved) > SURE for moved, _ in moves):
            own = equity - sum(amount for moved, amount in moves if moved < marked)
            highest = max(highest, own)
            deepest = max(deepest, highest - own)
    return deepest


def test_a_withdrawal_is_no_loss(world: World) -> None:
    """Half of the money leaves: a daemon that counted it for a loss would never enter again."""
    world.start()
    world.orders(more_than=3)
    settled(world)
    world.sandbox.transfer(D(-4000))
    world.until(lambda _: transferred(world) == [D(-4000)])
    trades_on(world)
    settled(world, times=2)  # marks that are surely of after this one, and of before the next
    world.daemon.kill()
    world.sandbox.transfer(D(-2000))
    time.sleep(1)
    world.start()
    world.live()
    world.until(lambda _: transferred(world) == [D(-4000), D(-2000)])
    trades_on(world)
    world.sandbox.transfer(D(7000))
    world.until(lambda _: transferred(world) == [D(-4000), D(-2000), D(7000)])
    world.sandbox.transfer(D(1500), "BONUS")
    world.until(lambda _: transferred(world)[3:] == [D(1500)])
    world.sandbox.transfer(
        D(1), "NEWS"
    )  # too little to be asked for at once: what is found with the next, or in a minute
    world.sandbox.transfer(D(-1500), "BONUS_RECOLLECT")
    world.until(lambda _: transferred(world)[3:] == [D(1500), D(-1500)])
    world.until(lambda _: [note.kind for note in noted(world)] == ["transfers.unclear"])
    assert len(transferred(world)) == 5
    trades_on(world)
    settled(world)
    truth = world.stop()
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
    reported(world)
    assert "transfers.unread" not in (world.folder / "daemon.log").read_text()
