"""A fresh interpreter for what an import leaves behind: `run(code)` returns what the code printed there."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

_ROOT = Path(__file__).parents[2]
_RESIDENT = "def mb(): return int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20\n"


def run(code: str, *path: Path) -> str:
    """Run `code`, which may ask for the resident size by `mb()`; modules are found in `path` first."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(entry) for entry in (*path, _ROOT))}
    done = subprocess.run(  # noqa: PLW1510 -- the assertion below shows what it said
        [sys.executable, "-c", _RESIDENT + dedent(code)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
