"""The configuration's file: read whole by a process of its own, and looked at for edits."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kangbot.errors import ConfigInvalid, Problem
from kangbot.machines.edits import Mark
from kangbot.settings.apart import load
from kangbot.settings.plain import read_plain
from kangbot.settings.schema import Settings

_TRIES = 3  # of a file that is changed while it is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What the file said, and when."""

    settings: Settings
    text: bytes  # it holds no secret: the loader refuses them there
    mark: Mark


class ConfigFile:
    """One file, with the environment that is laid over it."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self._environ = environ

    def mark(self) -> Mark:
        """Return what changes when the file does; () where it is not there. One system call.

        The inode tells of a file that was put in the old one's place, the time of its status of permissions.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 -- a third of the cost of pathlib's, once a second
        except (OSError, ValueError):
            return ()
        return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def read(self) -> Saved:
        """Return what it says. ConfigInvalid with every mistake. Blocks for about 0.3 s; for a thread."""
        for _ in range(_TRIES):
            mark = self.mark()
            settings = load(self.path, self._environ)
            try:
                text = read_plain(self.path)
            except OSError:
                continue
            if mark == self.mark():
                return Saved(settings=settings, text=text, mark=mark)
        raise ConfigInvalid((Problem(message="is being written all the time", file=str(self.path)),))
