"""The history on a MariaDB server that is killed, silent, slow, or left alone."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from kangbot.cli.doctor.database import database as look_at
from kangbot.cli.doctor.finding import Mark
from kangbot.cli.startup import startup
from kangbot.errors import Ambiguous, NeedsHuman, Retryable
from kangbot.health.report import PoolReport
from kangbot.journal.drain import Drain
from kangbot.journal.writer import JournalWriter
from kangbot.model.events import BarStored
from kangbot.runtime.tasks import close_task
from kangbot.runtime.world import real_world
from kangbot.settings import load
from kangbot.storage.glance import current
from kangbot.storage.link import Collided, Link
from kangbot.storage.migrate import check, upgrade_apart
from kangbot.storage.mysql import MysqlHistory
from kangbot.storage.opening import place_of
from kangbot.storage.pool import Pool
from kangbot.storage.tables import REVISION
from kangbot.storage.url import MysqlUrl, parse
from tests.support.databases import WORLD, Mariadb
from tests.support.mariadb import MariadbServer, is_mysql
from tests.support.proxy import SilentProxy
from tests.support.records import TAG, bar_stored, fill_applied, noted, records
from tests.support.reports import write_report

pytestmark = pytest.mark.mariadb

DRAW = WORLD.fork("test").random


async def nothing_to_prepare() -> None:
    """The schema is there."""


def url(mariadb: Mariadb, port: int) -> MysqlUrl:
    """The database behind another port."""
    behind = parse(mariadb.server.url(mariadb.name, port))
    assert isinstance(behind, MysqlUrl)
    return behind


async def until(condition: Callable[[], bool], timeout_s: float = 300) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


async def one(link: Link) -> object:
    """The smallest transaction."""
    return (await link.query("SELECT 1"))[0][0]


# ------------------------------------------------------------------------------------------------------------ killed
async def drained_through_kills(
    mariadb: Mariadb, folder: Path, *, count: int, kills: int, batch: int
) -> dict[str, object]:
    """Drain so many events while the server is killed so often, at moments of their own; return what was found."""
    draw = random.Random(17)
    events = [
        bar_stored(number) if number % 4 == 0 else fill_applied(f"x-{number}") if number % 4 == 1 else noted(number)
        for number in range(count)
    ]
    begun = time.monotonic()
    async with await JournalWriter.open(folder, WORLD) as journal:
        for event in events:
            journal.append(event)
        await journal.beyond(count - 1)
        pool = Pool(mariadb.url, DRAW, statement_s=30)
        history = MysqlHistory(pool, nothing_to_prepare)
        drain = Drain(
            journal, history, WORLD, mark=journal.mark_drained, batch=batch, linger_s=0, first_s=0.01, ceiling_s=0.05
        )
        task = asyncio.create_task(drain.run())
        for kill in range(1, kills + 1):
            await until(lambda kill=kill: journal.drained >= kill * count // (kills + 2))  # type: ignore[misc]
            await asyncio.sleep(draw.random() * 0.02)
            failures = drain.failures
            mariadb.server.kill()
            await until(lambda failures=failures: drain.failures > failures)  # type: ignore[misc]
            mariadb.server.start()
        await until(lambda: drain.backlog == 0)
        await close_task(task)
        await history.aclose()
        assert journal.drained == count
    rows = {row[0] for row in mariadb.sql("SELECT sequence FROM events")}
    expected = {number for number, event in enumerate(events, 1) if not isinstance(event, BarStored)}
    counted = mariadb.count("events") + mariadb.count("bars")
    return {
        "events": count,
        "kills": kills,
        "failures": drain.failures,
        "stored_mark": mariadb.sql("SELECT `stored` FROM journals")[0][0],
        "lost": len(expected - rows) + count // 4 - mariadb.count("bars"),
        "doubled": counted - count + mariadb.count("fills") - count // 4,
        "seconds": round(time.monotonic() - begun, 1),
    }


async def test_server_killed_during_a_drain_loses_and_doubles_nothing(mariadb: Mariadb, tmp_path: Path) -> None:
    """Thousands of events through five `kill -9` of the server: each is there exactly once."""
    found = await drained_through_kills(mariadb, tmp_path, count=4000, kills=5, batch=40)
    assert (found["lost"], found["doubled"], found["stored_mark"]) == (0, 0, 4000)
    assert found["failures"] >= 5  # type: ignore[operator]


@pytest.mark.sweep
async def test_server_killed_fifteen_times_loses_and_doubles_nothing(mariadb: Mariadb, tmp_path: Path) -> None:
    """Sixty thousand events."""
    found = await drained_through_kills(mariadb, tmp_path, count=60_000, kills=15, batch=500)
    write_report("database_kills", found)
    assert (found["lost"], found["doubled"], found["stored_mark"]) == (0, 0, 60_000)


async def test_server_that_comes_back_is_used_again(mariadb: Mariadb) -> None:
    """While it is away calls fail as Retryable at once; afterwards the next call succeeds."""
    history = mariadb.history()
    await history.store(records([noted(1)]))
    mariadb.server.stop()
    try:
        for _ in range(3):
            with pytest.raises(Retryable):
                await history.store(records([noted(2)], after=1))
    finally:
        mariadb.server.start()
    await history.store(records([noted(2)], after=1))
    assert mariadb.count("events") == 2


# -------------------------------------------------------------------------------------------------------------- idle
async def test_idle_history_sends_no_statement(mariadb: Mariadb) -> None:
    """By the server's own counters: connected and without work, not one question comes, not even a ping."""
    history = mariadb.history()
    await history.store(records([noted(1)]))
    with mariadb.server.counters() as counter:
        assert counter("Threads_connected") >= 2
        await until(
            lambda: counter("Questions") + 1 == counter("Questions")
        )  # ends of connections before it are counted
        questions, commands = counter("Questions"), counter("Com_admin_commands")
        await asyncio.sleep(1.5)
        assert counter("Questions") == questions + 2
        assert counter("Com_admin_commands") == commands
    assert await history.stored(TAG) == 1


async def test_quiet_pool_lets_its_connections_go_and_opens_them_again(mariadb: Mariadb) -> None:
    """After the idle time no worker and no connection is left; work brings them back."""
    pool = Pool(mariadb.url, DRAW, idle_s=0.05)
    before = mariadb.server.counter("Threads_connected")
    for _ in range(2):
        assert await pool.transact(one) == 1
        assert pool.use().open == 1
        await until(lambda: pool.use().open == 0)
        await until(lambda: mariadb.server.counter("Threads_connected") <= before)
    await pool.aclose()


# --------------------------------------------------------------------------------------------------------- the pool
async def test_pool_has_at_most_five_connections(mariadb: Mariadb) -> None:
    """Fifty transactions at once share five connections, and all are served."""
    pool = Pool(mariadb.url, DRAW)
    seen, all_there = set[object](), asyncio.Event()

    async def work(link: Link) -> None:
        seen.add((await link.query("SELECT connection_id(), sleep(0.01)"))[0][0])
        if len(seen) == 5:
            all_there.set()
        await all_there.wait()

    async with asyncio.timeout(120):
        await asyncio.gather(*(pool.transact(work) for _ in range(50)))
    assert pool.use().open == len(seen) == 5
    await pool.aclose()
    assert pool.use().open == 0


async def test_pool_says_how_it_is_used(mariadb: Mariadb) -> None:
    """What may be, what is open, what is in a transaction."""
    pool = Pool(mariadb.url, DRAW, size=3)
    assert pool.use() == PoolReport(size=3, open=0, busy=0)
    goes_on, at_work = asyncio.Event(), asyncio.Event()

    async def waits(link: Link) -> None:
        await link.query("SELECT 1")
        at_work.set()
        await goes_on.wait()

    waiting = asyncio.ensure_future(pool.transact(waits))
    await at_work.wait()
    assert pool.use() == PoolReport(size=3, open=1, busy=1)
    goes_on.set()
    await waiting
    assert pool.use() == PoolReport(size=3, open=1, busy=0)
    await pool.aclose()


async def test_cancelled_callers_do_not_stop_the_pool(mariadb: Mariadb) -> None:
    """Where aiomysql's own pool hangs: cancelled in a query, cancelled in the queue, then everybody else is served."""
    pool = Pool(mariadb.url, DRAW, size=2)
    begun, done = list[int](), list[int]()

    def work(number: int) -> Callable[[Link], Awaitable[None]]:
        async def transaction(link: Link) -> None:
            begun.append(number)
            await link.query("SELECT sleep(0.02)")
            done.append(number)

        return transaction

    for turn in range(1, 6):
        tasks = [asyncio.create_task(pool.transact(work(number))) for number in range(6)]
        await until(lambda turn=turn: len(begun) >= 2 * turn)  # type: ignore[misc]
        for task in tasks:
            task.cancel()
    async with asyncio.timeout(120):
        assert await asyncio.gather(*(pool.transact(one) for _ in range(10))) == [1] * 10
    assert {0, 1} <= set(done)  # what had begun went on to its end
    assert len(done) < 30  # what had not begun was dropped with its caller
    await pool.aclose()


async def test_connection_closed_by_the_server_is_replaced_unseen(mariadb: Mariadb) -> None:
    """The server may close an idle connection; the next transaction finds out and nobody else does."""
    pool = Pool(mariadb.url, DRAW)

    async def whoami(link: Link) -> int:
        return int((await link.query("SELECT connection_id()"))[0][0])

    first = await pool.transact(whoami)
    mariadb.server.sql(f"KILL CONNECTION {first}")
    second = await pool.transact(whoami)
    assert second != first
    await pool.aclose()


async def test_a_server_that_takes_connections_and_answers_nothing_is_told_with_where_to_look(mariadb: Mariadb) -> None:
    """As one does that waits for room on its disk: it says so in its own log alone."""
    pool = Pool(mariadb.url, DRAW, statement_s=0.3)

    async def hang(link: Link) -> None:
        await link.query("SELECT sleep(3)")

    with pytest.raises(Retryable, match=r"did not answer within 0\.3 s: where that lasts, see the server's disk"):
        await pool.transact(hang)
    await pool.aclose()


async def test_half_open_link_ends_by_its_deadline(mariadb: Mariadb) -> None:
    """The link goes silent: statement and connect each end by their deadline, and then it is served again."""
    async with SilentProxy(mariadb.server.port) as proxy:
        pool = Pool(url(mariadb, proxy.port), DRAW, connect_s=60, statement_s=60)
        history, links = MysqlHistory(pool, nothing_to_prepare), list[Link]()

        async def known(link: Link) -> None:
            links.append(link)

        await history.store(records([noted(1)]))
        await pool.transact(known)
        proxy.silent = True
        pool._connect_s = pool._statement_s = links[0]._statement_s = 0.3  # no sooner: a busy machine is slow as well
        with pytest.raises(Retryable, match="did not answer within"):
            await history.store(records([noted(2)], after=1))
        with pytest.raises(Retryable, match="did not answer within"):
            await history.stored(TAG)
        proxy.silent = False
        pool._connect_s = pool._statement_s = 60
        await history.store(records([noted(2)], after=1))
        assert proxy.connections >= 3
        await history.aclose()
    assert mariadb.count("events") == 2


async def test_lost_answer_to_a_commit_is_ambiguous(mariadb: Mariadb) -> None:
    """The pool cannot know whether it happened, and says so; for the history, sending again is harmless."""
    async with SilentProxy(mariadb.server.port) as proxy:
        pool = Pool(url(mariadb, proxy.port), DRAW, connect_s=60, statement_s=60)

        async def work(link: Link) -> None:
            await link.query("INSERT INTO journals (tag, `stored`) VALUES ('lost0000', 1)")
            link._statement_s = 0.3
            proxy.silent = True

        with pytest.raises(Ambiguous, match="answer to the commit was lost"):
            await pool.transact(work)
        await pool.aclose()


async def test_deadlocked_transactions_are_run_again(mariadb: Mariadb) -> None:
    """Two that lock in opposite orders: one is rolled back by the server, run again whole, and both succeed."""
    mariadb.sql("INSERT INTO journals (tag, `stored`) VALUES ('a', 0), ('b', 0)")
    pool = Pool(mariadb.url, DRAW)
    runs: list[str] = []
    meet = asyncio.Barrier(2)

    def lock(first: str, second: str) -> Callable[[Link], Awaitable[None]]:
        async def work(link: Link) -> None:
            runs.append(first)
            await link.query("UPDATE journals SET `stored` = `stored` + 1 WHERE tag = %s", (first,))
            if len(runs) <= 2:
                await meet.wait()
            await link.query("UPDATE journals SET `stored` = `stored` + 1 WHERE tag = %s", (second,))

        return work

    async with asyncio.timeout(120):
        await asyncio.gather(pool.transact(lock("a", "b")), pool.transact(lock("b", "a")))
    assert len(runs) == 3
    assert mariadb.sql("SELECT `stored` FROM journals ORDER BY tag") == [(2,), (2,)]
    await pool.aclose()


async def test_endless_collisions_are_told(mariadb: Mariadb) -> None:
    """After some tries the caller hears of it; the connection stays good."""
    pool = Pool(mariadb.url, DRAW, size=1)

    async def work(link: Link) -> None:
        await link.query("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")

    with pytest.raises(Collided):
        await pool.transact(work)
    assert await pool.transact(one) == 1
    await pool.aclose()


async def test_mistake_in_a_transaction_rolls_back_and_is_told(mariadb: Mariadb) -> None:
    """The caller's own exception comes back to the caller; nothing of the transaction stays."""
    pool = Pool(mariadb.url, DRAW, size=1)

    async def work(link: Link) -> None:
        await link.query("INSERT INTO journals (tag, `stored`) VALUES ('gone', 1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await pool.transact(work)
    assert await pool.transact(one) == 1
    assert mariadb.count("journals") == 0
    await pool.aclose()


async def test_session_is_strict_and_in_utc(mariadb: Mariadb) -> None:
    """What the columns mean does not depend on the server's own settings."""
    pool = Pool(mariadb.url, DRAW)

    async def settings(link: Link) -> tuple[object, ...]:
        level = "@@transaction_isolation" if is_mysql() else "@@tx_isolation"
        rows = await link.query(f"SELECT @@sql_mode, @@time_zone, {level}, @@character_set_client")
        return rows[0]

    mode, zone, isolation, characters = await pool.transact(settings)
    assert "STRICT_ALL_TABLES" in str(mode)
    assert (zone, isolation, characters) == ("+00:00", "READ-COMMITTED", "utf8mb4")
    await pool.aclose()


async def test_closing_over_a_running_transaction_is_bounded(mariadb: Mariadb) -> None:
    """It gets the time it is given; then it is dropped, its caller is told, and the queue behind it too."""
    pool = Pool(mariadb.url, DRAW, size=1)

    begun = asyncio.Event()

    async def slow(link: Link) -> None:
        begun.set()
        await link.query("SELECT sleep(600)")

    running = asyncio.create_task(pool.transact(slow))
    queued = asyncio.create_task(pool.transact(one))
    await begun.wait()
    started = time.monotonic()
    await pool.aclose(timeout_s=0.1)
    assert time.monotonic() - started < 300
    with pytest.raises(Ambiguous, match="closed over a transaction"):
        await running
    with pytest.raises(Retryable, match="closed"):
        await queued


# ------------------------------------------------------------------------------------------------------------- people
async def test_wrong_password_calls_a_human_and_stays_secret(server: MariadbServer, mariadb: Mariadb) -> None:
    """The message names the database and the server's reason, never the password."""
    wrong = parse(f"mysql://trader:s3cret-and-wrong@127.0.0.1:{server.port}/{mariadb.name}")
    assert isinstance(wrong, MysqlUrl)
    pool = Pool(wrong, DRAW)
    with pytest.raises(NeedsHuman, match="Access denied") as caught:
        await pool.transact(one)
    assert "s3cret" not in f"{caught.value!r} {caught.value.remedy} {wrong!r} {wrong}"
    await pool.aclose()


@pytest.mark.parametrize("password", ["@:/?#[]%+ &é", "пароль", "日本🙂", "%41+%zz'\"\\"])
def test_whatever_a_password_is_made_of_both_drivers_log_in(
    server: MariadbServer, mariadb: Mariadb, password: str
) -> None:
    """Both send Latin-1 by themselves, and a server compares with UTF-8."""
    server.sql("CREATE USER 'worded'@'127.0.0.1' IDENTIFIED BY %s", password)
    server.sql(f"GRANT ALL ON {mariadb.name}.* TO 'worded'@'127.0.0.1'")
    try:
        url = parse(f"mysql://worded:{quote(password, safe='')}@127.0.0.1:{server.port}/{mariadb.name}")
        assert isinstance(url, MysqlUrl)
        assert asyncio.run(current(url))
        assert check(url).current == REVISION
    finally:
        server.sql("DROP USER 'worded'@'127.0.0.1'")


async def test_the_look_before_a_start_tells_of_another_daemon(mariadb: Mariadb, tmp_path: Path) -> None:
    """By its place; that our own daemon writes there is well."""
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    settings = load(config, {"KANGBOT_DATABASE__URL": mariadb.url.full})
    assert (await look_at(settings)).mark is Mark.OK
    await mariadb.history("vps-2:/var/lib/kangbot").store(records([noted(1)]))
    told = await look_at(settings)
    assert told.mark is Mark.WARNING
    assert f"{mariadb.url} is written by another kangbot: vps-2:/var/lib/kangbot, journal {TAG}, " in told.says
    said: list[str] = []
    assert await asyncio.to_thread(startup, settings, now_ns=real_world().clock.now_ns(), say=said.append) == ()
    assert [line.partition(",")[0] for line in said] == [
        f"{mariadb.url} is written by another kangbot: vps-2:/var/lib/kangbot"
    ]
    mariadb.sql("UPDATE journals SET written_at = '2026-01-01'")
    await mariadb.history(place_of(settings.state_dir)).store(records([noted(1)], journal="other123"))
    assert (await look_at(settings)).mark is Mark.OK


async def test_rights_that_are_given_back_are_used_without_a_restart(mariadb: Mariadb) -> None:
    """A session keeps the rights on its database that it began with, so the one that was refused is not used again."""
    sql, name = mariadb.server.sql, mariadb.name
    sql("CREATE USER 'narrow'@'127.0.0.1' IDENTIFIED BY 'x'")
    sql(f"GRANT SELECT ON {name}.* TO 'narrow'@'127.0.0.1'")
    url = parse(f"mysql://narrow:x@127.0.0.1:{mariadb.server.port}/{name}")
    assert isinstance(url, MysqlUrl)
    history = MysqlHistory(Pool(url, WORLD.fork("pool").random), partial(upgrade_apart, url), "here")
    try:
        with pytest.raises(NeedsHuman, match="command denied"):
            await history.store(records([noted(1)]))
        sql(f"GRANT ALL ON {name}.* TO 'narrow'@'127.0.0.1'")
        await history.store(records([noted(1)]))
        assert mariadb.count("events") == 1
    finally:
        await history.aclose()
        sql("DROP USER 'narrow'@'127.0.0.1'")
