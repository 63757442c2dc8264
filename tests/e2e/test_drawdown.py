"""A real loss that reaches the limit of the drawdown: nothing enters until a person accepts it, and then it goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.health.report import Report
from kangbot.model.events import DrawdownReset
from tests.support.agreement import Journalled
from tests.support.processes import World

pytestmark = pytest.mark.process


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A daemon that enters nothing any more once its equity is five percent below its highest."""
    made = World(tmp_path, seed=13, options=("--balance", "2000"))
    made.config.write_text(made.config.read_text().replace("drawdown_percent = 90", "drawdown_percent = 5"))
    yield made
    made.close()


def kangbot(world: World, *arguments: str) -> str:
    """Run the command line as a process of its own and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "kangbot", *arguments, "--config", str(world.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **world.environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def loses(world: World) -> Report:
    """Have the price of what is held jump against it, once in each market, until the limit is reached."""
    jumped: set[str] = set()

    def lost(report: Report) -> bool:
        held = [market for market in report.markets if market.net and market.symbol not in jumped]
        for market in () if report.losses else held:
            jumped.add(market.symbol)
            world.sandbox.jump(market.symbol.partition("/")[0] + "USDT", 0.8 if market.net > 0 else 1.25)
        return bool(report.losses)

    return world.until(lost)


def wants_in(world: World) -> None:
    """Wait until a strategy wants in and the fall keeps it out."""
    world.until(lambda report: any("below its peak" in market.blocked for market in report.markets))


def at_rest(world: World) -> list[str]:
    """Wait until what was on its way has ended, and return the client ids of the entries that the exchange knows."""
    world.until(
        lambda report: (
            report.orders.sent == report.orders.filled + report.orders.rejected + report.orders.not_accepted
            and not report.orders.unknown
        )
    )
    return entries(world)


def entries(world: World) -> list[str]:
    """Return the client ids of the entries that the exchange knows."""
    return [row["orderLinkId"] for row in world.sandbox.orders() if not row["reduceOnly"] and row["orderLinkId"]]


def resets(world: World) -> list[DrawdownReset]:
    """Return what the journal has of them, in its order."""
    events = (record.event for record in Journalled(world.state).records)
    return [event for event in events if isinstance(event, DrawdownReset)]


def enters(world: World, known: int) -> None:
    """Wait until entries are made beyond those that are known, and no limit of loss is reached then."""
    world.until(lambda report: bool(report.losses) or len(entries(world)) > known)
    assert world.client.report().losses == []


def test_a_loss_that_is_accepted_holds_nothing_back_any_more(world: World) -> None:
    """The limit says what ends it; it ends by that alone, over `kill -9` too, and once more there is nothing to do."""
    world.start()
    world.live()
    world.orders(more_than=3)
    report = loses(world)
    assert report.losses[0].endswith("`kangbot reset-drawdown`")
    checks = {check["name"]: check for check in json.loads(world.client.health())["checks"]}
    assert checks["loss_limits"]["status"] == "warning"
    assert "`kangbot reset-drawdown`" in checks["loss_limits"]["says"]
    held = at_rest(world)
    wants_in(world)
    assert entries(world) == held
    world.daemon.kill()
    world.start()
    world.live()
    wants_in(world)
    assert entries(world) == held

    said = json.loads(kangbot(world, "reset-drawdown", "--json"))
    assert (said["reset"], said["held"]) == (True, [])
    assert Decimal(said["equity"]) <= Decimal(said["highest"]) * Decimal("0.95")
    (reset,) = resets(world)
    assert (str(reset.equity), str(reset.highest)) == (said["equity"], said["highest"])
    enters(world, len(held))

    world.daemon.kill()
    world.start()
    assert world.live().losses == []
    enters(world, len(entries(world)))
    assert len(resets(world)) == 1
    assert world.stop()["duplicates"] == {"refused": 0, "accepted": 0}
