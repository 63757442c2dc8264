"""One daemon a state folder: a lock that the kernel lets go when its process dies, however it dies."""

import contextlib
import fcntl
import os
from pathlib import Path

from kangbot.errors import NeedsHuman
from kangbot.runtime.owner import barred

FILE = "lock"


class FolderLock:
    """Holds `folder/lock` from construction to `release`. The file names the holder's process id.

    `flock` and not a pid file: after `kill -9` nothing is left to clean up by hand. The folder is made where it does
    not exist, for its owner alone. NeedsHuman where another process holds it, or where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            whose = barred(folder, folder / FILE)
            raise NeedsHuman(
                f"the state folder {folder} cannot be used: {error.strerror}{f', for {whose.says}' if whose else ''}",
                remedy=whose.remedy if whose else "name a folder that this user may write, on a disk with room",
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise NeedsHuman(
                f"the state folder {folder} belongs to a running kangbot (process {holder})",
                remedy="stop that process, or give this one a state folder of its own",
            ) from error
        except OSError as error:  # a file system over the network whose server keeps no locks
            os.close(self._file)
            raise NeedsHuman(
                f"the state folder {folder} cannot be locked: {error.strerror}",
                remedy="name a folder on a disk of this machine",
            ) from error
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its name
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the folder go. Called once."""
        os.close(self._file)
