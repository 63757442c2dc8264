"""The configuration of a command that works on the daemon's memory without the daemon.

Beside an installed service the address of the history may be a credential of the service, which is root's alone.
Whoever cannot read it would get the embedded file in its place: another history, or none.
"""

import os
from pathlib import Path

from kangbot.errors import NeedsHuman
from kangbot.settings import Settings, load
from kangbot.settings.secrets import shut_credentials


def settings_of(config: Path) -> Settings:
    """Load the configuration. NeedsHuman where the service may have a database which this user does not see."""
    settings = load(config, os.environ)
    shut = shut_credentials(config, os.environ)
    if shut and settings.database.url is None:
        raise NeedsHuman(
            f"the service's history is not this user's to see: its address may be in {shut}",
            remedy="run the same command with sudo; or name the history in KANGBOT_DATABASE__URL",
        )
    return settings
