"""SIGHUP while a daemon's command line is still being imported."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.support.terminal import HEARS_ITS_END

TOLD_EARLY = """
import os, signal, sys
class Teller:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGHUP)
sys.meta_path.insert(0, Teller())
import kangbot.__main__
"""


@pytest.mark.parametrize(
    ("word", "in_a_terminal", "came_of_it"),
    [("run", False, 0), ("run", True, -signal.SIGHUP), ("status", False, -signal.SIGHUP)],
)
def test_what_is_to_become_a_daemon_ends_by_no_hangup_while_it_is_imported(
    word: str, in_a_terminal: bool, came_of_it: int
) -> None:
    """But by the end of its terminal; any other command ends by the signal, as the system has it."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs) as terminal:
        done = subprocess.run(
            [*HEARS_ITS_END, sys.executable, "-c", TOLD_EARLY, word],
            stdin=terminal if in_a_terminal else subprocess.DEVNULL,
            check=False,
        )
    assert done.returncode == came_of_it
