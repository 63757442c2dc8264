"""Run every benchmark, draw the table, write build/reports/benchmarks.json: `make bench`, or one by its name.

    python -m benchmarks [--quick] [name ...]

A benchmark is a module of this folder with `run(seconds) -> dict` that prints its result as JSON when it is run itself.
Each has a process of its own, so that none inherits another's memory, loop or open files. Nothing else of weight should
run on the machine meanwhile; what did run shows in the load average beside the figures.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.house import machine
from benchmarks.table import table

REPORT = Path("build/reports/benchmarks.json")
_SECONDS = {"daemon": 180.0, "threads": 60.0, "latency": 60.0, "control": 90.0}
_OTHERS_S = 15.0
_QUICK_S = 6.0
_PATIENCE_S = 600.0  # beyond the seconds asked for: starts and stops of daemons


def modules() -> Sequence[str]:
    """Return the names of the benchmarks."""
    here = Path(__file__).parent
    return sorted(path.stem for path in here.glob("*.py") if "\ndef run(seconds: float)" in path.read_text())


def measure(module: str, seconds: float) -> dict[str, Any]:
    """Run one benchmark for about so many seconds; what fails is `{"failed": reason}`, and the others go on."""
    command = [sys.executable, "-m", f"benchmarks.{module}", str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _PATIENCE_S, check=False)
        if done.returncode:
            return {"failed": done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"}
        result: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        return {"failed": str(error)}
    return result


def main() -> int:
    """Measure and report; 1 where a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help="all where none is named")
    parser.add_argument("--quick", action="store_true", help="a look: seconds each, the daemon with 27 markets only")
    arguments = parser.parse_args()
    known, console = modules(), Console()
    if unknown := set(arguments.names) - set(known):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    described, began = machine(), time.perf_counter()
    results = {}
    for module in arguments.names or known:
        seconds = _QUICK_S if arguments.quick else _SECONDS.get(module, _OTHERS_S)
        with console.status(f"{module}: about {seconds:.0f} s"):
            results[module] = measure(module, seconds)
    console.print(table(results))
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in described.items())
    console.print(f"[dim]{said}; {time.perf_counter() - began:.0f} s in all", soft_wrap=True)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"machine": described, "quick": arguments.quick, "results": results}, indent=2) + "\n")
    console.print(f"[dim]{REPORT}")
    return int(any("failed" in result for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
