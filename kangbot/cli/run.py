"""`kangbot run`: become the daemon."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from kangbot.errors import NeedsHuman
from kangbot.runtime.hangup import ignore_hangup


def become_daemon(config: Path, *, as_json: bool) -> NoReturn:
    """Replace this process by the daemon's, under the same pid.

    A service manager sees one process, and the command line's libraries are not in its memory. NeedsHuman where there
    is nothing to become it by.
    """
    ignore_hangup()  # until the daemon hears what it means, a second later
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "kangbot.daemon", "--config", str(config), *(["--json"] if as_json else [])]
    try:
        os.execv(sys.executable, command)  # noqa: S606 -- our own module
    except OSError as error:  # a Python that was taken away, or may not be run
        raise NeedsHuman(
            f"the daemon cannot be started by {sys.executable}: {error.strerror}", remedy="install kangbot again"
        ) from None
