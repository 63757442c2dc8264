"""How a daemon starts and stops where the world is not as it should be, as the person at the terminal meets it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli.demo.processes import DemoFailedError
from kangbot.control.client import ControlClient, NoDaemonError
from tests.support.processes import MARKETS, World
from tests.support.terminal import HEARS_ITS_END

pytestmark = pytest.mark.process

NOWHERE = "127.0.0.1:9"  # nobody listens there: the connection is refused
PATIENCE_S = 120.0  # a busy machine takes long for what takes a second
LONG_GRACE = {"KANGBOT_SHUTDOWN__GRACE_S": "300"}
"""Whoever would wait for the grace is not there yet when the test's patience is over."""


def said(world: World) -> str:
    """Return the daemon's log."""
    return (world.folder / "daemon.log").read_text()


def refused(world: World) -> str:
    """Start a daemon that must end by itself with 78, and return its log."""
    with contextlib.suppress(DemoFailedError):  # it may answer for a moment
        world.start()
    assert awaited(world) == os.EX_CONFIG, said(world)
    return said(world)


def ended(world: World, number: int = signal.SIGTERM, within_s: float = PATIENCE_S) -> int | None:
    """Send the signal, and return the exit status."""
    os.kill(world.daemon.pid, number)
    return awaited(world, within_s)


def awaited(world: World, within_s: float = PATIENCE_S) -> int | None:
    """Return the exit status; None where it still runs then."""
    deadline = time.monotonic() + within_s
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return world.daemon.ended


def gone(pids: list[int], within_s: float = PATIENCE_S) -> bool:
    """Whether every one of these processes ends in time."""
    deadline = time.monotonic() + within_s
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has asked for its status does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def lives(daemon: ControlClient) -> int:
    """Return how many markets are live; none while the daemon begins."""
    try:
        return daemon.report().live
    except NoDaemonError:
        return 0


def children(pid: int) -> list[int]:
    """Return the processes that the process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_state_folder_that_cannot_be_made_is_said_in_one_line(world: World) -> None:
    """What, where, and what to do; no traceback."""
    (world.folder / "file").write_text("")
    world.environment["KANGBOT_STATE_DIR"] = str(world.folder / "file" / "below")
    [line] = refused(world).splitlines()
    assert f"the state folder {world.folder / 'file' / 'below'} cannot be used" in line
    assert "name a folder that this user may write" in line


def test_a_key_that_the_venue_refuses_ends_the_start(world: World) -> None:
    """78 and the remedy, before any market begins; the secret is in no line."""
    world.environment |= {"KANGBOT_VENUES__BYBIT__KEY": "mine", "KANGBOT_VENUES__BYBIT__SECRET": "wrong-secret"}
    log = refused(world)
    assert log.count("API key is invalid") == 1
    assert "Check the API key" in log
    assert "wrong-secret" not in log
    assert "market." not in log


def test_a_venue_that_is_away_is_waited_for_and_left_at_once(world: World) -> None:
    """Said once, whatever it costs in attempts, and not called well; a stop does not wait for it."""
    world.environment["KANGBOT_VENUES__BYBIT__REST_URL"] = f"http://{NOWHERE}"
    world.environment |= LONG_GRACE
    world.start()
    world.until(lambda report: NOWHERE in report.waiting)
    health = json.loads(world.client.health())
    assert (health["status"], health["active"], health["wanted"]) == ("critical", 0, len(MARKETS))
    assert ended(world) == 0
    assert said(world).count(NOWHERE) == 1


def test_a_command_is_not_lost_while_there_are_no_markets(world: World) -> None:
    """It is refused with the reason and the way out, which holds from that moment on; no name is called unknown."""
    world.environment["KANGBOT_VENUES__BYBIT__REST_URL"] = f"http://{NOWHERE}"
    world.start()
    world.until(lambda report: NOWHERE in report.waiting)
    of_one = ("/markets/BTC/stop", "/markets/BTC/release", "/force-retry/BTC", "/reset-circuit-breaker/BTC")
    for path in ("/stop-all", "/start-all", *of_one):
        with pytest.raises(ValueError, match=f"nothing was done: .*{NOWHERE}.*`kangbot kill` holds every entry"):
            world.client.tell(path)
    with pytest.raises(ValueError, match=f"{NOWHERE}.*; nothing is reset"):
        world.client.tell("/drawdown/reset")
    with pytest.raises(ValueError, match="no market 'NOSUCH' runs here"):
        world.client.tell("/markets/NOSUCH/stop")
    assert world.client.kill("not now", flatten=False)["kept"] == ["journal", "file"]
    assert ended(world) == 0


def test_a_venue_that_comes_back_finds_every_market_waiting(world: World) -> None:
    """Once on the way down, once on the way up, then all are live."""
    world.sandbox.fault({"fault": "http_5xx", "path": "/v5/account/wallet-balance", "status": 502, "count": 6})
    world.start()
    world.live()
    log = said(world)
    assert log.count("venue.asking_again") == log.count("venue.answered") == 1
    world.stop()


def test_a_database_that_is_away_holds_up_nothing(world: World) -> None:
    """Trading starts, it is said once, the password in no line, and the stop does not wait for it."""
    world.environment["KANGBOT_DATABASE__URL"] = f"mysql://trader:pass-word@{NOWHERE}/history"
    world.environment |= LONG_GRACE
    world.start()
    world.live()
    assert world.orders(more_than=0).history_away
    world.stop()
    log = said(world)
    assert log.count("history.away") == 1
    assert "pass-word" not in log


def test_a_stop_while_markets_are_being_started_settles_those_that_began(world: World) -> None:
    """And begins no other."""
    world.environment["KANGBOT_START__INTERVAL_S"] = "60"
    world.start()
    world.until(lambda report: report.live == 1)
    assert ended(world) == 0
    log = said(world)
    assert log.count("market.starting") == log.count("market.stopped") == 1


def test_a_second_signal_hurries_past_a_venue_that_hangs(world: World) -> None:
    """The orders that are left in the air are named: the next life settles them."""
    world.environment |= LONG_GRACE
    world.start()
    world.live()
    world.sandbox.fault({"fault": "delay", "path": "/v5/order/create", "ms": 600_000, "for_s": 600})
    sent = world.client.report().orders.sent  # those may have been answered; what is sent from now on is not
    world.until(lambda report: report.orders.sent > sent)
    os.kill(world.daemon.pid, signal.SIGTERM)
    time.sleep(1.0)
    assert world.daemon.ended is None
    assert ended(world, signal.SIGINT) == 0
    log = said(world)
    assert log.count("daemon.stopping") == log.count("daemon.hurrying") == log.count("floor.unsettled") == 1


def test_a_whole_life_leaves_nothing_open(world: World) -> None:
    """In Python's development mode no resource is left to the collector, and no coroutine unawaited."""
    world.environment["PYTHONDEVMODE"] = "1"
    world.start()
    world.live()
    world.orders(more_than=0)
    world.sandbox.fault({"fault": "drop_sockets", "which": "all"})
    world.until(lambda report: report.reconnects > 0)
    world.live()
    world.stop()
    log = said(world)
    for word in ("Warning", "Traceback", "never awaited", "never retrieved", "was destroyed"):
        assert word not in log


@pytest.fixture
def shallow() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="kb-", dir="/tmp") as name:
        yield Path(name)


NO_PROXY_THERE = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
"""What is on loopback is asked without one."""


class Demo:
    """`kangbot demo` as a script starts it; everything that it started can be asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            [*HEARS_ITS_END, sys.executable, "-m", "kangbot", "demo", "--json", "--markets", "3"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **NO_PROXY_THERE, "TMPDIR": str(folder)},
        )
        deadline = time.monotonic() + PATIENCE_S
        while len(self.started) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.pids = self.started

    def live(self) -> None:
        """Wait until its daemon trades."""
        deadline = time.monotonic() + PATIENCE_S
        while not (made := list(self._folder.glob("*/state/control.sock"))) and time.monotonic() < deadline:
            time.sleep(0.05)
        daemon = ControlClient(made[0], timeout_s=PATIENCE_S)
        while lives(daemon) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2.0)

    @property
    def started(self) -> list[int]:
        return children(self.process.pid)

    def ended(self, number: int) -> dict[str, Any]:
        """Send the signal, and return exit status and words."""
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=PATIENCE_S)
        finally:
            self.process.kill()  # one that did not obey must not live on
        return {"status": self.process.returncode, "out": out, "err": err}


def test_a_demo_that_is_interrupted_sums_up_and_leaves_nobody_behind(shallow: Path) -> None:
    """SIGTERM as much as Ctrl-C: one JSON object, the books agree, exit code 0."""
    demo = Demo(shallow)
    demo.live()
    was = demo.ended(signal.SIGTERM)
    assert was["status"] == 0, was
    assert json.loads(was["out"])["positions_agree"] is True
    assert gone(demo.pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_demo_that_is_interrupted_while_it_starts_leaves_nobody_behind(number: int, shallow: Path) -> None:
    """Ctrl-C, or the end of its terminal. Nothing to sum up yet: one line and 130, and its folder is gone."""
    demo = Demo(shallow)
    was = demo.ended(number)
    assert not list(shallow.iterdir())
    assert (was["status"], was["out"]) == (130, ""), was
    assert was["err"].count("\n") == 1
    assert gone(demo.pids)


def test_a_demo_that_is_killed_leaves_nobody_behind(shallow: Path) -> None:
    """`kill -9`: its exchange and its daemon notice that it is gone, and end by themselves."""
    demo = Demo(shallow)
    assert demo.ended(signal.SIGKILL)["status"] == -signal.SIGKILL
    assert len(demo.pids) == 2
    assert gone(demo.pids)


def test_a_script_that_runs_the_daemon_is_told_what_came_of_it(world: World) -> None:
    """`run --json`: the summary alone on standard output, as it stands in the state folder; the log beside it."""
    environment = {**os.environ, "KANGBOT_CONTROL__PORT": "0", **world.environment}
    command = [sys.executable, "-m", "kangbot", "run", "--json", "--config", str(world.config)]
    log = world.folder / "daemon.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, umask=0o777
        ) as process,
    ):
        while not (world.state / "control.sock").exists() and process.poll() is None:
            time.sleep(0.05)
        while not lives(world.client) and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said(world)
    assert "daemon.stopped" in said(world)
    told = json.loads(out)
    assert out.count("\n") == 1
    assert (told["total"], told["mode"]) == (5, "sandbox")
    assert told == json.loads((world.state / "last_run.json").read_text())
    assert world.state.stat().st_mode & 0o777 == 0o700  # whatever the shell's umask
    assert (world.state / "journal.sqlite").stat().st_mode & 0o777 == 0o600
