"""The configuration of a command that works on the daemon's memory without the daemon.

Beside an installed service the address of the history may be a credential of the service, which is root's alone.
Whoever cannot read it would get the embedded file in its place: another history, or none. So root types such a
command, and what root makes in the state folder would be nothing that the service may write.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
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


@contextlib.contextmanager
def given_to_its_owner(folder: Path) -> Iterator[None]:
    """Give what root has in the folder to whom the folder belongs, when the block ends; nothing for another user.

    A folder that is made meanwhile belongs to whom the one above belongs: `/var/lib/kangbot/paper` is the service's
    as `/var/lib/kangbot` is. Plain files and folders alone, and none that has a second name: that may be a file of the
    system.
    """
    missing = [place for place in (folder, *folder.parents) if not place.is_dir()]
    try:
        yield
    finally:
        if os.geteuid() == 0 and folder.is_dir():
            owner = (missing[-1].parent if missing else folder).stat()
            for path in (*missing, *folder.rglob("*")):
                with contextlib.suppress(FileNotFoundError):  # a daemon that runs removes files of its own
                    _give(path, owner)


def _give(path: Path, owner: os.stat_result) -> None:
    found = path.lstat()
    plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    if found.st_uid == 0 and (plain or stat.S_ISDIR(found.st_mode)):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
