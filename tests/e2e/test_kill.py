"""The daemon is killed for real, and started again on the same state."""

import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from kangbot.model.orders import OrderStatus
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.faults import Mischief
from tests.support.processes import CONFIG, MARKETS, PATIENT, World
from tests.support.reports import write_report

pytestmark = pytest.mark.process


def killed(world: World, times: int, *, seed: int, once: Callable[[], bool] = lambda: True) -> dict[str, object]:
    """Kill the daemon at random moments under load, with faults; let it end in order, and return what was found.

    The last life goes on until `once` holds.
    """
    draw = random.Random(seed)
    mischief = Mischief(draw, world.sandbox)
    begun = time.monotonic()
    for _ in range(times):
        world.start()
        if draw.random() < 0.7:
            world.orders(more_than=0)
        if draw.random() < 0.5:
            mischief.strike()
        time.sleep(draw.uniform(0.0, 1.5))
        world.daemon.kill()
    world.start()
    world.live()
    world.orders(more_than=1)
    world.until(lambda _: once())
    truth = world.stop()
    journal = Journalled(world.state)
    return {
        "kills": times,
        "orders": len(journal.statuses),
        "orders_by_status": dict(Counter(status.value for status in journal.statuses.values())),
        "executions": len(journal.executions),
        "records": len(journal.records),
        "duplicates_refused": truth["duplicates"]["refused"],
        "faults": dict(mischief.struck),
        "violations": disagreements(journal, sqlite_query(world.state), world.sandbox),
        "seconds": round(time.monotonic() - begun, 1),
    }


def test_killed_five_times_nothing_is_lost_or_doubled(world: World) -> None:
    """At random moments under load and faults: exchange, journal and history agree to the row."""
    found = killed(world, 5, seed=11)
    assert found["violations"] == []
    assert found["orders"] > 5  # type: ignore[operator]


def test_killed_between_orders_that_wait_nothing_is_lost_or_doubled(world: World) -> None:
    """Limit orders of every market: some rest, some are filled in part, some are being cancelled and placed anew."""
    world.config.write_text(CONFIG.replace("[defaults]\n", f"[defaults]\n{PATIENT}"))
    found = killed(world, 5, seed=13, once=lambda: OrderStatus.CANCELED in Journalled(world.state).statuses.values())
    assert found["violations"] == []


@pytest.mark.sweep
def test_killed_a_hundred_times_nothing_is_lost_or_doubled(world: World) -> None:
    """The same, for minutes."""
    found = killed(world, 100, seed=12)
    write_report("kills", found)
    assert found["violations"] == []


def test_a_restart_resumes_what_the_operator_wanted(world: World) -> None:
    """A market that was stopped stays stopped over `kill -9`, a paused one comes back paused, the rest run."""
    world.start()
    world.live()
    world.client.tell("/markets/bybit:SOL-USDT:USDT/stop")
    world.client.tell("/markets/bybit:XRP-USDT:USDT/pause")
    wanted = {"SOL/USDT:USDT": "stopped", "XRP/USDT:USDT": "paused"}
    world.until(
        lambda r: len(r.markets) == len(MARKETS) and all(m.state == wanted.get(m.symbol, "live") for m in r.markets)
    )
    world.daemon.kill()
    world.start()
    report = world.until(
        lambda r: len(r.markets) == len(MARKETS) and all(m.state == wanted.get(m.symbol, "live") for m in r.markets)
    )
    assert report.live == len(MARKETS) - 2
    world.stop()
    assert disagreements(Journalled(world.state), sqlite_query(world.state), world.sandbox) == []


def test_a_second_daemon_on_the_same_state_is_refused(world: World) -> None:
    """Two daemons never share a journal: the second one says who holds it, and ends with 78."""
    world.start()
    first = world.daemon
    second = type(first)(
        config=world.config, state=world.state, environment=world.environment, log=world.folder / "second.log"
    )
    deadline = time.monotonic() + 120
    while second.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert second.ended == 78
    assert str(first.pid) in (world.folder / "second.log").read_text()
    assert world.until(lambda report: bool(report.pid)).pid == first.pid
