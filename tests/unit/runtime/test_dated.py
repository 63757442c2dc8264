"""A machine whose clock cannot be said: one line and an exit code, from the command line and from the daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.runtime.dated import out_of_range

WORLD = """
import os, time
AT_NS = int(os.environ["AT_NS"])
def time_ns():
    if AT_NS >= 2**63:
        raise OverflowError("timestamp too large to convert to C _PyTime_t")
    return AT_NS
time.time_ns, time.time = time_ns, lambda: time_ns() / 1e9
"""
BEFORE, AFTER = -3_000_000_000, 2**63


@pytest.mark.parametrize(
    ("now_s", "words"),
    [(-0.1, "before the year 1970"), (0, ""), (9_214_646_399, ""), (9_214_646_400, "after the year 2261")],
)
def test_only_a_time_that_can_be_said_is_one(now_s: float, words: str) -> None:
    """From the first second to the last year that 63 bits of nanoseconds have."""
    assert words in out_of_range(now_s)
    assert bool(words) == bool(out_of_range(now_s))


@pytest.mark.process
@pytest.mark.parametrize(
    ("module", "at_ns", "words"),
    [
        ("kangbot.daemon", BEFORE, "before the year 1970"),
        ("kangbot.daemon", AFTER, "after the year 2261"),
        ("kangbot", AFTER, "after the year 2261"),
    ],
)
def test_it_ends_with_one_line(tmp_path: Path, module: str, at_ns: int, words: str) -> None:
    """And with the code after which a service manager tries again: somebody may have set the clock meanwhile."""
    (tmp_path / "sitecustomize.py").write_text(WORLD)
    command = [
        sys.executable,
        "-m",
        module,
        *(["--config", "none.toml"] if module == "kangbot.daemon" else ["version"]),
    ]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "AT_NS": str(at_ns)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    expected = f"the machine's clock stands {words}: set it, and set up time synchronisation\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
