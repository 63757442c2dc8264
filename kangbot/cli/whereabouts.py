"""Where the daemon of a configuration is to be found, also while somebody has made a mistake in the file.

A daemon that runs goes on by what it accepted last, so it can be asked, stopped and killed all the same: nobody mends a
typo first in an emergency. Where its socket is, nothing else of the file is read: that takes a process of its own, and
half of the time of a command. Where the file cannot say it, its state folder and its socket are what
`settings.versions` reads of it all the same.
"""

import os
import sys
from pathlib import Path

from kangbot.errors import ConfigInvalid
from kangbot.settings import anchors, load
from kangbot.settings.anchors import Whereabouts
from kangbot.settings.daemon import CONTROL_SOCKET
from kangbot.settings.versions import socket_of, state_of


def whereabouts(config: Path) -> Whereabouts:
    """Return them. ConfigInvalid where the file is wrong and no state folder is there that could be meant."""
    found = anchors.whereabouts(config, os.environ)
    if found is not None and os.path.lexists(found.socket):
        return found
    try:
        settings = load(config, os.environ)
    except ConfigInvalid as error:
        state = state_of(config, os.environ).absolute()
        if not state.is_dir():
            raise
        first = error.message.partition("\n")[0]
        said = f"No daemon can start with it; one that runs is looked for by the state folder {state}"
        sys.stderr.write(f"{first}\n{said}\n")
        return Whereabouts((socket_of(config, os.environ) or state / CONTROL_SOCKET).absolute(), state)
    return Whereabouts(settings.control_socket, settings.state_dir)
