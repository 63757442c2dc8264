"""Where the daemon of a configuration is to be found, also while somebody has made a mistake in the file.

A daemon that runs goes on by what it accepted last, so it can be asked, stopped and killed all the same: nobody mends a
typo first in an emergency. Where the file cannot say it, its state folder and its socket are what `settings.versions`
reads of it all the same.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from kangbot.errors import ConfigInvalid
from kangbot.settings import load
from kangbot.settings.versions import socket_of, state_of


class Whereabouts(NamedTuple):
    """Its socket, and its state folder."""

    socket: Path
    state: Path


def whereabouts(config: Path) -> Whereabouts:
    """Return them. ConfigInvalid where the file is wrong and no state folder is there that could be meant."""
    try:
        settings = load(config, os.environ)
    except ConfigInvalid as error:
        state = state_of(config, os.environ).absolute()
        if not state.is_dir():
            raise
        first = error.message.partition("\n")[0]
        said = f"No daemon can start with it; one that runs is looked for by the state folder {state}"
        sys.stderr.write(f"{first}\n{said}\n")
        return Whereabouts((socket_of(config, os.environ) or state / "control.sock").absolute(), state)
    return Whereabouts(settings.control_socket, settings.state_dir)
