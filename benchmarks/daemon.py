"""The real daemon with 27, 270 and 1,000 markets: memory, share of a core, lag of its loop; idle, and fed with books.

`python -m kangbot.daemon` in its own process, history in a private MariaDB through the pool (in SQLite where there is
no server), against `benchmarks/load.py`: the sandbox exchange is the bottleneck long before the daemon is. Markets run
`ema_cross` on bars of a minute; the interval that is measured has a full minute in it, when every market's bar closes
at once. Idle is the same daemon after stop-all. Nothing of start-up is in the shares; the peak of memory has it.

27 markets are measured twice more. On cores that are kept awake: with so few frames the core sleeps between two of
them, and what it costs to wake it is the machine's. And, where there are recordings of a real venue
(KANGBOT_RECORDED), with frames at the moments at which they came there, 317 a second in all.

    python -m benchmarks.daemon [seconds]
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.awake import awake
from benchmarks.house import (
    RECORDED,
    House,
    Reading,
    Served,
    database,
    load_venue,
    machine,
    peak_mb,
    read,
    running,
    scratch,
)
from tests.support.mariadb import MariadbServer

SIZES = (27, 270, 1000)
RATE = 10.0  # books a second and market; a candle a second beside them
_MINUTE_S = 60.0
_IDLE_TRIES = 5
_TARGETS = {27: {"rss_mb": 80, "cpu_percent": 3}, 1000: {"rss_mb": 300, "loop_lag_ms_p99": 20}}


def config(markets: int) -> str:
    """Return the configuration: budgets wide open, since waiting for them would be measured as time to live."""
    head = """
mode = "sandbox"
[defaults]
strategy = "ema_cross"
timeframe = "1m"
size = 500
[venues.bybit]
requests_per_second = 100
data_requests_per_second = 100
[start]
interval_s = 0.005
jitter_s = 0
[logs]
level = "warning"
"""
    return head + "".join(f'[[markets]]\nsymbol = "T{number:04}/USDT:USDT"\n' for number in range(markets))


def _window_s(seconds: float, *, wait: bool) -> float:
    """Wait until a full minute is in the middle of the next `seconds`, where that is asked for; return `seconds`."""
    if wait:
        time.sleep((_MINUTE_S - seconds / 2 - time.time()) % _MINUTE_S)
    return seconds


def measure(
    markets: int,
    seconds: float,
    folder: Path,
    server: MariadbServer | None,
    *,
    minute: bool,
    recordings: Sequence[Path] = (),
) -> dict[str, object]:
    """Return the figures of one size; `seconds` of each state, with a full minute in the busy one where `minute`.

    With `recordings` the frames come at their moments, not at `RATE`.
    """
    with (
        load_venue(markets, RATE, recordings=recordings) as (addresses, venue),
        running(folder / str(markets), config(markets), addresses, server) as house,
    ):
        house.until(lambda report: report.live == markets)
        live_s, settled = house.age_s, read(house.process)
        time.sleep(min(seconds, 3.0))  # the burst of the start is over
        seconds = _window_s(seconds, wait=minute)
        frames, before, venue_before = house.client.report().frames, read(house.process), read(venue)
        time.sleep(seconds)
        after, venue_after = read(house.process), read(venue)
        report = house.client.report()
        busy = {
            "rss_mb": after.rss_mb,
            "rss_peak_mb": peak_mb(house.process.pid),
            "cpu_percent": after.cpu_percent(before),
            "frames_per_second": round((report.frames - frames) / (after.at_s - before.at_s)),
            "loop_lag_ms": report.loop_lag_recent_ms,
            "cpu_us_per_frame": _per_frame_us(before, after, report.frames - frames),
            "venue_cpu_percent": venue_after.cpu_percent(venue_before),
        }
        house.client.tell("/stop-all")
        house.until(lambda report: all(market.state == "stopped" for market in report.markets))
        idle = _idle(house, seconds, server)
    return {
        "seconds_to_all_live": round(live_s, 1),
        "cpu_s_to_all_live": round(settled.cpu_s, 2),
        "busy": busy,
        "idle": idle,
        "target": _TARGETS.get(markets),
    }


def _idle(house: House, seconds: float, server: MariadbServer | None) -> dict[str, object]:
    """Return the figures of the first interval in which the journal got nothing: a change of equity is to be stored."""
    for _ in range(_IDLE_TRIES):
        stored = house.until(lambda report: not report.history_backlog).journal_sequence
        time.sleep(min(seconds, 3.0))  # the burst of the stop is over
        before = read(house.process)
        served = Served(server) if server else None
        time.sleep(seconds)
        after = read(house.process)
        statements = None if served is None else served.read()["Questions"]
        if house.client.report().journal_sequence == stored:
            return {
                "rss_mb": after.rss_mb,
                "cpu_percent": after.cpu_percent(before),
                "database_statements": statements,
            }
    raise RuntimeError(f"stopped markets have something to store in each of {_IDLE_TRIES} intervals of {seconds} s")


def _per_frame_us(before: Reading, after: Reading, frames: int) -> float:
    return round((after.cpu_s - before.cpu_s) / max(1, frames) * 1e6, 1)


def run(seconds: float) -> dict[str, object]:
    """Return `{"daemon": {"27 markets": figures}, …}`; all sizes from a minute on, with less time 27 markets only."""
    whole = seconds >= _MINUTE_S
    sizes = SIZES if whole else SIZES[:1]
    each = min(30.0, seconds / len(sizes) / 2)
    with scratch() as folder, database(folder) as server:
        figures = {f"{markets} markets": measure(markets, each, folder, server, minute=whole) for markets in sizes}
        if whole:
            with awake():
                figures["27 markets, cores awake"] = measure(27, each, folder / "awake", server, minute=True)
            if recordings := sorted((RECORDED / "binance_usdm" / "stream").glob("*.gz")):
                figures["27 markets, at recorded moments"] = measure(
                    27, each, folder / "moments", server, minute=True, recordings=recordings
                )
    history = "MariaDB" if server else "SQLite"
    return {"daemon": figures, "history": history, "seconds_a_state": each, "machine": machine()}


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 120.0), indent=2))
