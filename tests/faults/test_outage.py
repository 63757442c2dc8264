"""The streams of a real daemon are cut for longer than two bars and come back: what its strategies see of that."""

import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import FaultWorld, market, wait_until
from tests.support.strategies import witness

pytestmark = [pytest.mark.process, pytest.mark.sweep]

FRAMES = {"BTC": 1, "ETH": 5, "SOL": 60}  # seconds a bar
SECOND_NS = 1_000_000_000
OUTAGE_S = 68  # from some seconds before a minute's end: two of its bars close meanwhile

Row = dict[str, Any]
Values = Sequence[Decimal]  # open, high, low, close and volume


def shown(folder: Path, base: str) -> Sequence[Row]:
    """Return each bar that the strategy of one market was shown."""
    path = folder / f"{base}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [row for row in map(json.loads, lines) if row["what"] == "shown"]


def asked(world: FaultWorld, path: str) -> Sequence[Any]:
    """Return the list that the exchange's REST answers with."""
    with urllib.request.urlopen(f"{world.sandbox.rest_url}{path}", timeout=10) as answer:
        listed: Sequence[Any] = json.load(answer)["result"]["list"]
    return listed


def candles(world: FaultWorld, base: str) -> Mapping[int, Values]:
    """Return the venue's own candles of a minute, by opening time."""
    listed = asked(world, f"/v5/market/kline?category=linear&symbol={base}USDT&interval=1&limit=200")
    return {int(row[0]) * 1_000_000: [Decimal(text) for text in row[1:6]] for row in listed}


def from_trades(world: FaultWorld, base: str, frame_s: int) -> Mapping[int, Values]:
    """Return what the venue's own trades come to, for the bars that they cover whole and that had a trade."""
    listed = asked(world, f"/v5/market/recent-trade?category=linear&symbol={base}USDT&limit=1000")
    inside: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for trade in reversed(listed):
        at_ns = int(trade["time"]) * 1_000_000
        inside[at_ns - at_ns % (frame_s * SECOND_NS)].append((Decimal(trade["price"]), Decimal(trade["size"])))
    found = {}
    for open_ns in sorted(inside)[1:-1]:
        prices = [price for price, _ in inside[open_ns]]
        volume = sum((size for _, size in inside[open_ns]), Decimal(0))
        found[open_ns] = [prices[0], max(prices), min(prices), prices[-1], volume]
    return found


@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "later"])
def test_after_an_outage_the_strategy_has_seen_every_bar_as_the_venue_has_it(
    tmp_path: Path, expect: Expect, at_once: bool
) -> None:
    """Each once and in order, for bars of one and five seconds, built from trades, and for candles of a minute."""
    row = expect(
        f"public streams cut for 68 s{', before the first trade' if at_once else ''}; bars of 1 s, 5 s and 1 min",
        "each bar shown once and in order, none missing, with the venue's own values",
    )
    copy(witness.__file__, tmp_path / "witness.py")
    config = "".join(
        market(base, 'strategy = "witness.py:Witness"', f'timeframe = "{name}"', "parameters = {}")
        for base, name in zip(FRAMES, ("1s", "5s", "1m"), strict=True)
    )
    with FaultWorld(tmp_path, bases=tuple(FRAMES), config=config, rate=2.0) as world:
        world.start()
        world.live()
        wait_until(lambda: shown(tmp_path, "SOL"), 90, "no bar of a minute was shown")
        if not at_once:
            time.sleep(max(0.0, 56 - time.time() % 60))  # the outage holds two ends of a minute
        cut_ns = time.time_ns()
        world.public.refuse()
        time.sleep(OUTAGE_S)
        back_ns = time.time_ns()
        world.public.accept()
        wait_until(lambda: world.fresh(world.client.report()), 60, "the markets are not fresh")
        wait_until(
            lambda: all(
                shown(tmp_path, base)[-1]["open_ns"] + 2 * frame * SECOND_NS > back_ns for base, frame in FRAMES.items()
            ),
            30,
            "the bars did not come back",
        )
        time.sleep(3)
        compared, wrong, gaps = 0, list[str](), 0
        for base, frame_s in FRAMES.items():
            span_ns, bars = frame_s * SECOND_NS, shown(tmp_path, base)
            opened = [bar["open_ns"] for bar in bars]
            gaps += opened != list(range(opened[0], opened[-1] + 1, span_ns))
            truth = candles(world, base) if frame_s == 60 else from_trades(world, base, frame_s)
            for bar in bars:
                if bar["open_ns"] in truth and bar["open_ns"] + span_ns >= cut_ns:
                    compared += 1
                    if [Decimal(text) for text in bar["prices"]] != truth[bar["open_ns"]]:
                        wrong.append(f"{base} {bar['open_ns']}: {bar['prices']}")
        row.measured(
            f"{compared} bars since the cut compared, {len(wrong)} of other values, {gaps} markets with a gap",
            ok=compared >= 40 and not wrong and not gaps,
        )
        assert world.daemon.stop() == 0, wrong[:5]
