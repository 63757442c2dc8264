"""What the process costs: memory, processor time and handles.

It is read with every report, twice a second while somebody looks on, so by the shortest way: one page of Linux' own,
which has both figures of memory. psutil took ten times as long, most of it for naming every handle, and is asked where
there is no such page.
"""

import os
from pathlib import Path

import msgspec
import psutil

from kangbot.errors import NeedsHuman

_MIB = 1024 * 1024
_STATUS = Path("/proc/self/status")
_HANDLES = Path("/proc/self/fd")
_PAGE = 4096  # bytes, more than twice what it has


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. `peak_mb` is the kernel's own high-water mark where it tells, else the highest reading."""

    rss_mb: float
    peak_mb: float
    cpu_s: float
    handles: int


class ProcessMeter:
    """Readings of this process. NeedsHuman without /proc."""

    def __init__(self, status: Path = _STATUS, handles: Path = _HANDLES) -> None:
        try:
            self._process = psutil.Process()
        except (psutil.Error, OSError) as error:
            raise NeedsHuman(
                f"this process cannot be seen in /proc: {error}",
                remedy="mount /proc (mount -t proc proc /proc), the one of this container or chroot",
            ) from error
        self._status = status
        self._handles = handles
        self._highest_mb = 0.0

    def read(self) -> Cost:
        """Return what the process costs now."""
        page = self._page()
        rss_mb = _mb(page, b"\nVmRSS:") or self.rss_mb()
        self._highest_mb = max(self._highest_mb, rss_mb)
        return Cost(
            rss_mb=round(rss_mb, 1),
            # VmHWM, not getrusage: ru_maxrss survives exec, so it would tell the peak of the command that started us.
            peak_mb=round(_mb(page, b"\nVmHWM:") or self._highest_mb, 1),
            cpu_s=self.cpu_s(),
            handles=self._count(),
        )

    @staticmethod
    def cpu_s() -> float:
        """Return the processor time that was used since the process began."""
        times = os.times()
        return times.user + times.system

    def rss_mb(self) -> float:
        """Return the memory of now, in MB."""
        return float(self._process.memory_info().rss / _MIB)

    def _page(self) -> bytes:
        try:
            file = os.open(self._status, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.read(file, _PAGE)
        finally:
            os.close(file)

    def _count(self) -> int:
        """Return how many handles are open: the folder's size tells since Linux 6.2, before that it is 0."""
        try:
            return self._handles.stat().st_size or self._process.num_fds()
        except OSError:
            return self._process.num_fds()


def _mb(page: bytes, name: bytes) -> float | None:
    """Return a figure of the page, which is in KiB; None where it has none."""
    at = page.find(name)
    return int(page[at + len(name) :].split(None, 1)[0]) / 1024 if at >= 0 else None
