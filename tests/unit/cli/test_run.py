"""`kangbot run` becomes the daemon."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.cli.run import become_daemon
from kangbot.errors import NeedsHuman
from tests.support.terminal import HEARS_ITS_END


def test_a_python_that_was_taken_away_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An upgrade of the system, say."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NeedsHuman, match="cannot be started by"):
        become_daemon(tmp_path / "kangbot.toml", as_json=False)


@pytest.mark.parametrize(("in_a_terminal", "came_of_it"), [(False, 0), (True, -signal.SIGHUP)])
def test_a_daemon_that_is_told_to_reread_its_file_while_it_begins_goes_on(
    in_a_terminal: bool, came_of_it: int, tmp_path: Path
) -> None:
    """For a second after its start nothing of it hears SIGHUP; a terminal that is closed ends it all the same."""
    daemon = tmp_path / "python"
    daemon.write_text("#!/bin/sh\nkill -HUP $$\n")
    daemon.chmod(0o755)
    become = (
        "import sys; from pathlib import Path; from kangbot.cli.run import become_daemon;"
        f"sys.executable = {str(daemon)!r}; become_daemon(Path('kangbot.toml'), as_json=False)"
    )
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs) as terminal:
        done = subprocess.run(
            [*HEARS_ITS_END, sys.executable, "-c", become],
            stdin=terminal if in_a_terminal else subprocess.DEVNULL,
            check=False,
        )
    assert done.returncode == came_of_it


@pytest.mark.parametrize("as_json", [False, True])
def test_it_is_the_daemon_under_the_same_pid(as_json: bool, tmp_path: Path) -> None:
    """With the file that was named, and what is still to be printed before it."""
    daemon = tmp_path / "python"
    daemon.write_text('#!/bin/sh\necho $$ "$@"\n')
    daemon.chmod(0o755)
    become = (
        "import sys; from pathlib import Path; from kangbot.cli.run import become_daemon; print('before');"
        f"sys.executable = {str(daemon)!r}; become_daemon(Path('my own.toml'), as_json={as_json})"
    )
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen([sys.executable, "-c", become], stdout=subprocess.PIPE, text=True, env=environ) as process:
        said, _ = process.communicate()
    options = " --json" if as_json else ""
    assert said == f"before\n{process.pid} -P -m kangbot.daemon --config my own.toml{options}\n"
