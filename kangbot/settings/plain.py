"""A configuration's file, or a secret's, read without ever waiting and never whole where it is none.

Opening a pipe that nobody writes to does not return, and reading a device may not end. A daemon that looks after its
file must neither hang on what somebody has put in its place nor take it all into memory.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LARGEST = 4_000_000  # bytes: 27 markets are 4 kB; a path given by mistake may be a disk image


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open the file, and say what its mode is. OSError where it cannot be opened, or is no plain file."""
    with open(path, "rb", opener=_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        yield file, stat.S_IMODE(mode)


def read_plain(path: Path) -> bytes:
    """Return the file's bytes. OSError where it cannot be read, is no plain file, or is larger than `LARGEST`."""
    with opened(path) as (file, _):
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST:,} bytes", str(path))
    return raw


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
