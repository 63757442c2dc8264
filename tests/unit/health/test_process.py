"""What the process costs, read."""

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
