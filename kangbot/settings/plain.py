"""A configuration's file, read without ever waiting and never whole where it is none.

Opening a pipe that nobody writes to does not return, and reading a device may not end. A daemon that looks after its
file must neither hang on what somebody has put in its place nor take it all into memory.
"""

import errno
import os
import stat
from pathlib import Path

LARGEST = 4_000_000  # bytes: 27 markets are 4 kB; a path given by mistake may be a disk image


def read_plain(path: Path) -> bytes:
    """Return the file's bytes. OSError where it cannot be read, is no plain file, or is larger than `LARGEST`."""
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST:,} bytes", str(path))
    return raw


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
