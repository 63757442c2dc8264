"""A daemon of another user: whoever may not open its socket is told so, and never to start a second one."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from tests.support.unprivileged import interpreter

NOBODY = 65534


@pytest.mark.parametrize("command", ["status", "kill", "release", "logs", "top"])
def test_a_socket_of_another_user_is_said_to_be_one(command: str, tmp_path: Path) -> None:
    """With what to type. The switch that could not be set is said to be not set."""
    state = tmp_path / "state"
    state.mkdir()
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(state / "control.sock"))
        (state / "control.sock").chmod(0)
        if os.geteuid() == 0:
            os.chown(state / "control.sock", NOBODY, NOBODY)
            os.chown(state, NOBODY, NOBODY)
        else:
            state.chmod(0o500)
        done = subprocess.run(
            [interpreter(tmp_path), "-m", "kangbot", command, "--socket", str(state / "control.sock")],
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == exit_codes.NO_DAEMON
    assert "Permission denied" in done.stderr
    assert "type this with sudo, or as the user that the daemon runs as" in done.stderr
    assert "kangbot run" not in done.stderr
    assert command != "kill" or "nothing was stopped" in done.stderr
