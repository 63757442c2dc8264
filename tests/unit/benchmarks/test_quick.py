"""Each benchmark of whole processes once, for a moment: that it runs and measures what it says, not how much."""

import gzip
import itertools
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks import control, daemon, latency, load, startup, threads
from benchmarks.awake import awake
from benchmarks.house import database, load_venue
from tests.support.fault_world import wait_until

pytestmark = pytest.mark.process


def test_the_loads_names_are_those_of_the_daemons_configuration() -> None:
    """The venue lists exactly the markets that the daemon is told to trade."""
    config = daemon.config(27)
    assert all(f'"{name.removesuffix("USDT")}/USDT:USDT"' in config for name in load.names(27))


def test_a_long_frame_has_its_length_in_two_bytes() -> None:
    """RFC 6455: up to 125 bytes in the second byte, beyond that in the next two."""
    assert load.framed(b"x" * 125)[:2] == bytes([0x81, 125])
    assert load.framed(b"x" * 300)[:4] == bytes([0x81, 126, 1, 44])


def test_the_loads_candles_are_of_whole_minutes_and_paged_by_their_end() -> None:
    """As Bybit's are: a page ends where the one before began."""

    def page(**asked: int) -> list[int]:
        query = "&".join(f"{key}={value}" for key, value in asked.items())
        with urllib.request.urlopen(f"{addresses['rest_url']}/v5/market/kline?{query}", timeout=300) as answer:
            return [int(row[0]) for row in json.load(answer)["result"]["list"]]

    with load_venue(1, 1.0) as (addresses, _):
        newer = page(limit=3)
        older = page(limit=2, end=newer[-1] - 1)
    starts = newer + older
    assert all(start % 60_000 == 0 for start in starts)
    assert starts == [starts[0] - 60_000 * back for back in range(5)]


def test_recorded_moments_are_played_over_each_other_and_over_again(tmp_path: Path) -> None:
    """In order, from the beginning on, and once more from where the recording ended."""
    long, short = tmp_path / "long.gz", tmp_path / "short.gz"
    long.write_bytes(gzip.compress(b"1000000 {}\n1500000 {}\n3000000 {}\n"))
    short.write_bytes(gzip.compress(b"7000000 {}\n7600000 {}\n"))
    at_s = list(itertools.islice(load.moments([long, short]), 6))
    assert at_s == pytest.approx([0.5, 0.6, 1.2, 1.8, 2.0, 2.4])


def test_frames_come_at_recorded_moments(tmp_path: Path) -> None:
    """A venue with a recording sends its frames then: ten a second here, books and candles."""
    recording = tmp_path / "recording.gz"
    recording.write_bytes(gzip.compress(b"".join(b"%d {}\n" % (at * 100_000) for at in range(12))))
    one: Any = daemon.measure(1, 2.0, tmp_path, None, minute=False, recordings=[recording])
    assert 0 < one["busy"]["frames_per_second"] < 100


def test_the_daemon_is_measured() -> None:
    """27 markets go live, frames arrive, and an idle daemon asks the database nothing."""
    figures: Any = daemon.run(1.0)["daemon"]
    one = figures["27 markets"]
    assert one["busy"]["frames_per_second"] > 0
    assert 20 < one["busy"]["rss_mb"] < 300
    assert one["idle"]["database_statements"] in (0, None)


def test_the_old_design_is_measured(tmp_path: Path) -> None:
    """A thread a market, which asks the database all the time where there is one."""
    with load_venue(threads.MARKETS, 10.0) as (addresses, _), database(tmp_path) as server:
        figures: Any = threads.old(addresses, server, threads.MARKETS, 2.0)
    assert figures["threads"] > threads.MARKETS
    assert server is None or figures["database_statements_per_second"] > 0


def test_a_frame_becomes_an_order_on_every_disk() -> None:
    """Orders leave, and the disk's own cost stands beside them."""
    figures: Any = latency.run(1.0)["latency"]
    for place in figures.values():
        assert place["orders"] > 0
        assert place["frame_to_decision_ms"]["p50"] > 0
        assert place["fsync_ms"]["p50"] > 0
        assert place["bare_ms"]["p50"] > 0


def test_starting_is_measured() -> None:
    """The help takes longer than an interpreter that does nothing, the daemon more memory."""
    figures: Any = startup.run(0.2)
    assert figures["help_s"]["kangbot --help"]["p50"] > figures["help_s"]["python -c pass"]["p50"]
    assert figures["import_mb"]["daemon"] > figures["import_mb"]["interpreter"]


def test_the_audience_is_answered_while_orders_leave(tmp_path: Path) -> None:
    """Listeners hear and questions are answered, at the daemon that trades."""
    figures: Any = control.measure(tmp_path / "here", 2.0, audience_at="here")
    assert figures["orders"] > 0
    assert figures["messages_per_second"] > 0
    assert figures["answers_per_second"] > 0
    assert figures["unexpected_answers"] == 0


def test_cores_are_kept_awake_at_idle_priority_and_let_go() -> None:
    """A loop a core, which gives way to everything; none is left afterwards."""
    me = psutil.Process()
    before = set(me.children())
    with awake():
        loops = set(me.children()) - before
        assert len(loops) == len(os.sched_getaffinity(0))
        idle = "every loop at idle priority"
        wait_until(lambda: all(os.sched_getscheduler(loop.pid) == os.SCHED_IDLE for loop in loops), 300.0, idle)
    assert not set(me.children()) - before
