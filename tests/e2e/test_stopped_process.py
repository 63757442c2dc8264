"""The daemon's process stands still for a while (SIGSTOP: a suspended virtual machine) and goes on."""

import os
import signal
import time

import pytest

from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.processes import MARKETS, World
from tests.support.reports import write_report

pytestmark = pytest.mark.process


def stopped(world: World, seconds: float) -> dict[str, object]:
    """Stop the process so long under load, let it go on, and return what was found."""
    world.start()
    world.live()
    world.orders(more_than=3)
    before = world.client.report()
    os.kill(world.daemon.pid, signal.SIGSTOP)
    at_venue = world.sandbox.truth()["orders"]["with_prefix"]
    time.sleep(seconds)
    meanwhile = world.sandbox.truth()["orders"]["with_prefix"] - at_venue
    os.kill(world.daemon.pid, signal.SIGCONT)
    begun = time.monotonic()
    fresh = world.until(
        lambda report: (
            report.live == len(MARKETS)
            and all(market.feed_age_s is not None and market.feed_age_s < 2 for market in report.markets)
            and report.orders.unknown == 0
        )
    )
    recovered_s = time.monotonic() - begun
    traded = world.orders(more_than=fresh.orders.filled + 3)
    blocked = [market.blocked for market in traded.markets if "count" in market.blocked]
    world.stop()
    journal = Journalled(world.state)
    return {
        "stopped_s": seconds,
        "recovered_s": round(recovered_s, 1),
        "orders_before": before.orders.sent,
        "orders_while_stopped": meanwhile,
        "orders": len(journal.statuses),
        "falls": sum(market.falls for market in traded.markets),
        "violations": [*disagreements(journal, sqlite_query(world.state), world.sandbox), *blocked],
    }


def test_a_process_that_stood_still_goes_on(world: World) -> None:
    """Four seconds: no market falls or is taken for drifted, trading goes on, all books agree."""
    found = stopped(world, 4)
    assert found["violations"] == []
    assert found["falls"] == 0
    assert found["orders_while_stopped"] <= len(MARKETS)  # type: ignore[operator]  # those that had left


@pytest.mark.sweep
def test_a_process_that_stood_still_for_half_a_minute_goes_on(world: World) -> None:
    """Longer than any receive window and any watchdog."""
    found = stopped(world, 30)
    write_report("sigstop", found)
    assert found["violations"] == []
    assert found["falls"] == 0
