"""What the process costs: memory and processor time, by psutil."""

from dataclasses import dataclass
from pathlib import Path

import psutil

_MIB = 1024 * 1024
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One reading. `peak_mb` is the kernel's own high-water mark where it tells, else the highest reading."""

    rss_mb: float
    peak_mb: float
    cpu_s: float
    handles: int


class ProcessMeter:
    """Readings of this process, and its share of one core since the meter was made."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._highest_mb = 0.0
        self._process.cpu_percent()  # the first call starts the interval

    def read(self) -> Cost:
        """Return what the process costs now."""
        with self._process.oneshot():
            rss_mb = self._process.memory_info().rss / _MIB
            times = self._process.cpu_times()
            handles = self._process.num_fds()
        self._highest_mb = max(self._highest_mb, rss_mb)
        return Cost(
            rss_mb=round(rss_mb, 1),
            peak_mb=round(_high_water_mb() or self._highest_mb, 1),
            cpu_s=times.user + times.system,
            handles=handles,
        )

    def rss_mb(self) -> float:
        """Return the memory of now, in MB."""
        return float(self._process.memory_info().rss / _MIB)

    def cpu_percent(self) -> float:
        """Return the share of one core since the last call, in percent."""
        return float(self._process.cpu_percent())


def _high_water_mb() -> float | None:
    # VmHWM, not getrusage: ru_maxrss survives exec, so it would tell the peak of the command that started us.
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return None
    return None
