"""Money that its owner takes out and brings back while the daemon trades, and while it is away."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.model.events import Transferred
from tests.support.agreement import Journalled
from tests.support.processes import World

pytestmark = pytest.mark.process

D = Decimal


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A daemon that enters nothing any more once its equity is ten percent below its highest, or by 500 a day."""
    made = World(tmp_path, seed=11, options=("--balance", "10000"))
    text = made.config.read_text().replace("drawdown_percent = 90", "drawdown_percent = 10")
    made.config.write_text(text.replace("daily_loss = 100000", "daily_loss = 500"))
    yield made
    made.close()


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


def test_a_withdrawal_is_no_loss(world: World) -> None:
    """Half of the money leaves: a daemon that counted it for a loss would never enter again."""
    world.start()
    world.orders(more_than=3)
    world.sandbox.transfer(D(-4000))
    world.until(lambda _: transferred(world) == [D(-4000)])
    trades_on(world)
    world.daemon.kill()
    world.sandbox.transfer(D(-2000))
    time.sleep(1)
    world.start()
    world.live()
    world.until(lambda _: transferred(world) == [D(-4000), D(-2000)])
    trades_on(world)
    world.sandbox.transfer(D(7000))
    world.until(lambda _: transferred(world) == [D(-4000), D(-2000), D(7000)])
    trades_on(world)
    truth = world.stop()
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
    assert "transfers.unread" not in (world.folder / "daemon.log").read_text()
