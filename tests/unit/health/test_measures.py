"""Self-measurement."""

import asyncio
import contextlib
import time
from pathlib import Path
from time import perf_counter_ns

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.errors import NeedsHuman
from kangbot.health.lag import LoopLag
from kangbot.health.latency import Buckets, Latencies
from kangbot.health.process import ProcessMeter


def test_without_observations_there_is_no_quantile() -> None:
    """None, not zero."""
    assert Latencies().summary() == {"p50": None, "p99": None}


@given(st.lists(st.integers(2_000, 900_000_000_000), min_size=1, max_size=200), st.sampled_from([50, 99]))
def test_quantiles_are_within_a_bucket(durations: list[int], percent: int) -> None:
    """Never under the true quantile, and at most one bucket (4.5 %) above it."""
    latencies = Latencies()
    for duration in durations:
        latencies.observe(duration)
    ranked = sorted(durations)
    true = ranked[max(0, -(-len(ranked) * percent // 100) - 1)] / 1e6
    told = latencies.summary()[f"p{percent}"]
    assert told is not None
    assert true - 0.001 <= told <= true * 1.045 + 0.001


def test_durations_outside_the_range_are_counted_at_its_ends() -> None:
    """A negative one (clocks of two cores) and an endless one are no error."""
    latencies = Latencies()
    latencies.observe(-5)
    latencies.observe(10**18)
    assert latencies.count == 2
    assert latencies.longest_ns == 10**18


@given(st.integers(-5, 10**12))
def test_a_duration_falls_into_the_bucket_of_its_doubling(duration: int) -> None:
    """It is below the bound of its own, and not below that of the one before; the longest is kept."""
    buckets = Buckets()
    buckets.observe(duration)
    bounds, place = buckets.bounds_ms, buckets.counts.index(1)
    assert len(buckets.counts) == len(bounds) + 1
    assert place == len(bounds) or duration / 1e6 < bounds[place]
    assert place == 0 or duration / 1e6 >= bounds[place - 1]
    assert (sum(buckets.counts), buckets.longest_ns) == (1, max(0, duration))


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


async def test_a_blocked_loop_shows_as_lag() -> None:
    """A callback that blocks for 100 ms is seen."""
    lag = LoopLag()
    began = perf_counter_ns()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0.05)
    deadline = asyncio.get_running_loop().time() + 0.35
    while asyncio.get_running_loop().time() < deadline:
        pass
    while lag.latencies.count < 1:
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    most_ns = perf_counter_ns() - began - 100_000_000  # the timer's own tenth of a second is no lag
    assert 100_000_000 < lag.latencies.longest_ns <= most_ns
    recent = lag.recent_ms()["longest"]
    assert recent is not None
    assert 100 < recent <= most_ns / 1e6


async def test_the_lag_is_told_by_its_shares() -> None:
    """In whichever order it came; what has been blocked once is the longest, and half of all are not."""
    lag = LoopLag()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0.05)
    time.sleep(0.25)  # noqa: ASYNC251 -- that is what it measures
    while lag.latencies.count < 6:
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    recent = lag.recent_ms()
    assert recent["longest"] == recent["p99"] == round(lag.latencies.longest_ns / 1e6, 3)
    assert (recent["p50"] or 0) < (recent["longest"] or 0)


def test_before_the_first_observation_there_is_no_recent_lag() -> None:
    """None, not zero."""
    assert LoopLag().recent_ms() == {"p50": None, "p99": None, "longest": None}


def test_a_machine_without_proc_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chroot in which nobody has mounted it: one sentence and what to do, not the words of a library."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    with pytest.raises(NeedsHuman, match=r"cannot be seen in /proc") as caught:
        ProcessMeter()
    assert "mount /proc" in caught.value.remedy
