"""A daemon that has a long journal to read, as after weeks without its history: it says so, and can be ended."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.kill import kill
from kangbot.control.beginning import MANY
from kangbot.control.client import NoDaemonError
from kangbot.journal import codec
from kangbot.journal.file import JournalFile
from tests.support.notify import NotifySocket
from tests.support.processes import World
from tests.support.records import noted

pytestmark = pytest.mark.process

RECORDS = 4 * MANY
NOWHERE = "127.0.0.1:9"  # the port of `discard`: nobody listens there


@pytest.fixture(scope="module")
def long_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal that is read in seconds on a quick machine, and in more elsewhere."""
    path = tmp_path_factory.mktemp("long") / "journal.sqlite"
    journal = JournalFile(path, max_bytes=1 << 30, new_tag=lambda: "abcdefgh")
    journal.insert([codec.encode(noted(number, at_ns=time.time_ns())) for number in range(RECORDS)])
    journal.close()
    return path


@pytest.fixture
def away(world: World, long_journal: Path) -> World:
    """The exchange, and a state folder whose history is away."""
    world.environment["KANGBOT_DATABASE__URL"] = f"mysql://trader:secret@{NOWHERE}/kangbot"
    world.state.mkdir()
    shutil.copy(long_journal, world.state)
    return world


@pytest.fixture
def manager(away: World) -> Iterator[NotifySocket]:
    """A service manager that keeps the daemon."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        listening = NotifySocket(Path(folder) / "notify")
        away.environment["NOTIFY_SOCKET"] = f"{folder}/notify"
        away.environment["WATCHDOG_USEC"] = "400000"
        yield listening
        listening.close()


def refused(call: Callable[[], object]) -> NoDaemonError | None:
    """Return how the call came to nothing; None where it was answered."""
    try:
        call()
    except NoDaemonError as error:
        return error
    return None


def test_it_says_how_far_it_is_until_it_trades(away: World, manager: NotifySocket) -> None:
    """To whoever types a command, and to a service manager, which gives it time. None is told to start another."""
    away.start()
    probe = [sys.executable, "-m", "kangbot.control.alive"]  # of a container
    socket = str(away.state / "control.sock")
    lives = subprocess.run(probe, env={**os.environ, "KANGBOT_CONTROL__SOCKET": socket}, check=False)
    assert lives.returncode == 0
    assert "journal.replayed" not in (away.folder / "daemon.log").read_text()
    said: list[NoDaemonError] = []
    while error := refused(away.client.report):
        assert away.daemon.ended is None, away.daemon.last_lines()
        said.append(error)
        time.sleep(0.02)
    told = [error for error in said if f"of {RECORDS:,} records" in str(error)]
    assert told
    assert all(error.silent for error in told)
    assert len({str(error) for error in told}) > 1, "it goes on"
    heard = manager.heard()
    assert "READY=1" not in heard
    assert any(line.startswith("STATUS=reading its journal, ") for line in heard)
    assert any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in heard)
    away.live()


def test_the_kill_switch_that_is_set_meanwhile_holds_the_first_entry(away: World) -> None:
    """By its file: the command that sets it leaves it for a daemon that cannot answer yet."""
    away.start()
    assert kill(away.config, socket=away.state / "control.sock", reason="news", flatten=False) == exit_codes.OK
    assert "journal.replayed" not in (away.folder / "daemon.log").read_text()
    report = away.live()
    assert report.killed
    assert report.orders.sent == 0


def test_it_is_stopped_while_it_reads(away: World) -> None:
    """At once and in order: nothing has begun, and what is on the disk is what was. The next one reads it all."""
    away.start()
    assert away.daemon.stop() == 0, away.daemon.last_lines()
    said = (away.folder / "daemon.log").read_text()
    assert "daemon.stopped" in said
    assert "journal.replayed" not in said
    assert not (away.state / "control.sock").exists()
    away.start()
    away.live()
