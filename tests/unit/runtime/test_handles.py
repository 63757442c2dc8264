"""The daemon takes as many handles as it may, and does not begin with too few. In processes of their own."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from kangbot.errors import NeedsHuman
from kangbot.runtime.handles import take_handles

resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
try:
    take_handles()
except NeedsHuman as error:
    print(error.message, "|", error.remedy)
else:
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "told"),
    [
        (256, 512, "512"),
        (16, 64, "64"),
        (512, 512, "512"),
        (16, 40, "this process may have 40 files open, and needs 64 at least | raise the limit: ulimit -n 1024"),
    ],
)
def test_what_may_be_had_is_taken_and_too_little_is_said(soft: int, hard: int, told: str) -> None:
    """Up to the bound that root has set; below what a daemon needs it says so, and what to do."""
    command = [sys.executable, "-c", SCRIPT, str(soft), str(hard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(told), done.stdout


def test_more_than_enough_is_not_taken() -> None:
    """And where there is enough already, it stays."""
    command = [sys.executable, "-c", SCRIPT, "5000", "6000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this machine does not allow so many")
    assert done.stdout == "5000\n"


@pytest.mark.parametrize(("limit", "theirs"), [(4096, 4000), (1024, 928), (64, 8)])
def test_those_who_look_on_get_what_trading_does_not_need(limit: int, theirs: int) -> None:
    """And a few where there is nothing to spare: a person has to be able to ask."""
    script = (
        "import resource; from kangbot.runtime.handles import for_onlookers;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, resource.getrlimit(resource.RLIMIT_NOFILE)[1]));"
        "print(for_onlookers())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == theirs
