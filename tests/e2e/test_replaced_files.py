"""The program's own files are taken away under a daemon that trades: an upgrade that nobody stopped it for."""

import json
import shutil
from pathlib import Path

import pytest

import kangbot
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.fault_world import wait_until
from tests.support.processes import World, net

pytestmark = pytest.mark.process


def test_a_daemon_whose_files_are_gone_trades_on_and_takes_no_edit(world: World, tmp_path: Path) -> None:
    """All that trades is in memory. What another version reads of the file is not taken, and nobody else is blamed."""
    package = tmp_path / "site" / "kangbot"
    shutil.copytree(Path(kangbot.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    # What stands there once it is gone is another copy, of the checkout: as after an upgrade.
    world.environment |= {"PYTHONPATH": str(package.parent), "PYTHONSAFEPATH": "1"}
    world.environment |= {"KANGBOT_NOTIFY__ADDRESSES": "json://127.0.0.1:9/", "KANGBOT_NOTIFY__LEAST": "info"}
    world.config.write_text(world.config.read_text() + '[logs]\nformat = "json"\n')
    world.start()
    world.live()
    package.rename(package.with_name("gone"))

    def said(event: str) -> list[str]:
        lines = [json.loads(line) for line in world.daemon.log.read_text().splitlines() if line.startswith("{")]
        return [str(line) for line in lines if line["event"] == event]

    before = world.config.read_text()
    world.config.write_text(before.replace("size = 500", "size = 600"))
    wait_until(lambda: said("config.invalid"), 120, "nothing was said of the edit")
    assert "Kangbot's files were replaced or removed since it was started; restart it" in said("config.invalid")[0]
    assert "files were replaced" in world.client.report().config.problem
    world.sandbox.fault({"fault": "drop_sockets"})
    wait_until(lambda: said("feed.up"), 120, "no connection came back")
    world.orders(more_than=world.client.report().orders.filled + 5)
    world.client.tell("/kill", {"reason": "a test", "flatten": True})
    world.until(lambda _: not net(world.sandbox.truth()["positions"]))
    world.client.tell("/release")
    world.orders(more_than=world.client.report().orders.filled + 2)
    world.stop()
    assert disagreements(Journalled(world.state), sqlite_query(world.state), world.sandbox) == []
    assert not said("error.unexpected")
    assert "Traceback" not in world.daemon.log.read_text()
