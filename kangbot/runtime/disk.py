"""How much a disk still takes: bytes, and files, of which many file systems can have only so many.

The second is used up by millions of small files, somebody else's mostly, while there are gigabytes left: nothing that
is open suffers, and nothing new can be made, not even what SQLite needs beside a file in order to open it.
"""

import errno
import os
from pathlib import Path

import msgspec

_MIB = 1024 * 1024
NO_FILE = ", for no file can be made on its disk, whatever room it has"
FILES = "remove files there, somebody else's mostly: df -i counts them"


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What is left for this user."""

    mb: float  # MiB
    files: int | None  # that can be made; None where the file system does not count them


def room(folder: Path) -> Room:
    """Return what is left on the disk that has `folder`. OSError where that cannot be told."""
    disk = os.statvfs(folder)
    return Room(
        mb=round(disk.f_bavail * disk.f_frsize / _MIB, 1),
        files=disk.f_favail if disk.f_files else None,
    )


def takes_no_file(folder: Path, error: OSError | None = None) -> bool:
    """Whether no file can be made on the disk that has `folder`, and `error`, where there is one, may tell of that.

    The system has the same words for it as for a disk without room.
    """
    if error is not None and error.errno != errno.ENOSPC:
        return False
    try:
        return room(folder).files == 0
    except OSError:
        return False
