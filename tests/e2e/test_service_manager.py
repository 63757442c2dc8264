"""What systemd hears of a real daemon, and what becomes of one whose loop hangs."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.notify import NotifySocket
from tests.support.processes import MARKETS, World

pytestmark = pytest.mark.process

HANGS = Path(__file__).parents[1] / "support" / "strategies" / "hangs.py"
WATCHDOG_S = 2.0


@pytest.fixture
def manager(world: World) -> Iterator[NotifySocket]:
    """A service manager that keeps the daemon of `world`."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        listening = NotifySocket(Path(folder) / "notify")
        world.environment["NOTIFY_SOCKET"] = f"{folder}/notify"
        world.environment["WATCHDOG_USEC"] = str(int(WATCHDOG_S * 1e6))
        yield listening
        listening.close()


def test_ready_comes_after_the_recovery_and_stopping_before_the_end(world: World, manager: NotifySocket) -> None:
    """In between, the status follows the markets and the watchdog is fed."""
    world.start()
    before = manager.until("READY=1")
    assert before[0].startswith("EXTEND_TIMEOUT_USEC=")
    assert "STOPPING=1" not in before
    assert "daemon.ready" in log(world)
    manager.until(f"STATUS={len(MARKETS)} of {len(MARKETS)} markets live")
    manager.until("WATCHDOG=1")
    world.client.kill("a test", flatten=False)
    manager.until(f"STATUS={len(MARKETS)} of {len(MARKETS)} markets live, kill switch set: a test")
    world.stop()
    assert "STOPPING=1" in manager.heard()


def test_a_venue_that_is_away_makes_a_start_long_not_wrong(world: World, manager: NotifySocket) -> None:
    """More time is asked for, and the reason stands in the status; ready it is not."""
    world.sandbox.fault({"fault": "http_5xx", "path": "", "status": 502, "count": 1_000_000})
    world.start()
    lines: list[str] = []
    deadline = time.monotonic() + 120
    while sum(line.startswith("EXTEND_TIMEOUT_USEC=") for line in lines) < 3:
        assert time.monotonic() < deadline, lines
        time.sleep(0.1)
        lines += manager.heard()
    assert "READY=1" not in lines
    assert any("waiting" in line for line in lines), lines
    world.sandbox.heal()
    manager.until("READY=1")
    world.stop()


def test_a_loop_that_hangs_starves_the_watchdog_and_its_stack_is_in_the_log(
    world: World, manager: NotifySocket
) -> None:
    """Systemd then ends it by SIGABRT, as here; the next one finds the books as after a kill."""
    shutil.copy(HANGS, world.folder)
    world.config.write_text(world.config.read_text().replace('"ema_cross"', '"hangs.py"'))
    world.start()
    world.orders(more_than=2)
    (world.folder / "hang").touch()
    deadline = time.monotonic() + 120
    while not (world.folder / "hung").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    manager.heard()
    time.sleep(2 * WATCHDOG_S)
    assert manager.heard() == []
    os.kill(world.daemon.pid, signal.SIGABRT)
    deadline = time.monotonic() + 120
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.daemon.ended == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in log(world)
    assert "hangs.py" in log(world)
    (world.folder / "hang").unlink()
    world.start()
    world.live()
    world.stop()


def log(world: World) -> str:
    """Return what the daemon has said."""
    return (world.folder / "daemon.log").read_text()
