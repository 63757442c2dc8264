"""`kangbot run`: become the daemon."""

import os
import sys
from pathlib import Path
from typing import NoReturn


def become_daemon(config: Path, *, as_json: bool) -> NoReturn:
    """Replace this process by the daemon's, under the same pid.

    A service manager sees one process, and the command line's libraries are not in its memory.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "kangbot.daemon", "--config", str(config), *(["--json"] if as_json else [])]
    os.execv(sys.executable, command)  # noqa: S606 -- our own module
