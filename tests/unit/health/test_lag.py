"""How late the loop is, measured."""

import asyncio
import contextlib
import time
from time import perf_counter_ns

from kangbot.health.lag import LoopLag


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


def test_what_is_long_ago_is_not_of_late() -> None:
    """Half a minute at ten a second, and memory for no more."""
    lag = LoopLag()
    lag._recent.extend(number * 1_000_000 for number in range(1_000))
    assert lag.recent_ms() == {"p50": 850, "p99": 996, "longest": 999}
