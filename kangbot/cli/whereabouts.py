"""Where the daemon of a configuration is to be found, also while somebody has made a mistake in the file.

A daemon that runs goes on by what it accepted last, so it can be asked, stopped and killed all the same: nobody mends a
typo first in an emergency. Where the file cannot say it, its state folder is what `settings.versions.state_of` reads.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from kangbot.errors import ConfigInvalid
from kangbot.settings import load
from kangbot.settings.versions import state_of


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
        return Whereabouts(Path(os.environ.get("KANGBOT_CONTROL__SOCKET") or state / "control.sock"), state)
    return Whereabouts(settings.control_socket, settings.state_dir)
