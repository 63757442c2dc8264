"""Strategies that misbehave in one market of twenty-seven."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import Expect
from tests.support.fault_world import BASES, FaultWorld, at, market

pytestmark = [pytest.mark.process, pytest.mark.sweep]

VICTIM = BASES[2]
NEIGHBOURS = tuple(base for base in BASES if base != VICTIM)

STRATEGY = """
import time

from kangbot.strategy.ema_cross import EmaCross

KEPT = []


class Rogue(EmaCross):
    name = "rogue"

    def decide(self, view):
        {body}
        return super().decide(view)
"""


def rogue(folder: Path, body: str) -> FaultWorld:
    """Return a world in which one market's strategy does that before it decides."""
    (folder / "rogue.py").write_text(STRATEGY.format(body=body))
    victim = market(VICTIM, 'strategy = "rogue.py:Rogue"', "parameters = { fast = 2, slow = 5 }")
    return FaultWorld(folder, bases=BASES, config="".join(map(market, NEIGHBOURS)) + victim)


def watched(world: FaultWorld, seconds: float) -> tuple[float, int]:
    """Watch the neighbours so long: the oldest that one of their prices was, and the fewest that were live."""
    until, oldest, fewest = time.monotonic() + seconds, 0.0, len(NEIGHBOURS)
    while time.monotonic() < until:
        others = [one for one in world.client.report().markets if not one.symbol.startswith(f"{VICTIM}/")]
        oldest = max(oldest, *(one.feed_age_s or 0.0 for one in others))
        fewest = min(fewest, sum(one.state == "live" for one in others))
        time.sleep(0.2)
    return oldest, fewest


def neighbours_live(world: FaultWorld) -> None:
    """Wait until all markets but the one are live on fresh data."""
    world.until(
        lambda report: (
            all(
                one.state == "live" and one.feed_age_s is not None
                for one in report.markets
                if not one.symbol.startswith(f"{VICTIM}/")
            )
            and len(report.markets) == len(BASES)
        )
    )


def test_a_strategy_that_raises_stops_its_market_alone(tmp_path: Path, expect: Expect) -> None:
    """It raises on every bar: its market is begun anew five times, then left lying."""
    row = expect(
        "a strategy that raises on every bar",
        "its market FAILED alone, the other 26 live all the while, prices ≤ 2 s old",
    )
    with rogue(tmp_path, 'raise RuntimeError("a fault of the strategy")') as world:
        world.start()
        neighbours_live(world)
        begun = time.monotonic()
        oldest = fewest = None
        while world.of(VICTIM).state != "failed" and time.monotonic() < begun + 240:
            aged, live = watched(world, 2.0)
            oldest, fewest = max(aged, oldest or 0.0), min(live, len(NEIGHBOURS) if fewest is None else fewest)
        took = time.monotonic() - begun
        found = world.of(VICTIM)
        row.measured(
            f"{found.state} after {found.falls} falls in {took:.0f} s, at least {fewest} others live, "
            f"oldest price {oldest or 0:.1f} s",
            ok=found.state == "failed" and fewest == len(NEIGHBOURS) and (oldest or 0.0) <= 2,
        )


def test_a_strategy_that_never_returns_is_interrupted(tmp_path: Path, expect: Expect) -> None:
    """An endless loop: it is asked aside after a moment, and its market stopped once that has waited long enough."""
    row = expect(
        "a strategy that hangs (an endless loop)",
        "its market FAILED alone after 10 s, the loop stands still ≤ 2 s, 0 reconnects, the other 26 live, trading",
    )
    with rogue(tmp_path, "while True: pass") as world:
        world.start()
        stopped = world.until_said("strategy.stopped", 0.0, 120)
        first = world.said("market.live")
        took = at(stopped) - min(at(line) for line in first if f":{VICTIM}-" in line["market"])
        lag_s = max(ms or 0.0 for ms in world.client.report().loop_lag_ms.values()) / 1000
        dialled = time.monotonic()
        neighbours_live(world)
        report = world.orders(more_than=3)
        oldest, fewest = watched(world, 10)
        found, reconnects = world.of(VICTIM), world.public.since(dialled)
        row.measured(
            f"{found.state} {took:.1f} s after it went live: {found.reason}; the loop stood still for {lag_s:.2f} s, "
            f"{reconnects} reconnects, at least {fewest} others live, oldest price then {oldest:.1f} s, "
            f"{report.orders.filled} orders filled, threads left running: {len(world.said('strategy.lingers'))}",
            ok=found.state == "failed"
            and lag_s <= 2
            and not reconnects
            and fewest == 26
            and oldest <= 2
            and not world.said("strategy.lingers"),
        )


def test_a_slow_strategy_delays_its_own_market_only(tmp_path: Path, expect: Expect) -> None:
    """It computes for 300 ms on every bar: it is asked aside, goes on trading, and nobody waits for it."""
    row = expect(
        "a strategy that computes for 300 ms on every bar of 1 s",
        "named in the log, live and deciding, 0 reconnects, the others live, prices ≤ 2 s old, the loop's lag p99 "
        "over half a minute ≤ 200 ms",
    )
    with rogue(tmp_path, "until = time.perf_counter() + 0.3\n        while time.perf_counter() < until: pass") as world:
        world.start()
        world.until_said("strategy.slow", 0.0, 60)
        dialled = time.monotonic() + 5
        neighbours_live(world)
        before = world.of(VICTIM)
        oldest, fewest = watched(world, 35)
        found, report = world.of(VICTIM), world.client.report()
        decided, lag_ms = found.decisions - before.decisions, report.loop_lag_recent_ms
        row.measured(
            f"{found.state}, asked {'aside' if found.aside else 'on the loop'}, {decided} decisions in 35 s; "
            f"{world.public.since(dialled)} reconnects, at least {fewest} others live, oldest price {oldest:.1f} s; "
            f"the loop's lag p50 {lag_ms['p50']} ms, p99 {lag_ms['p99']} ms, longest {lag_ms['longest']} ms",
            ok=found.state == "live"
            and found.aside
            and decided >= 10
            and not world.public.since(dialled)
            and fewest == len(NEIGHBOURS)
            and oldest <= 2
            and (lag_ms["p99"] or 0.0) <= 200,
        )


def test_a_strategy_that_leaks_costs_its_neighbours_nothing(tmp_path: Path, expect: Expect) -> None:
    """It keeps a megabyte of every bar for a minute; nobody can take that from it, so it must show."""
    row = expect(
        "a strategy that leaks 1 MB a bar, 60 s", "the growth is in the report, the other 26 live, prices ≤ 2 s old"
    )
    with rogue(tmp_path, "KEPT.append(bytearray(b'x' * (1 << 20)))") as world:
        world.start()
        world.live()
        before = world.client.report().rss_mb
        oldest, fewest = watched(world, 60)
        grown = world.client.report().rss_mb - before
        row.measured(
            f"RSS in the report grew by {grown:.0f} MB, at least {fewest} others live, oldest price {oldest:.1f} s",
            ok=grown >= 40 and fewest == len(NEIGHBOURS) and oldest <= 2,
        )
