"""The daemon and a real MariaDB, which is there, away, and back."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kangbot.errors import Retryable
from tests.support import mariadb
from tests.support.processes import MARKETS, World, net

pytestmark = [pytest.mark.process, pytest.mark.mariadb]


def rows(server: mariadb.MariadbServer, database: str, table: str) -> int:
    """Return how many rows the table has."""
    return int(server.sql(f"SELECT COUNT(*) FROM {table}", database=database)[0][0])


def test_trading_goes_on_while_the_database_is_away(world: World, database_server: mariadb.MariadbServer) -> None:
    """Rows for all of it; while the server is dead, orders go on; when it is back, they arrive, none twice."""
    database = database_server.database()
    world.environment["KANGBOT_DATABASE__URL"] = database_server.url(database)
    world.start()
    world.live()
    world.orders(more_than=3)
    world.until(lambda report: report.history_backlog == 0)
    database_server.kill()
    before = world.client.report().orders.filled
    away = world.orders(more_than=before + 3)
    assert away.live == len(MARKETS)
    away = world.until(lambda report: report.history_away != "" and report.history_backlog > 0)
    assert "history" in away.errors_of_late
    assert "history.away" in {one.kind for one in away.events}, "people are told by the event"
    database_server.start()
    world.until(lambda report: report.history_backlog == 0 and report.history_away == "")
    truth = world.stop()
    for table in ("orders", "fills", "round_trips", "positions", "run_states", "bars", "events"):
        assert rows(database_server, database, table) > 0, table
    assert rows(database_server, database, "orders") == truth["orders"]["with_prefix"]
    fills: list[Any] = database_server.sql(
        "SELECT COUNT(*), COUNT(DISTINCT execution_id) FROM fills", database=database
    )
    assert fills[0][0] == fills[0][1] == truth["fills"]
    stored = {
        market.split(":")[1].split("-")[0]: Decimal(held)
        for market, held in database_server.sql("SELECT market, net FROM positions", database=database)
        if held
    }
    assert stored == net(truth["positions"])


def test_whoever_looks_back_does_not_wait_for_tables_that_are_being_made(
    world: World, database_server: mariadb.MariadbServer
) -> None:
    """An upgrade may take an hour; meanwhile the answer is in words. Somebody else's upgrade holds ours up here."""
    database = database_server.database()
    world.environment["KANGBOT_DATABASE__URL"] = database_server.url(database)
    with database_server._connected(database) as holder:
        holder.execute("SELECT GET_LOCK(CONCAT('kangbot.', SHA1(DATABASE())), 0)")
        world.start()
        while "User lock" not in str(database_server.sql("SHOW PROCESSLIST")):
            assert world.daemon.ended is None, world.daemon.last_lines()
            time.sleep(0.05)
        with pytest.raises(Retryable, match="its tables are not made yet, or are of an earlier version"):
            world.client.ask("/round-trips")
    world.until(lambda report: report.history_backlog == 0 and report.history_away == "", timeout_s=150)
    assert "items" in world.client.ask("/round-trips")
    world.stop()


@pytest.fixture
def old(tmp_path: Path) -> Iterator[World]:
    """An exchange with a past of quarters of an hour."""
    made = World(tmp_path, seed=7, options=("--history-minutes", "1000"))
    yield made
    made.close()


def test_an_idle_daemon_sends_the_database_nothing(old: World, database_server: mariadb.MariadbServer) -> None:
    """Running markets with no events to store: the server's own counter of questions stands still."""
    database = database_server.database()
    old.environment["KANGBOT_DATABASE__URL"] = database_server.url(database)
    # Quarters of an hour, and a strategy that waits for extremes: markets run, data flows, nothing happens.
    patient = (
        old.config.read_text().replace('timeframe = "1s"', 'timeframe = "15m"').replace("ema_cross", "rsi_reversion")
    )
    old.config.write_text(patient.replace("fast = 2\nslow = 5", "period = 5\nlow = 1\nhigh = 99"))
    old.start()
    old.live()
    given_up = time.monotonic() + 240
    with database_server.counters() as counter:
        while True:
            before = old.until(lambda report: report.history_backlog == 0)
            first = counter("Questions")
            time.sleep(5)
            asked = counter("Questions") - first
            after = old.client.report()
            if after.journal_sequence == before.journal_sequence:
                break  # else it was not idle: a bar closed, or what a start has to say was not all said
            assert time.monotonic() < given_up, "something is written all the while"
    assert asked == 1  # looking at the counter counts
    assert after.frames > before.frames + 20
