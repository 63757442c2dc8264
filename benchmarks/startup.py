"""What it costs to start: `kangbot --help` until it has ended, and the daemon's memory before it does anything.

The help is a process a time, as a person types it; beside it stands an interpreter that does nothing, which is the
floor. Memory is the resident size of a fresh interpreter after the import, with what else people import beside it.

    python -m benchmarks.startup [seconds]
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.house import machine

RUNS = 20
TARGET_S = 0.3

_IMPORTS = {
    "interpreter": "",
    "daemon": "import kangbot.daemon",
    "daemon_with_mysql": "import kangbot.daemon, kangbot.storage.mysql",
    "sandbox": "import kangbot.sandbox.main",
    "ccxt.async_support": "import ccxt.async_support",
}
_TELL = "; import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20)"


def _wall_s(command: Sequence[str], runs: int) -> dict[str, float]:
    """Return the median and the worst wall time, and the median processor time, in seconds."""
    walls, processor = [], []
    for _ in range(runs):
        before, began = os.times(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - began)
        after = os.times()
        processor.append(sum(after[2:4]) - sum(before[2:4]))
    walls.sort()
    processor.sort()
    return {"p50": round(walls[runs // 2], 3), "worst": round(walls[-1], 3), "cpu_p50": round(processor[runs // 2], 3)}


def _import_mb(statement: str) -> float:
    told = subprocess.run(
        [sys.executable, "-c", (statement or "pass") + _TELL], check=True, stdout=subprocess.PIPE, text=True
    )
    return round(float(told.stdout), 1)


def run(seconds: float) -> dict[str, object]:
    """Return `{"help_s": …, "import_mb": …}`; twenty runs from ten seconds on, fewer below."""
    runs = RUNS if seconds >= 10 else 3
    command = str(Path(sys.executable).with_name("kangbot"))
    return {
        "help_s": {
            "kangbot --help": _wall_s([command, "--help"], runs),
            "python -c pass": _wall_s([sys.executable, "-c", "pass"], runs),
            "target": TARGET_S,
        },
        "import_mb": {name: _import_mb(statement) for name, statement in _IMPORTS.items()},
        "machine": machine(),
    }


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 10.0), indent=2))
