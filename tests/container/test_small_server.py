"""Daemon and MariaDB together on one vCPU and 1 GB, 27 markets, faults at random: what the cheapest server sees.

`make small-server` runs it for MINUTES (20) and draws docs/small-server.svg.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy, rmtree

import pytest

from tests.support.books import agreed
from tests.support.cgroup import Server
from tests.support.engine import ROOT, House, busy_config, docker
from tests.support.faults import Mischief
from tests.support.plot import Line, Panel, draw
from tests.support.reports import write_report

pytestmark = [pytest.mark.engine, pytest.mark.sweep]

MARKETS = 27
MINUTES = float(os.environ.get("MINUTES", "20"))
GIB = 1024 * 1024 * 1024
MIB = 1024 * 1024
EVERY_S = 5.0
COLD_S = 20.0


@pytest.fixture
def server() -> Server:
    """One vCPU, 1 GB, no swap."""
    return Server("kangbot-small", cores=1.0, memory=GIB)


@pytest.fixture
def house(image: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything up within the server."""
    del image
    folder = tmp_path_factory.mktemp("small")
    for above in (folder, *folder.parents[:3]):
        above.chmod(0o755)
    (folder / "kangbot.toml").write_text(busy_config())
    copy(ROOT / "tests" / "support" / "strategies" / "hangs.py", folder)
    made = House(
        folder,
        {"KANGBOT_SERVER": server.parent},
        "tests/container/small.yml",
        project="kangbot-small",
    )
    made.compose("down", "--volumes", "--timeout", "60")
    made.compose("up", "--detach")
    yield made
    made.compose("down", "--volumes", "--timeout", "60")
    rmtree(folder)


@dataclass(slots=True, kw_only=True)
class Samples:
    """What was measured, every few seconds."""

    minutes: list[float] = field(default_factory=list)
    daemon_mib: list[float] = field(default_factory=list)
    mariadb_mib: list[float] = field(default_factory=list)
    together_mib: list[float] = field(default_factory=list)
    cpu_percent: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)


def cold_restart_s(house: House) -> float:
    """Stop both, start both at once as a machine that boots does, and return the seconds until all markets are live."""
    for service in ("kangbot", "mariadb"):
        docker("stop", house.name(service))
    began = time.monotonic()
    for service in ("mariadb", "kangbot"):
        docker("start", house.name(service))
    house.reported(lambda r: r.live == MARKETS, "all live after a cold start")
    return time.monotonic() - began


def test_twenty_minutes_on_the_cheapest_server(house: House, server: Server, tmp_path: Path) -> None:
    """No end for want of memory, all markets back after every fault, all books agree; a cold start in under 20 s."""
    house.reported(lambda r: r.live == MARKETS and r.orders.filled > 5, "all live and trading", 120)
    cold_s = cold_restart_s(house)
    print(f"all {MARKETS} markets live {cold_s:.1f} s after a cold start")
    draws = random.Random(5)
    mischief = Mischief(draws, house.exchange)
    samples, marks = Samples(), []
    began, before_s, before = time.monotonic(), server.busy_s(), time.monotonic()
    kills = {0.35: "kangbot", 0.55: "mariadb", 0.8: "kangbot"}
    done: Counter[str] = Counter()
    strike_at = 10.0
    while (at_s := time.monotonic() - began) < MINUTES * 60:
        for share in [share for share in kills if at_s > share * MINUTES * 60]:
            service = kills.pop(share)
            docker("kill", "--signal", "KILL", house.name(service))
            docker("start", house.name(service))
            marks.append((at_s / 60, f"kill -9 {'daemon' if service == 'kangbot' else service}"))
            done[f"kill {service}"] += 1
        if at_s > strike_at:
            mischief.strike()
            strike_at = at_s + draws.uniform(5, 25)
        now, busy_s, report = time.monotonic(), server.busy_s(), house.report()
        samples.minutes.append(at_s / 60)
        samples.cpu_percent.append((busy_s - before_s) / (now - before) * 100)
        before, before_s = now, busy_s
        samples.daemon_mib.append(server.used(house.name("kangbot")) / MIB)
        samples.mariadb_mib.append(server.used(house.name("mariadb")) / MIB)
        samples.together_mib.append(server.whole() / MIB)
        samples.live.append(report.live if report else 0)
        time.sleep(EVERY_S)
    house.exchange.heal()
    house.reported(lambda r: r.live == MARKETS and r.orders.unknown == 0, "all live after the faults", 120)
    found = agreed(house, tmp_path / "state") | {
        "minutes": MINUTES,
        "cold_restart_s": round(cold_s, 1),
        "faults": dict(mischief.struck + done),
        "daemon_mib": [round(min(samples.daemon_mib[3:]), 1), round(max(samples.daemon_mib), 1)],
        "mariadb_mib": [round(min(samples.mariadb_mib[3:]), 1), round(max(samples.mariadb_mib), 1)],
        "together_with_page_cache_mib": round(max(samples.together_mib), 1),
        "cpu_percent_mean": round(sum(samples.cpu_percent) / len(samples.cpu_percent), 1),
        "ended_for_want_of_memory": server.ends(),
    }
    print(json.dumps(found))
    write_report("small-server", found)
    draw(
        ROOT / "docs" / "small-server.svg",
        minutes=samples.minutes,
        marks=marks,
        panels=[
            Panel(
                title="memory, MiB of 1024",
                top=256,
                lines=[
                    Line(name="daemon", colour="#0969da", values=samples.daemon_mib),
                    Line(name="MariaDB", colour="#8250df", values=samples.mariadb_mib),
                    Line(name="both, with page cache", colour="#57606a", values=samples.together_mib),
                ],
            ),
            Panel(
                title="processor, % of the one vCPU (daemon, MariaDB and this test's questions)",
                top=100,
                lines=[Line(name="both", colour="#1a7f37", values=samples.cpu_percent)],
            ),
            Panel(
                title="live markets, of 27",
                top=28,
                lines=[Line(name="live", colour="#cf222e", values=samples.live)],
            ),
        ],
    )
    assert found["violations"] == []
    assert server.ends() == 0
    assert cold_s < COLD_S
