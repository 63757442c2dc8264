"""A real loss that reaches the limit of the drawdown: nothing enters until a person accepts it, and then it goes on."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.health.report import Report
from kangbot.model.events import DrawdownReset, EquityMarked, OrderIntended
from kangbot.model.orders import Purpose
from tests.support.agreement import Journalled
from tests.support.processes import World, net

pytestmark = pytest.mark.process

BALANCE = Decimal(2000)
LIMIT = 5
ENOUGH = BALANCE * Decimal("0.92")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A daemon that enters nothing any more once its equity is five percent below its highest."""
    made = World(tmp_path, seed=13, options=("--balance", str(BALANCE)))
    made.config.write_text(made.config.read_text().replace("drawdown_percent = 90", f"drawdown_percent = {LIMIT}"))
    yield made
    made.close()


def loses(world: World) -> Report:
    """Have prices jump against two of the positions, so that more is lost than a turn of prices brings back.

    Each loses a tenth of the account, twice the limit. They jump while nothing moves: against a position that has just
    been turned round they would win as much, and who has lost a little enters nothing that could lose the rest.
    """
    while len(held := net(world.at_rest()["positions"])) < 2:
        world.sandbox.go_on()
        world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 2)
    for base in sorted(held)[:2]:
        world.sandbox.jump(f"{base}USDT", 0.6 if held[base] > 0 else 1.4)
    world.sandbox.go_on()
    return world.until(lambda report: bool(report.losses) and report.equity["USDT"] < ENOUGH)


def wants_in(world: World) -> None:
    """Wait until a strategy wants in and the fall keeps it out."""
    world.until(lambda report: any("below its peak" in market.blocked for market in report.markets))


def intended(world: World) -> list[tuple[int, bool]]:
    """Return each entry in the journal: its sequence, and whether the fall had reached the limit by then."""
    found, equity, highest = list[tuple[int, bool]](), Decimal(0), Decimal(0)
    for record in Journalled(world.state).records:
        match record.event:
            case EquityMarked(equity=equity):
                highest = max(highest, equity)
            case DrawdownReset(equity=highest):
                pass
            case OrderIntended(intent=intent) if intent.purpose is Purpose.ENTRY:
                found.append((record.sequence, (highest - equity) * 100 >= highest * LIMIT))
    return found


def in_spite(world: World) -> list[int]:
    """Return the entries that were made though the fall had reached the limit."""
    return [sequence for sequence, fallen in intended(world) if fallen]


def resets(world: World) -> list[DrawdownReset]:
    """Return what the journal has of them, in its order."""
    events = (record.event for record in Journalled(world.state).records)
    return [event for event in events if isinstance(event, DrawdownReset)]


def enters(world: World) -> None:
    """Wait until entries are made from now on."""
    now = Journalled(world.state).records[-1].sequence
    world.until(lambda _: any(sequence > now for sequence, _ in intended(world)))


def test_a_loss_that_is_accepted_holds_nothing_back_any_more(world: World) -> None:
    """The limit says what ends it; it ends by that alone, and both outlive `kill -9`."""
    world.start()
    world.live()
    world.orders(more_than=3)
    report = loses(world)
    assert report.losses[0].endswith("`kangbot reset-drawdown`")
    checks = {check["name"]: check for check in json.loads(world.client.health())["checks"]}
    assert checks["loss_limits"]["status"] == "warning"
    assert "`kangbot reset-drawdown`" in checks["loss_limits"]["says"]
    wants_in(world)
    assert in_spite(world) == []
    world.daemon.kill()
    world.start()
    world.live()
    wants_in(world)
    assert in_spite(world) == []

    said = json.loads(world.kangbot("reset-drawdown", "--json"))
    assert (said["reset"], said["held"]) == (True, [])
    assert Decimal(said["equity"]) <= Decimal(said["highest"]) * Decimal("0.95")
    (reset,) = resets(world)
    assert (str(reset.equity), str(reset.highest)) == (said["equity"], said["highest"])
    enters(world)
    assert world.client.report().losses == []

    world.daemon.kill()
    world.start()
    assert world.live().losses == []
    enters(world)
    assert in_spite(world) == []
    assert len(resets(world)) == 1
    assert world.stop()["duplicates"] == {"refused": 0, "accepted": 0}
