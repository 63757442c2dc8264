"""The state folder in simulated time: small files that outlive processes, on a disk that may be full."""

import errno
from pathlib import PurePosixPath
from typing import Self

from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.process import Process


class SimPath:
    """A path as one process sees it; what a dead one writes does not arrive. `files` are the contents by path.

    It has what the daemon needs of a `pathlib.Path` for a file of a few lines. `process` None: a person writes.
    """

    def __init__(
        self, path: PurePosixPath, files: dict[PurePosixPath, str], faults: Faults, process: Process | None
    ) -> None:
        self._path = path
        self._files = files
        self._faults = faults
        self._process = process

    def __str__(self) -> str:
        return str(self._path)

    def __truediv__(self, name: str) -> Self:
        return self._another(self._path / name)

    @property
    def name(self) -> str:
        """The last part."""
        return self._path.name

    @property
    def parent(self) -> Self:
        """The folder that it is in."""
        return self._another(self._path.parent)

    def with_name(self, name: str) -> Self:
        """Return another in the same folder."""
        return self._another(self._path.with_name(name))

    def stat(self) -> object:
        """Return something where there is one. FileNotFoundError where there is none."""
        return self.read_text()

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:  # noqa: ARG002 -- of a Path
        """Return what the file says. FileNotFoundError where there is none."""
        said = self._files.get(self._path)
        if said is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(self))
        return said

    def write_text(self, data: str, encoding: str | None = None) -> int:  # noqa: ARG002 -- of a Path
        """Write the file anew. OSError where the disk is full."""
        if self._faults.on(Kind.DISK_FULL) and self._process is not None:
            self._faults.struck(Kind.DISK_FULL)
            raise OSError(errno.ENOSPC, "no space left on device", str(self))
        if self._lives:
            self._files[self._path] = data
        return len(data)

    def replace(self, target: Self) -> Self:
        """Give the file the other's name, whole or not at all."""
        if self._lives:
            self._files[target._path] = self._files.pop(self._path)
        return target

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file. FileNotFoundError where there is none, unless that is well."""
        if self._lives and self._files.pop(self._path, None) is None and not missing_ok:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(self))

    @property
    def _lives(self) -> bool:
        return self._process is None or self._process.alive

    def _another(self, path: PurePosixPath) -> Self:
        return type(self)(path, self._files, self._faults, self._process)
