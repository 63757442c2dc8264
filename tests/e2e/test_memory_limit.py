"""A real daemon in a real control group: what it says and does before the kernel's killer comes."""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from kangbot.health.report import Report
from tests.support.cgroup import Server
from tests.support.processes import CONFIG, MARKETS, World
from tests.support.strategies import hoards

pytestmark = pytest.mark.process

LIMIT_MB = 160
MIB = 1 << 20


@pytest.fixture
def group() -> Iterator[Server]:
    """A control group of 160 MB."""
    try:
        made = Server(f"kangbot-relief-{os.getpid()}", cores=2, memory=LIMIT_MB * MIB)
    except OSError as error:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            raise
        pytest.skip(f"no control group can be made here: {error}")
    yield made
    made.remove()


@pytest.fixture
def hoarder(world: World, group: Server) -> Iterator[World]:
    """A daemon in that group, one market of which holds what it is told to hold."""
    shutil.copy(hoards.__file__, world.folder / "hoards.py")
    one = f'[[markets]]\nsymbol = "{MARKETS[0]}/USDT:USDT"\n'
    config = CONFIG.replace(one, f'{one}strategy = "hoards.py:Hoards"\n')
    world.config.write_text(f'{config}\n[logs]\nformat = "json"\n[health]\nmemory_critical_percent = 90\n')
    world.begun = group.join
    yield world
    world.close()  # before its group is removed


def given_back(report: Report) -> int:
    """Return how often memory was given back."""
    return 0 if report.memory is None else report.memory.reliefs


def available(report: Report) -> float | None:
    """Return what the machine could still give when the daemon looked last."""
    return None if report.memory is None else report.memory.available_mb


def hold(world: World, share: float) -> Report:
    """Have the strategy hold so much that the process is at that share of its limit, or was until it gave some back."""
    report = world.client.report()
    reliefs = given_back(report)
    path = world.folder / hoards.HOARD.name
    held = int(path.read_text()) if path.exists() else 0
    path.with_suffix(".new").write_text(str(held + round(share * LIMIT_MB - report.rss_mb)))
    path.with_suffix(".new").rename(path)
    return world.until(lambda report: abs(report.rss_mb - share * LIMIT_MB) < 3 or given_back(report) > reliefs)


def check(world: World) -> dict[str, Any]:
    """Return the check of memory, as `/health` tells it."""
    checks = json.loads(world.client.health())["checks"]
    return next(one for one in checks if one["name"] == "memory")


def relieved(world: World) -> list[dict[str, Any]]:
    """Return what the log says of memory that was given back."""
    lines = [json.loads(line) for line in world.daemon.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "memory.relieved"]


def until_relieved(world: World, times: int) -> dict[str, Any]:
    """Wait until memory was given back so often, and return what the log says of the last time."""
    world.until(lambda report: report.memory is not None and report.memory.reliefs >= times)
    assert len(relieved(world)) == times
    return relieved(world)[-1]


def test_memory_is_given_back_before_the_kernel_takes_the_process(hoarder: World, group: Server) -> None:
    """At 80 % of the group's limit: what a burst left is given back; what a strategy holds is warned of, and told."""
    world = hoarder
    world.start()
    world.live()
    report = world.orders(more_than=3)
    assert report.memory is not None
    assert (report.memory.limit_mb, report.memory.limit_source) == (LIMIT_MB, "cgroup")
    assert check(world)["status"] == "healthy"

    litter = world.folder / hoards.LITTER.name
    litter.write_text("40")
    world.until(lambda _: not litter.exists())  # all of it is taken, and let go of: what follows adds to that
    littered = world.until(lambda after: after.rss_mb > report.rss_mb + 25)  # some goes where there was room
    hold(world, 0.85)
    first = until_relieved(world, 1)
    assert (first["limit_mb"], first["limit"]) == (LIMIT_MB, "cgroup")
    assert first["before_mb"] > 0.8 * LIMIT_MB
    assert first["before_mb"] - first["after_mb"] > 30, (first, littered.rss_mb)
    world.until(lambda _: check(world)["status"] == "healthy")

    looked = available(world.client.report())
    world.until(lambda report: available(report) != looked)  # it has looked since, and saw that it is well again
    hold(world, 0.85)
    second = until_relieved(world, 2)
    assert second["after_mb"] > 0.8 * LIMIT_MB  # what is held cannot be given back
    world.until(lambda _: check(world)["status"] == "warning")
    assert check(world)["says"] == f"of {LIMIT_MB} MB, the limit of the cgroup"
    hold(world, 0.93)
    world.until(lambda _: check(world)["status"] == "critical")  # an answer is kept for a moment
    metrics = world.client._call("GET", "/metrics").decode()
    figures = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    assert float(figures["kangbot_memory_limit_bytes"]) == LIMIT_MB * MIB
    assert float(figures["kangbot_memory_reliefs_total"]) == 2
    assert float(figures["kangbot_memory_bytes"]) > 0.9 * LIMIT_MB * MIB

    live = world.client.report().live
    assert live == len(MARKETS)  # it traded on all the while, and nobody was ended
    assert group.ends() == 0
    world.stop()
