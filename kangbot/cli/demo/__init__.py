"""`kangbot demo`: the real daemon against a sandbox exchange on loopback, watched live.

Nothing is pretended: the exchange and the daemon are two processes as a user would start them, the daemon trades
through the same adapter as with real money, and what the summary says is held against the exchange's own books. A
daemon that dies is started again, as a service manager would.
"""

import contextlib
import os
import random  # noqa: TID251 -- the demo's own mischief, outside the daemon
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Self

import msgspec
from rich.console import Console
from rich.live import Live

from kangbot.cli.demo.board import Board, summary
from kangbot.cli.demo.chaos import Chaos
from kangbot.cli.demo.ledger import orders_in, positions_in
from kangbot.cli.demo.processes import Daemon, DemoFailedError, Sandbox, wait_for
from kangbot.cli.demo.result import Totals
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.health.report import Report
from kangbot.settings.paths import shipped_config

_REDRAW_S = 0.5
_SAY_EVERY_S = 5.0
_CREDENTIAL = "sandbox"  # the sandbox exchange's well-known key and secret; worth nothing anywhere else


def run(*, seconds: float | None, as_json: bool, chaos: bool, seed: int, markets: int) -> int:
    """Run the demo for `seconds` (None: until Ctrl-C) and return its exit code: 0 where the books agree."""
    state = Path(tempfile.mkdtemp(prefix="kangbot-demo-"))
    try:
        with _Demo(state=state, seed=seed, markets=markets, chaos=chaos, quiet=as_json) as demo:
            demo.watch(seconds)
            totals = demo.finish()
    except DemoFailedError as error:
        sys.stderr.write(f"kangbot demo: {error}\n")
        return 1
    result = totals.as_result()
    if as_json:
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    else:
        Console().print(summary(result))
    if not totals.agree:
        kept = Path.cwd() / "build" / "demo"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(state, kept, ignore=shutil.ignore_patterns("*.sock"))
        sys.stderr.write(f"the books do not agree: logs and journal are in {kept}\n")
    shutil.rmtree(state, ignore_errors=True)
    return 0 if totals.agree else 1


class _Demo:
    """The two processes and the screen, between start and finish."""

    def __init__(self, *, state: Path, seed: int, markets: int, chaos: bool, quiet: bool) -> None:
        self._state = state
        self._quiet = quiet
        self._interrupted = False
        self._console = Console(stderr=quiet)
        self._totals = Totals()
        self._report: Report | None = None
        self._note = ""
        self._exits = contextlib.ExitStack()
        self._sandbox = Sandbox(seed=seed, log=state / "sandbox.log", options=("--no-limits",))
        self._exits.callback(self._sandbox.close)
        self._chaos = Chaos(random.Random(seed), self._sandbox) if chaos else None  # noqa: S311 -- mischief, no secret
        self._environment = {
            "KANGBOT_STATE_DIR": str(state / "state"),
            "KANGBOT_VENUES__BYBIT__REST_URL": self._sandbox.rest_url,
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": self._sandbox.ws_public_url,
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": self._sandbox.ws_private_url,
            "KANGBOT_VENUES__BYBIT__KEY": _CREDENTIAL,
            "KANGBOT_VENUES__BYBIT__SECRET": _CREDENTIAL,
        }
        self._config = _first_markets(shipped_config("demo.toml"), markets, state)
        self._daemon = self._start()
        self._exits.callback(lambda: self._daemon.stop())  # noqa: PLW0108 -- the daemon of that moment: it may have been replaced
        self._client = ControlClient(state / "state" / "control.sock")

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True

    def _start(self) -> Daemon:
        socket = self._state / "state" / "control.sock"
        socket.unlink(missing_ok=True)
        daemon = Daemon(
            config=self._config,
            state=self._state / "state",
            environment=self._environment,
            log=self._state / "daemon.log",
        )
        wait_for(socket, daemon)
        return daemon

    def watch(self, seconds: float | None) -> None:
        """Show the board until the time is up or Ctrl-C."""
        board = Board("kangbot demo: one event loop, a sandbox exchange on loopback")
        began = time.perf_counter()
        live = Live(console=self._console, refresh_per_second=4, screen=True, transient=True)
        with live if self._console.is_terminal and not self._quiet else contextlib.nullcontext():
            said_s = 0.0
            while not self._interrupted:
                elapsed_s = time.perf_counter() - began
                if seconds is not None and elapsed_s >= seconds:
                    break
                self._poll(elapsed_s)
                if live.is_started:
                    live.update(board.render(self._report, self._note, elapsed_s, seconds))
                elif not self._quiet and elapsed_s - said_s >= _SAY_EVERY_S:
                    said_s = elapsed_s
                    self._say(elapsed_s)
                time.sleep(_REDRAW_S)

    def _poll(self, elapsed_s: float) -> None:
        if self._chaos is not None and (done := self._chaos.strike(elapsed_s, self._daemon)):
            self._note = f"{elapsed_s:.0f} s: {done}"
        if self._daemon.ended is not None:
            status = self._daemon.ended
            if status >= 0:
                raise DemoFailedError(f"the daemon ended with status {status}:\n{self._daemon.last_lines()}")
            self._note = f"{elapsed_s:.0f} s: the daemon was killed by signal {-status}; started again"
            self._totals.add(self._report)
            self._report = None
            self._daemon = self._start()
        with contextlib.suppress(NoDaemonError):
            self._report = self._client.report()

    def _say(self, elapsed_s: float) -> None:
        if (report := self._report) is not None:
            self._console.print(
                f"{elapsed_s:4.0f} s  {report.live}/{report.total} live  {report.frames:,} frames  "
                f"{report.bars:,} bars  {report.decisions:,} decisions  {report.orders.sent} orders  "
                f"{report.rss_mb:.0f} MB{'  ' + self._note if self._note else ''}",
                highlight=False,
            )

    def finish(self) -> Totals:
        """Freeze the exchange, stop the daemon in order, and hold its books against the exchange's."""
        with contextlib.suppress(NoDaemonError):
            self._report = self._client.report()
        self._sandbox.pause()
        time.sleep(_REDRAW_S)  # what was under way at the exchange reaches the daemon
        status = self._daemon.stop()
        if status != os.EX_OK:
            raise DemoFailedError(f"the daemon stopped with status {status}:\n{self._daemon.last_lines()}")
        live = 0 if self._report is None else self._report.live
        last = msgspec.json.decode((self._state / "state" / "last_run.json").read_bytes(), type=Report)
        self._totals.add(last)
        truth = self._sandbox.truth()
        self._totals.settle(
            live=live,
            orders=orders_in(self._state / "state"),
            positions=positions_in(self._state / "state"),
            truth=truth,
        )
        return self._totals


def _first_markets(config: Path, markets: int, folder: Path) -> Path:
    """Return the configuration with its first `markets` markets only; the file itself where it has no more."""
    parts = config.read_text().split("[[markets]]")
    if len(parts) - 1 <= markets:
        return config
    shorter = folder / "demo.toml"
    shorter.write_text("[[markets]]".join(parts[: markets + 1]))
    return shorter
