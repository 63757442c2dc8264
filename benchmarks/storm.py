"""Every connection cut at once: how the real daemon comes back with 27 and 270 markets.

`benchmarks/load.py` cuts all websockets without a close frame, five times, each time after all markets have been on
fresh data for a while, and counts what comes: attempts, the most connects within a second, messages. It closes a
connection that says more than five messages within a second, which is the strictest limit there is (Binance spot). Time
to all live is from the cut until the daemon has every market's price no older than the cut.

    python -m benchmarks.storm [seconds]
"""

import json
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.daemon import config
from benchmarks.house import House, load_venue, machine, running, scratch

SIZES = (27, 270)
RATE = 5.0  # books a second and market
MOST = 5  # messages a second and connection
_CUTS = 5
_REST_S = 5.0  # between all live and the next cut
_PATIENCE_S = 120.0


def ask(rest_url: str, path: str, method: str = "GET") -> dict[str, Any]:
    """Ask the load venue."""
    request = urllib.request.Request(f"{rest_url}/load/{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read()))


def storm(house: House, rest_url: str) -> dict[str, Any]:
    """Cut everything once; return what came of it."""
    before = ask(rest_url, "seen")
    cut_s = time.time()
    cut = ask(rest_url, "cut", "POST")["cut"]
    deadline = time.monotonic() + _PATIENCE_S
    while not _fresh(house, cut_s):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not every market was back within {_PATIENCE_S:.0f} s")
        time.sleep(0.05)
    took_s = time.time() - cut_s
    seen = ask(rest_url, "seen")
    connects = seen["connects"][len(before["connects"]) :]
    return {
        "cut": cut,
        "attempts": len(connects),
        "peak_a_second": peak(connects),
        "seconds_to_all_live": round(took_s, 2),
        "closed_by_venue": seen["closes"] - before["closes"],
        "messages_peak": seen["peak"],
    }


def peak(stamps: list[float]) -> int:
    """Return the most stamps that fall within one second."""
    return max((sum(at <= other < at + 1.0 for other in stamps) for at in stamps), default=0)


def _fresh(house: House, since_s: float) -> bool:
    age_s = time.time() - since_s
    report = house.client.report()
    return report.live == report.total and all(
        market.feed_age_s is not None and market.feed_age_s < age_s - 0.1 for market in report.markets
    )


def measure(markets: int, folder: Path, cuts: int) -> dict[str, Any]:
    """Return the figures of one size: the median of the times, the worst of the counts."""
    with (
        load_venue(markets, RATE, MOST) as (addresses, _),
        running(folder / str(markets), config(markets), addresses) as house,
    ):
        house.until(lambda report: report.live == markets)
        storms = []
        for _ in range(cuts):
            time.sleep(_REST_S)
            storms.append(storm(house, addresses["rest_url"]))
    times = [one["seconds_to_all_live"] for one in storms]
    worst = {name: max(one[name] for one in storms) for name in storms[0] if name != "seconds_to_all_live"}
    return worst | {"seconds_to_all_live": {"median": median(times), "worst": max(times)}}


def run(seconds: float) -> dict[str, object]:
    """Return `{"storm": {markets: figures}, …}`; where there is little time, 27 markets and one cut only."""
    quick = seconds < 15
    sizes, cuts = (SIZES[:1], 1) if quick else (SIZES, _CUTS)
    with scratch() as folder:
        figures = {str(markets): measure(markets, folder, cuts) for markets in sizes}
    return {"storm": figures, "cuts": cuts, "machine": machine()}


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 60.0), indent=2))
