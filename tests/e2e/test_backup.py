"""A backup taken from a running daemon is restored elsewhere, and trading goes on as if it had been there all along."""

import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from kangbot.health.report import LAST_RUN, Report
from tests.support.processes import World, net

pytestmark = pytest.mark.process


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange, and a daemon that is not started yet."""
    world = World(tmp_path, seed=21)
    try:
        yield world
    finally:
        world.close()


def kangbot(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type a command as an operator would."""
    return subprocess.run(
        [sys.executable, "-m", "kangbot", *arguments, "--config", str(world.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", **world.environment},
    )


def test_a_backup_of_a_running_daemon_is_gone_on_with(world: World, tmp_path: Path) -> None:
    """Orders left after it; restored, the positions agree with the exchange, and no order is doubled."""
    file = tmp_path / "backup.zip"
    world.start()
    world.live()
    world.orders(more_than=5)
    done = kangbot(world, "backup", str(file))
    assert done.returncode == 0, done.stderr
    world.orders(more_than=world.client.report().orders.filled + 5)  # which the backup does not know
    refused = kangbot(world, "restore", str(file))
    assert refused.returncode == 78
    assert "belongs to a running kangbot" in refused.stderr
    world.daemon.kill()
    refused = kangbot(world, "restore", str(file))
    assert refused.returncode == 78
    assert "is not empty" in refused.stderr
    shutil.rmtree(world.state)
    world.config.unlink()
    done = kangbot(world, "restore", str(file))
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(world.state / "journal.sqlite")) as journal:
        assert journal.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    world.start()
    report = world.live()
    assert not any("count" in market.blocked for market in report.markets)
    world.orders(more_than=5)
    truth = world.stop()
    report = msgspec.json.decode((world.state / LAST_RUN).read_bytes(), type=Report)
    assert {market.symbol.partition("/")[0]: market.net for market in report.markets if market.net} == net(
        truth["positions"]
    )
    assert truth["duplicates"] == {"refused": 0, "accepted": 0}
    assert report.history_backlog == 0


def test_a_damaged_backup_is_refused(world: World, tmp_path: Path) -> None:
    """Nothing of it is placed: another content than the manifest's, a later format, no zip at all."""
    file = tmp_path / "backup.zip"
    world.start()
    world.live()
    assert world.daemon.stop() == 0
    assert kangbot(world, "backup", str(file)).returncode == 0
    shutil.rmtree(world.state)
    with zipfile.ZipFile(file) as archive:
        names = {name: archive.read(name) for name in archive.namelist()}
    for name, text, words in (
        ("journal.sqlite", names["journal.sqlite"][:-1] + b"x", "is damaged: journal.sqlite"),
        ("manifest.json", names["manifest.json"].replace(b'"format": 2', b'"format": 3'), "a later kangbot"),
        ("manifest.json", names["manifest.json"].replace(b'"kangbot.toml":', b'"../x":'), "a strange name"),
    ):
        broken = tmp_path / "broken.zip"
        with zipfile.ZipFile(broken, "w") as archive:
            for other, known in names.items():
                archive.writestr(other, text if other == name else known)
        refused = kangbot(world, "restore", str(broken))
        assert refused.returncode == 78, refused.stdout
        assert words in refused.stderr
    file.write_bytes(b"no zip")
    assert kangbot(world, "restore", str(file)).returncode == 78
    assert not (world.state / "journal.sqlite").exists()
