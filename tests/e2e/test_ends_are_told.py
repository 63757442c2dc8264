"""A daemon that nobody looks at for months ends: people hear of it, in real processes, over a real message."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.demo.processes import DemoFailedError
from tests.support.processes import World, net

pytestmark = pytest.mark.process


class Phone(HTTPServer):
    """Takes messages as Apprise's `json://` sends them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.got: list[str] = []
        self.status = 200

    def until(self, words: str) -> str:
        """Return the message that has these words, once it is there."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if found := [body for body in self.got if words in body]:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"nobody was told {words!r}, but {self.got}")


class Taker(BaseHTTPRequestHandler):
    """Takes one message."""

    server: Phone

    def do_POST(self) -> None:
        """Keep its text, or refuse it."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.got.append(body["message"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def phone() -> Iterator[Phone]:
    """One that listens."""
    with Phone() as phone:
        threading.Thread(target=phone.serve_forever, daemon=True).start()
        yield phone
        phone.shutdown()


def notes(world: World, kind: str) -> list[str]:
    """Return the words of what the history has of that kind."""
    with closing(sqlite3.connect(world.state / "history.sqlite")) as database:
        return [text for (text,) in database.execute("SELECT message FROM events WHERE kind = ?", (kind,))]


def test_people_hear_of_a_configuration_that_no_daemon_starts_from(world: World, phone: Phone) -> None:
    """By the addresses of the last one that was right; once, however often it is started; and not while one runs."""
    world.environment["KANGBOT_NOTIFY__ADDRESSES"] = f"json://127.0.0.1:{phone.server_port}/"
    world.start()
    world.live()
    right = world.config.read_text()
    world.config.write_text(right.replace('strategy = "ema_cross"', 'strategy = "ema_crss"'))
    beside = subprocess.run(
        [sys.executable, "-m", "kangbot.daemon", "--config", str(world.config)],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert beside.returncode == exit_codes.CONFIG, beside.stderr
    world.daemon.stop()
    assert not any("it does not run" in body for body in phone.got)
    for _ in range(2):
        with pytest.raises(DemoFailedError):
            world.start()
        assert world.daemon.ended == exit_codes.CONFIG
    told = phone.until("daemon.needs_human: it does not run; stops of open positions rest at the venue:")
    assert "kangbot.toml:" in told
    assert "ema_crss" in told
    assert sum("daemon.needs_human" in body for body in phone.got) == 1


def test_what_a_daemon_could_not_say_when_it_was_killed_the_next_one_says(world: World, phone: Phone) -> None:
    """And one that does not start again says why, once."""
    world.environment["KANGBOT_NOTIFY__ADDRESSES"] = f"json://127.0.0.1:{phone.server_port}/"
    world.start()
    world.live()
    world.daemon.kill()
    world.start()
    phone.until("daemon.restarted: started again: the run before has no end")
    world.live()
    world.daemon.stop()
    for part in world.state.glob("journal.sqlite*"):
        part.unlink()
    (world.state / "journal.sqlite").write_bytes(b"torn" * 4096)
    for _ in range(2):
        with pytest.raises(DemoFailedError):
            world.start()
        assert world.daemon.ended == exit_codes.CONFIG
    phone.until("daemon.needs_human: it does not run; stops of open positions rest at the venue: the journal")
    assert sum("daemon.needs_human" in body for body in phone.got) == 1


def test_what_a_service_did_not_take_before_the_end_the_next_start_tells(world: World, phone: Phone) -> None:
    """It was away, and the end waits for nobody: not for that service either."""
    world.environment["KANGBOT_NOTIFY__ADDRESSES"] = f"json://127.0.0.1:{phone.server_port}/"
    phone.status = 503
    world.start()
    world.live()
    world.client.kill("for a test", flatten=False)
    deadline = time.monotonic() + 120
    while "notify.away" not in (world.folder / "daemon.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert world.daemon.stop() == 0
    phone.status = 200
    world.start()
    assert "UTC, before a restart: the kill switch was set by" in phone.until("kill_switch: at ")
    assert world.daemon.stop() == 0
    assert not list(world.state.glob("unsaid*"))


def test_people_hear_what_the_kill_switch_had_not_closed_by_the_end(world: World, phone: Phone) -> None:
    """The exchange takes no order any more: every position is named with its side, and the history has it too."""
    world.environment["KANGBOT_NOTIFY__ADDRESSES"] = f"json://127.0.0.1:{phone.server_port}/"
    world.environment["KANGBOT_SHUTDOWN__GRACE_S"] = "10"  # all of it is waited for
    world.start()
    world.live()
    world.until(lambda report: sum(bool(market.net) for market in report.markets) >= 3)
    world.sandbox.fault({"fault": "http_5xx", "path": "/v5/order/create", "count": 1_000_000})
    world.client.kill("the end", flatten=True)
    assert world.daemon.stop() == 0
    left = net(world.sandbox.truth()["positions"])
    assert left
    told = phone.until("kill_switch.not_flat: it does not run; stops of open positions rest at the venue:")
    noted = " ".join(notes(world, "kill_switch.not_flat"))
    for name, quantity in left.items():
        words = f"bybit:{name}-USDT:USDT {'long' if quantity > 0 else 'short'} {abs(quantity)}"
        assert words in noted
        assert words in told or told.endswith("…")  # a phone shows two lines
    assert sum("kill_switch.not_flat" in body for body in phone.got) == 1
