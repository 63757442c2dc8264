"""A quarter of an hour on the real loop: twenty-seven markets under faults of every kind, drawn by a seed."""

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kangbot.health.report import Report
from tests.support.fault_world import BASES, FaultWorld, market
from tests.support.faults import Mischief
from tests.support.processes import PATIENT
from tests.support.reports import write_report

pytestmark = [pytest.mark.process, pytest.mark.sweep]

MINUTES = float(os.environ.get("MINUTES", "15"))
STRIKE_S = (5.0, 15.0)  # between two faults
SAMPLE_S = 2.0
MOST_MB = 4.0  # between the middle third and the last one: a fraction of a percent an hour would show in days only
MOST_HANDLES = 3.0


class Network:
    """What the way to the venue does wrong."""

    def __init__(self, draw: random.Random, world: FaultWorld) -> None:
        self._draw = draw
        self._world = world
        self.struck: Counter[str] = Counter()

    def strike(self) -> None:
        """Make one thing go wrong, and put right what was wrong before."""
        world, draw = self._world, self._draw
        self.heal()
        match draw.choice(("half_open", "cut", "hang_up", "mute_topics", "slow_answers")):
            case "half_open" as fault:
                draw.choice(world.proxies).freeze()
            case "cut" as fault:
                draw.choice(world.proxies).cut()
            case "hang_up" as fault:
                world.public.hang_up = True
                world.public.cut()
            case "mute_topics" as fault:
                mute = tuple(f".{base}USDT" for base in draw.sample(world.bases, 3))
                world.public.look = lambda message: None if str(message.get("topic")).endswith(mute) else message
            case fault:
                world.rest.hold_s = 2.0
        self.struck[fault] += 1

    def heal(self) -> None:
        """Put everything right."""
        self._world.public.hang_up, self._world.public.look, self._world.rest.hold_s = False, None, 0.0


class Samples:
    """What the process costs, over time."""

    def __init__(self) -> None:
        self.at_s: list[float] = []
        self.rss_mb: list[float] = []
        self.handles: list[float] = []

    def take(self, report: Report, at_s: float) -> None:
        """Take what the daemon says of itself."""
        self.at_s.append(at_s)
        self.rss_mb.append(report.rss_mb)
        self.handles.append(report.handles)

    def growth(self, values: list[float]) -> float:
        """Return how much the median of the last third is above that of the middle one."""
        third = len(values) // 3
        return _median(values[2 * third :]) - _median(values[third : 2 * third])


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def soaked(world: FaultWorld, minutes: float, seed: int) -> dict[str, Any]:
    """Run so long under faults, let them end, and return what was found."""
    draw, samples = random.Random(seed), Samples()
    sandbox, network = Mischief(draw, world.sandbox), Network(draw, world)
    world.trading()
    begun = time.monotonic()
    strike_s = 0.0
    while (passed_s := time.monotonic() - begun) < minutes * 60:
        if passed_s >= strike_s:
            (sandbox if draw.random() < 0.5 else network).strike()
            strike_s = passed_s + draw.uniform(*STRIKE_S)
        samples.take(world.client.report(), passed_s)
        time.sleep(SAMPLE_S)
    world.sandbox.heal()
    network.heal()
    healed = time.monotonic()
    world.until(lambda report: world.fresh(report) and not report.orders.unknown, 120)
    took = time.monotonic() - healed
    report = world.client.report()
    restarts = [f"{line['market']}: {line['error']}" for line in world.said("market.fell")]
    down = Counter(str(line["cause"]) for line in world.said("feed.down"))
    return {
        "minutes": minutes,
        "seed": seed,
        "markets": report.total,
        "live_at_the_end": report.live,
        "seconds_to_all_live_on_fresh_data": round(took, 1),
        "faults": dict(sandbox.struck + network.struck),
        "restarts_of_markets": restarts,
        "reconnects": report.reconnects,
        "connections_lost_by_cause": dict(down),
        "breakers_opened": len(world.said("breaker.open")),
        "orders": {name: getattr(report.orders, name) for name in report.orders.__struct_fields__},
        "rss_mb": {"first": samples.rss_mb[0], "last": samples.rss_mb[-1], "peak": report.rss_peak_mb},
        "rss_growth_mb": round(samples.growth(samples.rss_mb), 2),
        "handles": {"least": min(samples.handles), "most": max(samples.handles), "last": samples.handles[-1]},
        "handles_growth": samples.growth(samples.handles),
        "cpu_percent": report.cpu_percent,
        "violations": world.disagreements(),
    }


def test_a_quarter_of_an_hour_of_faults_leaves_every_market_live(tmp_path: Path) -> None:
    """Memory and handles are flat, no market's task fell, exchange and books agree to the row."""
    markets = [market(base, *(PATIENT.splitlines() if number % 2 else ())) for number, base in enumerate(BASES)]
    with FaultWorld(tmp_path, config="".join(markets)) as world:
        found = soaked(world, MINUTES, seed=15)
    write_report("soak", found)
    print(found)
    assert found["live_at_the_end"] == found["markets"] == 27
    assert found["restarts_of_markets"] == []
    assert found["rss_growth_mb"] <= MOST_MB
    assert found["handles_growth"] <= MOST_HANDLES
    assert found["violations"] == []
