"""From a frame to the order's request, through the whole daemon; on this disk, and on one that costs nothing.

The real daemon trades 27 markets on bars of a second against the sandbox exchange. Its own clock runs from the moment
at which a frame has been read from the socket, over decoding, inbox, strategy, plan, risk and the journal's fsync, to
the call of the venue adapter; what the adapter adds until the request is on the wire is `benchmarks/orders.py`.

The journal is on the working folder's disk first and on /dev/shm (memory) afterwards. The difference is the disk; what
remains is the software. Beside it stands what this disk takes for one fsync of a file and one commit of SQLite (WAL,
`synchronous=FULL`), measured on the same folder while nothing else of ours writes: one after the other, and after a
rest of 20 ms, as orders come. A machine that had gone to sleep wakes up first, which on a virtual one may take longer
than the disk. And beside it stands the floor, `benchmarks/bare.py`: a process that does nothing but commit a record
between a frame of the same exchange and the order, on the same disk, a moment later.

    python -m benchmarks.latency [seconds]
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.house import machine, running, scratch
from kangbot.cli.demo.processes import Sandbox
from kangbot.sim.markets.listing import DEFAULT_LINEAR

MEMORY = Path("/dev/shm")
TARGET_MS = {"p50": 1.0, "p99": 3.0, "on_a_disk_with_fsync_ms": 0.2}
_SAMPLES = 300
_REST_S = 0.02

_HEAD = """
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
total_notional = 500000
open_positions = 27
daily_loss = 100000
drawdown_percent = 90
[venues.bybit]
requests_per_second = 100
data_requests_per_second = 100
[start]
interval_s = 0.02
jitter_s = 0
[logs]
level = "warning"
"""


def trading() -> str:
    """Return the configuration: 27 markets that trade on bars of a second."""
    bases = (name.removesuffix("USDT") for name in DEFAULT_LINEAR)
    return _HEAD + "".join(f'[[markets]]\nsymbol = "{base}/USDT:USDT"\n' for base in bases)


def _daemon(folder: Path, seconds: float) -> dict[str, object]:
    """Return the daemon's own figures after `seconds` of trading, and at least one order."""
    sandbox = Sandbox(seed=1, log=folder / "sandbox.log", options=("--no-limits", "--history-minutes", "30"))
    addresses = {
        "rest_url": sandbox.rest_url,
        "ws_public_url": sandbox.ws_public_url,
        "ws_private_url": sandbox.ws_private_url,
    }
    try:
        with running(folder / "daemon", trading(), addresses) as house:
            house.until(lambda report: report.live == len(DEFAULT_LINEAR))
            time.sleep(seconds)
            report = house.until(lambda report: report.orders.filled > 0)
        floor = _bare(sandbox.ws_public_url, folder, seconds)
    finally:
        sandbox.close()
    return {
        "frame_to_decision_ms": report.frame_to_decision_ms,
        "frame_to_order_ms": report.frame_to_order_ms,
        "orders": report.orders.sent,
        "bare_ms": floor,
    }


def _bare(url: str, folder: Path, seconds: float) -> dict[str, object]:
    """Return the floor's figures under the same exchange's frames."""
    command = [sys.executable, "-m", "benchmarks.bare", url, str(folder), str(seconds), *DEFAULT_LINEAR]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, object] = json.loads(said.stdout)
    return figures


@contextmanager
def _fsync(folder: Path) -> Iterator[Callable[[], None]]:
    page = bytes(4096)
    with (folder / "fsync").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(page)
            os.fsync(file)

        yield write


@contextmanager
def _commit(folder: Path) -> Iterator[Callable[[], None]]:
    text = "x" * 400  # about an intent
    with closing(sqlite3.connect(folder / "commit.sqlite", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        yield lambda: database.execute("INSERT INTO records (event) VALUES (?)", (text,)).close()


def _timed(write: Callable[[], None], rest_s: float = 0.0) -> Mapping[str, float]:
    taken = []
    for _ in range(_SAMPLES):
        if rest_s:
            time.sleep(rest_s)
        began = time.perf_counter_ns()
        write()
        taken.append(time.perf_counter_ns() - began)
    taken.sort()
    return {"p50": round(taken[_SAMPLES // 2] / 1e6, 3), "p99": round(taken[_SAMPLES * 99 // 100] / 1e6, 3)}


def _place(folder: Path, seconds: float) -> dict[str, object]:
    with _fsync(folder) as fsync, _commit(folder) as commit:
        costs = {
            "fsync_ms": _timed(fsync),
            "sqlite_commit_ms": _timed(commit),
            "sqlite_commit_rested_ms": _timed(commit, _REST_S),
        }
    return costs | _daemon(folder, seconds)


def run(seconds: float) -> dict[str, object]:
    """Return `{"latency": {"disk": figures, "memory": figures}, …}`.

    Half of `seconds` is traded on each, and as long again listened to for the floor.
    """
    figures: dict[str, object] = {}
    with scratch() as folder:
        figures["disk"] = _place(folder, seconds / 2)
    if MEMORY.is_dir():
        with scratch(MEMORY) as folder:
            figures["memory"] = _place(folder, seconds / 2)
    return {"latency": figures, "target_ms": TARGET_MS, "machine": machine()}


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 40.0), indent=2))
