"""Whose a file is that stands in this user's way, in words.

After one start by another user, such as `sudo kangbot run`, there are files in the state folder that are that user's:
"Permission denied" alone says neither which nor what to do.
"""

import os
import pwd
import shlex
from pathlib import Path
from typing import NamedTuple


class Barred(NamedTuple):
    """A file that this user may not read and write: which and whose, and what to do about its folder."""

    says: str
    remedy: str


def barred(*files: Path) -> Barred | None:
    """Return the first of the files that is there and barred to this user; None where none is, or none can be seen."""
    for file in files:
        try:
            owner, locked = file.stat().st_uid, os.statvfs(file).f_flag & os.ST_RDONLY
        except OSError:
            continue
        if locked or os.access(file, os.R_OK | os.W_OK):  # a disk that is read only bars everybody
            continue
        folder = shlex.quote(str(file if file.is_dir() else file.parent))
        if owner == os.geteuid():
            return Barred(f"the permissions of {file.name} bar its owner", f"chmod -R u+rwX {folder}")
        return Barred(
            f"{file.name} belongs to {_name(owner)}",
            f"run this as {_name(owner)}, or give the folder to this user: sudo chown -R {os.geteuid()} {folder}",
        )
    return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # one of a container, or who was removed
        return f"user {user}"
