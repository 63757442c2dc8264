"""Room on the disk that is kept for exits.

A full disk must stop entries, not exits. So some room is taken in advance; when the disk is full it is given back, and
only what may use the reserve is written from then on. The reserve is taken again, before anything else is written, as
soon as the disk has room: no timer asks for it, the next write does.
"""

import contextlib
import os
from pathlib import Path

_PORTION = 1 << 16  # bytes


class Reserve:
    """A preallocated file of `size` bytes beside the journal. Blocking: used on the journal's thread."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.size = size
        self.held = False
        self.why = ""  # the disk did not give it at the last try

    def take(self) -> bool:
        """Hold the reserve; False where the disk has no room for it."""
        if not self.held:
            self.held = self._allocate()
        return self.held

    def release(self) -> None:
        """Give the room back to the disk, where it lets us: one that an error has made read-only keeps the file."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.held = False

    def ails(self) -> str:
        """Return what the system says of a write in the same place; "" where it takes one."""
        attempt = self._path.with_suffix(".try")
        try:
            with attempt.open("wb", buffering=0) as file:
                file.write(b" ")
                os.fsync(file)
        except OSError as error:
            return error.strerror or str(error)
        finally:
            with contextlib.suppress(OSError):
                attempt.unlink(missing_ok=True)
        return ""

    def _allocate(self) -> bool:
        file = -1
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self.size:
                getattr(os, "posix_fallocate", _written)(file, 0, self.size)  # macOS has none
        except OSError as error:
            self.why = error.strerror or str(error)
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            return False
        else:
            return True
        finally:
            if file >= 0:
                os.close(file)


def _written(file: int, offset: int, size: int) -> None:
    """Give the file real blocks by writing them: a sparse file would reserve nothing."""
    at, end = offset, offset + size
    while at < end:
        at += os.pwrite(file, bytes(min(_PORTION, end - at)), at)
