"""What the process costs, read."""

import os
from pathlib import Path

import psutil
import pytest

from kangbot.errors import NeedsHuman
from kangbot.health.process import ProcessMeter


def test_the_process_is_read() -> None:
    """Memory, its peak, processor time and handles are those of a living process."""
    meter = ProcessMeter()
    ballast = bytearray(30_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    held = meter.read()
    del ballast
    after = meter.read()
    assert held.rss_mb > 15
    assert after.peak_mb >= held.rss_mb - 1
    assert held.handles > 2
    assert held.cpu_s > 0


def test_the_process_is_read_where_linux_tells_nothing(tmp_path: Path) -> None:
    """Another system, or an older kernel, has no such page: the figures are the same, as near as two readings are."""
    told, asked = ProcessMeter().read(), ProcessMeter(tmp_path / "status", tmp_path / "fd").read()
    assert asked.rss_mb == pytest.approx(told.rss_mb, abs=5)
    assert asked.peak_mb == asked.rss_mb
    assert abs(asked.handles - told.handles) <= 2


def test_a_page_is_read_in_the_systems_own_units(tmp_path: Path) -> None:
    """It says kB, and means KiB; the peak is the kernel's own."""
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t 9999 kB\nVmHWM:\t   4096 kB\nVmRSS:\t   2048 kB\n")
    cost = ProcessMeter(status).read()
    assert (cost.rss_mb, cost.peak_mb) == (2.0, 4.0)


def test_without_the_kernels_peak_it_is_the_highest_that_was_read(tmp_path: Path) -> None:
    """It does not go down with the memory."""
    status = tmp_path / "status"
    meter, told = ProcessMeter(status), []
    for memory in (2048, 4096, 3072):
        status.write_text(f"Name:\tpython\nVmRSS:\t {memory} kB\n")
        cost = meter.read()
        told.append((cost.rss_mb, cost.peak_mb))
    assert told == [(2.0, 2.0), (4.0, 4.0), (3.0, 4.0)]


def test_a_folder_of_handles_without_a_size_is_counted() -> None:
    """As before Linux 6.2."""
    folder = Path("/proc/self/fdinfo/..")
    assert folder.stat().st_size == 0
    assert abs(ProcessMeter(handles=folder).read().handles - ProcessMeter().read().handles) <= 2


def test_the_time_of_the_processor_is_the_systems_part_too() -> None:
    """What the kernel does for us is computed for us."""
    before, told, after = os.times(), ProcessMeter.cpu_s(), os.times()
    assert before.system > 0
    assert before.user + before.system <= told <= after.user + after.system


def test_the_process_is_read_for_months() -> None:
    """Each reading gives its handles back: there are two a second."""
    meter = ProcessMeter()
    first = meter.read().handles
    for _ in range(10):
        last = meter.read().handles
    assert last == first


def test_a_machine_without_proc_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chroot in which nobody has mounted it: one sentence and what to do, not the words of a library."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    with pytest.raises(NeedsHuman, match=r"cannot be seen in /proc") as caught:
        ProcessMeter()
    assert "mount /proc" in caught.value.remedy
