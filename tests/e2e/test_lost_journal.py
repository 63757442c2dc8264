"""The disk with the state folder is lost while positions are open at the exchange."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kangbot.health.report import LAST_RUN, Report
from tests.support import mariadb
from tests.support.processes import World, net

pytestmark = pytest.mark.process

Elsewhere = Callable[[World], None]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def elsewhere(request: pytest.FixtureRequest) -> Elsewhere:
    """Put the history where the disk of the state folder is not."""

    def put(world: World) -> None:
        if request.param == "sqlite":
            url = f"sqlite:///{world.folder / 'history.sqlite'}"
        else:
            server: mariadb.MariadbServer = request.getfixturevalue("database_server")
            url = server.url(server.database())
        world.environment["KANGBOT_DATABASE__URL"] = url

    return put


def rebuild(world: World, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `kangbot journal rebuild` as an operator would."""
    command = [sys.executable, "-m", "kangbot", "journal", "rebuild", "--config", str(world.config), *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", **world.environment},
    )


def test_a_lost_journal_is_rebuilt_and_agrees_with_the_exchange(world: World, elsewhere: Elsewhere) -> None:
    """From the history and the exchange: the positions are known, trading goes on, no id is given twice."""
    elsewhere(world)
    world.start()
    world.live()
    world.orders(more_than=5)
    world.until(lambda report: report.history_backlog < report.journal_sequence)  # its tables are made
    there = rebuild(world)
    assert there.returncode == 78
    assert "belongs to a running kangbot" in there.stderr
    world.daemon.kill()
    there = rebuild(world)
    assert there.returncode == 78
    assert "is not overwritten" in there.stderr
    shutil.rmtree(world.state)
    done = rebuild(world)
    assert done.returncode == 0, done.stderr
    assert "is rebuilt up to record" in done.stdout
    world.start()
    report = world.live()
    assert not any("count" in market.blocked for market in report.markets)
    world.orders(more_than=5)
    truth = world.stop()
    report = msgspec.json.decode((world.state / LAST_RUN).read_bytes(), type=Report)
    last = {market.symbol.partition("/")[0]: market.net for market in report.markets if market.net}
    assert last == net(truth["positions"])
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}


def test_without_its_journal_a_position_is_left_to_a_person(world: World, tmp_path: Path) -> None:
    """An empty journal explains no position: its market is quarantined with the way out, and not traded."""
    world.start()
    world.live()
    world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 3)
    world.daemon.kill()
    world.sandbox.pause()  # no stop is reached, however long the next start takes
    (positions, orders) = (net(world.sandbox.truth()["positions"]), world.sandbox.truth()["orders"]["total"])
    shutil.rmtree(world.state)
    world.start()
    report = world.until(
        lambda report: all(
            "kangbot journal rebuild" in market.blocked
            for market in report.markets
            if market.symbol.partition("/")[0] in positions
        )
    )
    assert report.orders.unknown == 0
    assert orders > 0
    after = net(world.sandbox.truth()["positions"])
    assert {base: amount for base, amount in after.items() if base in positions} == positions
