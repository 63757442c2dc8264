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
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Self

import msgspec
from rich.console import Console
from rich.live import Live

from kangbot.cli import exit_codes
from kangbot.cli.demo.board import Board, summary
from kangbot.cli.demo.chaos import Chaos
from kangbot.cli.demo.ledger import orders_in, positions_in
from kangbot.cli.demo.processes import Daemon, DemoFailedError, DemoInterruptedError, Sandbox, hold_port, wait_for
from kangbot.cli.demo.result import Totals
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.health.report import LAST_RUN, MarketReport, Report
from kangbot.model.events import Desired, RunState
from kangbot.settings.daemon import LONGEST_SOCKET_PATH, Control
from kangbot.settings.paths import shipped_config

_REDRAW_S = 0.5
_SAY_EVERY_S = 5.0
_PAST = ("--history-minutes", "300")  # its strategies look back on 140; the usual thousand are seconds of computing
_LONGEST_BEGIN_S = 120.0  # beyond its time: what is not live by then is told as it is
_CREDENTIAL = "sandbox"  # the sandbox exchange's well-known key and secret; worth nothing anywhere else


def run(*, seconds: float | None, as_json: bool, chaos: bool, seed: int, markets: int) -> int:
    """Run the demo for `seconds` (None: until Ctrl-C) and return its exit code: 0 where the books agree."""
    state = _folder()
    try:
        with _Demo(state=state, seed=seed, markets=markets, chaos=chaos, quiet=as_json) as demo:
            demo.watch(seconds)
            totals = demo.finish()
        _tell(totals, as_json=as_json)
    except DemoInterruptedError as error:
        sys.stderr.write(f"kangbot demo: {error}\n")
        return exit_codes.INTERRUPTED
    except DemoFailedError as error:
        sys.stderr.write(f"kangbot demo: {error}\nlogs and journal are in {_kept(state)}\n")
        return exit_codes.FAILURE
    finally:
        shutil.rmtree(state, ignore_errors=True)
    return exit_codes.OK


def _folder() -> Path:
    """Return a new folder: the system's own for such things, or /tmp where that lies too deep for a socket's path."""
    deep = len(os.fsencode(tempfile.gettempdir())) > LONGEST_SOCKET_PATH - len(
        "/kangbot-demo-12345678/state/control.sock"
    )
    return Path(tempfile.mkdtemp(prefix="kangbot-demo-", dir="/tmp" if deep else None))  # noqa: S108 -- mkdtemp's own


def _tell(totals: Totals, *, as_json: bool) -> None:
    """Print the sum. DemoFailedError where the books do not agree, or where not all of them is there."""
    result = totals.as_result()
    if as_json:
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    else:
        Console().print(summary(result))
    if totals.lacking:
        raise DemoFailedError(
            f"the last {totals.lacking} events were not in the history yet when the daemon ended, so the books cannot "
            "be compared: the machine is slow or busy"
        )
    if not totals.agree:
        raise DemoFailedError("the books do not agree")


def _kept(state: Path) -> Path:
    """Keep what a demo that failed has left, in place of the last one's, and return where.

    In a folder of its own where nothing can be written here: why it failed is worth more than where that stands.
    """
    kept, sockets = Path.cwd() / "build" / "demo", shutil.ignore_patterns("*.sock")
    shutil.rmtree(kept, ignore_errors=True)
    try:
        shutil.copytree(state, kept, ignore=sockets)
    except OSError:
        kept = Path(tempfile.mkdtemp(prefix="kangbot-demo-failed-"))
        shutil.copytree(state, kept, ignore=sockets, dirs_exist_ok=True)
    return kept


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
        self._config = _first_markets(shipped_config("demo.toml"), markets, state)
        self._client = ControlClient(state / "state" / "control.sock")
        self._port = 0  # of the dashboard, where there is one
        self._seed = seed
        self._with_chaos = chaos
        self._daemons: list[Daemon] = []  # the last one runs

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as begun:  # closed here where it does not come so far
            for number in _ends():
                begun.callback(signal.signal, number, signal.signal(number, self._interrupt))
            self._begin(begun)
            self._exits = begun.pop_all()
        return self

    def _begin(self, begun: contextlib.ExitStack) -> None:
        state, seed = self._state, self._seed
        if not self._quiet:
            self._port = begun.enter_context(hold_port(Control().port)).getsockname()[1]
        self._sandbox = Sandbox(seed=seed, log=state / "sandbox.log", options=("--no-limits", *_PAST))
        begun.callback(self._sandbox.close)
        self._chaos = Chaos(random.Random(seed), self._sandbox) if self._with_chaos else None  # noqa: S311 -- mischief
        self._environment = {
            "KANGBOT_STATE_DIR": str(state / "state"),
            "KANGBOT_VENUES__BYBIT__REST_URL": self._sandbox.rest_url,
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": self._sandbox.ws_public_url,
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": self._sandbox.ws_private_url,
            "KANGBOT_VENUES__BYBIT__KEY": _CREDENTIAL,
            "KANGBOT_VENUES__BYBIT__SECRET": _CREDENTIAL,
            **({"KANGBOT_CONTROL__PORT": str(self._port)} if self._port else {}),
        }
        begun.callback(self._stop)
        self._start(interrupted=lambda: self._interrupted)

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._interrupted and self._daemons:
            self._daemon.hurry()
        self._interrupted = True

    @property
    def _daemon(self) -> Daemon:
        return self._daemons[-1]

    def _stop(self) -> None:
        for daemon in self._daemons:
            daemon.stop()

    def _start(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        path = self._state / "state" / "control.sock"
        path.unlink(missing_ok=True)
        daemon = Daemon(
            config=self._config,
            state=self._state / "state",
            environment=self._environment,
            log=self._state / "daemon.log",
        )
        self._daemons.append(daemon)
        wait_for(path, daemon, interrupted)

    def watch(self, seconds: float | None) -> None:
        """Show the board until the time is up or Ctrl-C."""
        board = Board(self._address())
        began = time.perf_counter()
        live = Live(console=self._console, refresh_per_second=4, screen=True, transient=True)
        if not self._console.is_terminal and not self._quiet:
            where = self._state / "state" / "control.token"
            self._console.print(
                f"dashboard: http://127.0.0.1:{self._port}/, its token is in {where}", highlight=False, soft_wrap=True
            )
        with live if self._console.is_terminal and not self._quiet else contextlib.nullcontext():
            said_s = 0.0
            while not self._interrupted:
                elapsed_s = time.perf_counter() - began
                if seconds is not None and _over(self._report, elapsed_s - seconds):
                    break
                self._poll(elapsed_s)
                if live.is_started:
                    columns = self._console.width
                    live.update(board.render(self._report, self._note, elapsed_s, seconds, columns=columns))
                elif not self._quiet and elapsed_s - said_s >= _SAY_EVERY_S:
                    said_s = elapsed_s
                    self._say(elapsed_s)
                time.sleep(_REDRAW_S)

    def _address(self) -> str:
        """Return where a browser sees the same; the token stands behind the #, which no browser sends."""
        token = self._state / "state" / "control.token"
        kept = token.read_text(encoding="utf-8").strip() if token.is_file() else ""
        return f"http://127.0.0.1:{self._port}/#token={kept}" if kept else "no dashboard"

    def _poll(self, elapsed_s: float) -> None:
        if self._chaos is not None and (done := self._chaos.strike(elapsed_s, self._daemon)):
            self._happened(elapsed_s, done)
        if self._daemon.ended is not None:
            status = self._daemon.ended
            if status >= 0:
                raise DemoFailedError(f"the daemon ended with status {status}:\n{self._daemon.last_lines()}")
            self._happened(elapsed_s, f"the daemon was killed by signal {-status}; started again")
            self._totals.add(self._report)
            self._report = None
            self._start()
        self._ask()

    def _ask(self) -> None:
        try:
            self._report = self._client.report()
        except NoDaemonError:
            return  # it is being started again
        except ValueError as error:
            raise DemoFailedError(str(error)) from error

    def _say(self, elapsed_s: float) -> None:
        if (report := self._report) is not None:
            self._console.print(
                f"{elapsed_s:4.0f} s  {report.live}/{report.total} live  {report.frames:,} frames  "
                f"{report.bars:,} bars  {report.decisions:,} decisions  {report.orders.sent} orders  "
                f"{report.rss_mb:.0f} MB",
                highlight=False,
                soft_wrap=True,
            )

    def _happened(self, elapsed_s: float, what: str) -> None:
        """Keep it below the board, or write it once where there is none."""
        self._note = f"{elapsed_s:.0f} s: {what}"
        if not self._console.is_terminal and not self._quiet:
            self._console.print(f"{elapsed_s:4.0f} s  {what}", highlight=False, soft_wrap=True)

    def finish(self) -> Totals:
        """Freeze the exchange, stop the daemon in order, and hold its books against the exchange's."""
        self._ask()
        self._sandbox.pause()
        time.sleep(_REDRAW_S)  # what was under way at the exchange reaches the daemon
        status = self._daemon.stop()
        if status != os.EX_OK:
            raise DemoFailedError(f"the daemon stopped with status {status}:\n{self._daemon.last_lines()}")
        live = 0 if self._report is None else self._report.live
        state, truth = self._state / "state", self._sandbox.truth()
        try:
            self._totals.add(msgspec.json.decode((state / LAST_RUN).read_bytes(), type=Report))
            self._totals.settle(live=live, orders=orders_in(state), positions=positions_in(state), truth=truth)
        except (OSError, sqlite3.Error) as error:
            raise DemoFailedError(f"the daemon has left no whole books: {error}") from error
        return self._totals


def _over(report: Report | None, since_s: float) -> bool:
    """Whether it may end, whose time is up since then: not while a daemon that was just started has yet to go live.

    A slow machine is still at that where a daemon was killed shortly before, and its books are not whole until then.
    """
    begins = report is None or not report.markets or any(map(_begins, report.markets))
    return since_s >= (_LONGEST_BEGIN_S if begins else 0)


def _begins(market: MarketReport) -> bool:
    wanted = market.desired == Desired.RUNNING
    return wanted and market.state in {RunState.STOPPED, RunState.STARTING, RunState.WARMING}


def _ends() -> Iterator[signal.Signals]:
    """Yield what ends the demo: Ctrl-C, SIGTERM, SIGQUIT, and the end of its terminal unless `nohup` is there."""
    yield from (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def _first_markets(config: Path, markets: int, folder: Path) -> Path:
    """Return a copy in the folder, with the first `markets` markets only.

    A copy in any case: beside the file itself may be the credentials of a daemon of somebody's own.
    """
    parts = config.read_text(encoding="utf-8").split("[[markets]]")
    shorter = folder / "demo.toml"
    shorter.write_text("[[markets]]".join(parts[: markets + 1]), encoding="utf-8")
    return shorter
