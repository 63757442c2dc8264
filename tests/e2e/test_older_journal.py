"""A state folder is put back by hand as it was a while ago, and orders have left since."""

import shutil
import time
from pathlib import Path

import msgspec
import pytest

from kangbot.cli import exit_codes
from kangbot.health.report import LAST_RUN, Report
from tests.support.agreement import Journalled
from tests.support.processes import World, net

pytestmark = pytest.mark.process


def test_a_folder_that_was_put_back_gives_no_id_twice(world: World, tmp_path: Path) -> None:
    """Its journal would give them to other orders, and take the exchange's refusals for proof that these exist."""
    kept = tmp_path / "kept"
    for folder, filled in ((kept, 5), (tmp_path / "newer", 10)):
        world.start()
        world.live()
        world.orders(more_than=filled)
        world.daemon.kill()
        shutil.copytree(world.state, folder, ignore=shutil.ignore_patterns("*.sock"))
    older, newer = Journalled(kept), Journalled(tmp_path / "newer")
    assert older.memory.next_number < newer.memory.next_number
    shutil.rmtree(world.state)
    shutil.copytree(kept, world.state)

    world.start()
    world.live()
    world.orders(more_than=5)
    truth = world.stop()
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
    assert not set(Journalled(world.state).statuses) & (set(newer.statuses) - set(older.statuses))
    report = msgspec.json.decode((world.state / LAST_RUN).read_bytes(), type=Report)
    last = {market.symbol.partition("/")[0]: market.net for market in report.markets if market.net}
    assert last == net(truth["positions"])
    assert "journal.behind" in (tmp_path / "daemon.log").read_text()


def test_what_must_leave_at_once_bears_no_id_that_was_given(world: World, tmp_path: Path) -> None:
    """Positions are to be closed, and the exchange cannot say yet what it knows of later orders."""
    kept = tmp_path / "kept"
    world.start()
    world.live()
    world.orders(more_than=5)
    world.until(lambda report: any(market.net for market in report.markets))
    world.daemon.kill()
    shutil.copytree(world.state, kept, ignore=shutil.ignore_patterns("*.sock"))
    world.start()
    world.live()
    world.orders(more_than=10)
    world.until(lambda report: all(market.net for market in report.markets))
    world.daemon.kill()
    shutil.rmtree(world.state)
    shutil.copytree(kept, world.state)
    (world.state / "KILL").write_text("flatten")

    world.sandbox.fault({"fault": "http_5xx", "path": "/v5/position/list", "count": 8})
    world.start()
    world.until(lambda _: not world.sandbox.truth()["positions"])
    world.until(lambda report: not any(market.net or market.quarantine for market in report.markets))
    assert world.stop()["duplicates"] == {"refused": 0, "accepted": 0}
    assert "journal.behind" in (tmp_path / "daemon.log").read_text()


def test_a_folder_that_was_put_back_is_known_by_a_history_that_was_away(world: World, tmp_path: Path) -> None:
    """By then the older journal has grown beyond what the history has. What is to be done then has all agree again."""
    there, away, kept = tmp_path / "there", tmp_path / "away", tmp_path / "kept"
    there.mkdir()
    world.environment["KANGBOT_DATABASE__URL"] = f"sqlite:///{there / 'history.sqlite'}"
    for folder, filled in ((kept, 5), (tmp_path / "newer", 10)):
        world.start()
        world.live()
        world.orders(more_than=filled)
        report = world.until(lambda report: report.history_backlog == 0)
        world.daemon.kill()
        shutil.copytree(world.state, folder, ignore=shutil.ignore_patterns("*.sock"))
    has = report.journal_sequence
    shutil.rmtree(world.state)
    shutil.copytree(kept, world.state)
    there.rename(away)
    there.write_text("")  # no folder: nothing can be made anew there

    world.start()
    world.until(lambda report: report.journal_sequence > has + 50)
    there.unlink()
    away.rename(there)
    deadline = time.monotonic() + 240  # it is asked again later and later, up to every minute
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert world.daemon.ended == exit_codes.CONFIG, world.daemon.last_lines()
    assert "is another one: an older copy of the journal was put in place" in (tmp_path / "daemon.log").read_text()

    for file in world.state.glob("journal.sqlite*"):
        file.rename(tmp_path / file.name)
    world.kangbot("journal", "rebuild")
    world.start()
    world.live()
    world.orders(more_than=5)
    world.until(lambda report: report.history_backlog == 0)
    truth = world.stop()
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
    report = msgspec.json.decode((world.state / LAST_RUN).read_bytes(), type=Report)
    last = {market.symbol.partition("/")[0]: market.net for market in report.markets if market.net}
    assert last == net(truth["positions"])
