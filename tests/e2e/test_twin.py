"""A state folder is copied to another machine, and the daemon on the first one is forgotten: both trade."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import CONFIG, MARKETS, Life, World

pytestmark = pytest.mark.process


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Iterator[Life]:
    """A daemon that is to go on with a copy of the world's folder, at the same exchange."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    environment = {name: value for name, value in world.environment.items() if name != "KANGBOT_STATE_DIR"}
    made = Life(folder, CONFIG, len(MARKETS), environment)
    yield made
    made.close()


@pytest.mark.parametrize("first_trades", [True, False])
def test_two_daemons_of_one_journal_stop_entering_and_say_why(world: World, copy: Life, first_trades: bool) -> None:
    """Each took the other's positions for its own and closed them, at the price of a spread and two fees each time.

    Where the first has sent nothing since it was copied, both give the same numbers next.
    """
    world.start()
    world.orders(more_than=5)
    assert world.daemon.stop() == 0, world.daemon.last_lines()
    shutil.copytree(world.state, copy.state, ignore=shutil.ignore_patterns("*.sock"))
    if first_trades:
        world.start()
        world.orders(more_than=0)
        copy.start()
    else:
        copy.start()
        world.start()
    killed = world.until(lambda report: bool(report.killed)).killed
    assert "sent under this journal's name and not by this daemon" in killed
