"""Real processes for the end-to-end tests: one sandbox exchange, and a daemon that can be killed."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.cli.demo.processes import Daemon, Sandbox, wait_for
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.health.report import OrderCounts, Report

MARKETS = ("BTC", "ETH", "SOL", "XRP", "DOGE")

CONFIG = """
mode = "sandbox"
[defaults]
strategy = "ema_cross"
timeframe = "1s"
size = 500
leverage = 2
[defaults.parameters]
fast = 2
slow = 5
[risk]
market_notional = 5000
total_notional = 50000
open_positions = 27
daily_loss = 100000
drawdown_percent = 90
[start]
interval_s = 0.05
jitter_s = 0.02
[shutdown]
grace_s = 90
""" + "".join(f'[[markets]]\nsymbol = "{base}/USDT:USDT"\n' for base in MARKETS)


SHORT_PAST = ("--history-minutes", "60")
"""An exchange's past: as much as bars of a second are worth; to make its usual thousand takes seconds of computing."""

PATIENT = """entry_order = "limit"
exit_order = "limit"
order_patience_s = 1
"""


@functools.cache
def _tables() -> bytes:
    """Return a history without a row: to make its tables takes a process of its own 0.7 s of computing."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "history.sqlite"
        command = [sys.executable, "-m", "kangbot.storage.migrate"]
        subprocess.run(command, input=f"sqlite:///{made}\n\n", text=True, check=True, timeout=300)
        return made.read_bytes()


class Life:
    """A daemon that can be started, stopped and killed on the same state folder, with `markets` to go live."""

    def __init__(self, folder: Path, config: str, markets: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "kangbot.toml"
        self.config.write_text(config)
        self.environment = {"KANGBOT_STATE_DIR": str(self.state), **environment}
        self.client = ControlClient(self.state / "control.sock", timeout_s=60.0)
        self.begun: Callable[[int], object] = lambda _: None  # told the process id before it does anything
        self._markets = markets
        self._daemon: Daemon | None = None

    @property
    def daemon(self) -> Daemon:
        """The daemon that was started last."""
        assert self._daemon is not None
        return self._daemon

    def start(self) -> None:
        """Start a daemon, and wait until it answers."""
        (self.state / "control.sock").unlink(missing_ok=True)
        self._daemon = Daemon(
            config=self.config, state=self.state, environment=self.environment, log=self.folder / "daemon.log"
        )
        self.begun(self._daemon.pid)
        wait_for(self.state / "control.sock", self._daemon)

    def until(self, holds: Callable[[Report], bool], timeout_s: float = 120.0) -> Report:
        """Return the first report for which `holds`; fails with the daemon's last words."""
        deadline = time.monotonic() + timeout_s
        report: Report | None = None
        while time.monotonic() < deadline:
            try:
                report = self.client.report()
            except NoDaemonError:
                assert self.daemon.ended is None, self.daemon.last_lines()
            else:
                if holds(report):
                    return report
            time.sleep(0.1)
        raise AssertionError(f"not within {timeout_s} s; the last report: {report}; log: {self.daemon.last_lines()}")

    def live(self) -> Report:
        """Wait until every market is live."""
        return self.until(lambda report: report.live == self._markets)

    def orders(self, more_than: int) -> Report:
        """Wait until this run of the daemon has had more orders filled than that."""
        return self.until(lambda report: report.orders.filled > more_than)

    def decided(self, bars: int) -> Report:
        """Wait until every market that is live or paused has decided on so many bars more."""
        due = {one.market: one.decisions + bars for one in self.client.report().markets}
        return self.until(
            lambda report: all(
                one.decisions >= due[one.market] for one in report.markets if one.state in {"live", "paused"}
            )
        )

    def kangbot(self, *arguments: str) -> str:
        """Run the command line as a process of its own and return what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "kangbot", *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, **self.environment},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        """End what still runs."""
        if self._daemon is not None and self._daemon.ended is None:
            self._daemon.kill()


class World(Life):
    """One exchange, and a daemon that trades there."""

    def __init__(self, folder: Path, seed: int, options: tuple[str, ...] = ()) -> None:
        symbols = ",".join(f"{base}USDT" for base in MARKETS)
        chosen = ("--symbols", symbols, *SHORT_PAST, *options)
        self.sandbox = Sandbox(seed=seed, log=folder / "sandbox.log", options=chosen)
        environment = {
            "KANGBOT_VENUES__BYBIT__REST_URL": self.sandbox.rest_url,
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": self.sandbox.ws_public_url,
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": self.sandbox.ws_private_url,
        }
        super().__init__(folder, CONFIG, len(MARKETS), environment)
        self._first = True

    def start(self) -> None:
        """Start a daemon as `Life` does; the first finds the tables of its history, where that is in its folder."""
        if self._first and "KANGBOT_DATABASE__URL" not in self.environment:
            self.state.mkdir(mode=0o700, exist_ok=True)
            (self.state / "history.sqlite").write_bytes(_tables())
        self._first = False
        super().start()

    def at_rest(self) -> dict[str, Any]:
        """Freeze prices, wait until no bar turns a position round or moves a stop any more; return what is true then.

        A bar that has just closed, or what of an average is still on its way, may well do so: that nothing was sent
        for three bars of every market says more than any time does.
        """
        self.sandbox.pause()
        before, now = dict[str, Any](), self.sandbox.truth()
        while any(before.get(name) != now[name] for name in ("positions", "stops")):
            self.decided(3)
            self.until(lambda report: known(report.orders) == report.orders.sent)
            before, now = now, self.sandbox.truth()
        return now

    def stop(self) -> dict[str, Any]:
        """Freeze prices, stop the daemon in order, and return what the exchange says."""
        self.sandbox.pause()
        time.sleep(0.5)
        assert self.daemon.stop() == 0, self.daemon.last_lines()
        return self.sandbox.truth()

    def close(self) -> None:
        """End both processes."""
        super().close()
        self.sandbox.close()


def known(orders: OrderCounts) -> int:
    """Return of how many orders it is known what became of them: what has not left yet cannot leave any more."""
    return orders.filled + orders.rejected + orders.not_accepted


def net(positions: dict[str, Any]) -> dict[str, Decimal]:
    """Return the exchange's open positions by base currency."""
    return {name.removesuffix("USDT"): Decimal(text) for name, text in positions.items() if Decimal(text)}
