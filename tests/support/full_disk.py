"""A small disk of a test's own, and something else that takes all room on it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, megabytes: int, files: int = 0) -> Iterator[Path]:
    """A new folder with room for so many megabytes and files (0: any number). Skips where this host allows none."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,nr_inodes={files}", "none", str(folder)]
    if subprocess.run(mounting, check=False).returncode:
        pytest.skip("this host lets not even root mount a tmpfs")
    try:
        yield folder
    finally:
        # Whoever has a file open there yet keeps it, and no mount that is left behind has a later run fail.
        subprocess.run(["umount", "--lazy", str(folder)], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def occupied(folder: Path, *, left: int = 0) -> Iterator[None]:
    """Leave so many bytes of the folder's disk as long as the block lasts."""
    other = folder / "somebody-elses"
    try:
        with other.open("wb", buffering=0) as file:
            free = os.statvfs(folder)
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - left, 1))
            with contextlib.suppress(OSError):
                while not left and file.write(bytes(4096)):  # whatever was freed meanwhile
                    pass
        yield
    finally:
        other.unlink()
