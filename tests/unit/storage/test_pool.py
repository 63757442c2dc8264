"""The pool's transactions, statement by statement, and what becomes of them where one fails or nobody waits any more.

Against a server that fails where it is told to; a real one is in tests/conformance/history/test_mariadb.py.
"""

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from kangbot.errors import Ambiguous, NeedsHuman, Retryable
from kangbot.health.report import PoolReport
from kangbot.storage.link import Collided, Link
from kangbot.storage.pool import Pool
from tests.support.ports import own_port
from tests.support.scripted_server import Answer, Fault, ScriptedServer

DEADLOCK, GONE = 1213, 1927


def pool_of(server: ScriptedServer, **changes: float) -> Pool:
    """A pool of one connection that never waits long."""
    options = {"size": 1, "connect_s": 60.0, "statement_s": 60.0} | changes
    return Pool(server.url, lambda: 0.0, **options)  # type: ignore[arg-type]  # `size` is a number too


async def one(link: Link) -> str:
    """The smallest transaction."""
    await link.query("ONE")
    return "done"


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.001)


def at(statement: str, *answers: Answer) -> Callable[[str], Answer]:
    """Answer this statement so, one after the other, and all else well."""
    left = list(answers)
    return lambda said: left.pop(0) if said == statement and left else None


@pytest.mark.parametrize("found", [["127.0.0.1"], ["127.0.0.2", "127.0.0.1"]])
async def test_a_resolver_that_takes_too_long_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    """Its answer is there for the next connection; one address after the other is tried, for one may lead nowhere."""
    resolve, answered = socket.getaddrinfo, threading.Event()

    def late(_host: str, *arguments: Any, **named: Any) -> list[Any]:
        answered.wait(60)
        return [one for host in found for one in resolve(host, *arguments, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", late)
    monkeypatch.setattr("kangbot.runtime.names._SILENT_S", 0.05)
    async with ScriptedServer() as server:
        there = replace(server.url, host="history.test")
        pool = Pool(there, lambda: 0.0, size=1, connect_s=2.0, statement_s=60.0)
        try:
            with pytest.raises(Retryable, match=r"its name does not resolve: no answer within 2 s"):
                await pool.transact(one)
            answered.set()
            await pool._names.find(there.host, there.port)
            answered.clear()
            for _ in found[1:]:
                with pytest.raises(Retryable, match="it cannot be reached"):
                    await pool.transact(one)
            assert await pool.transact(one) == "done"
        finally:
            answered.set()
        await pool.aclose()


# ---------------------------------------------------------------------------------------------------------- one by one
async def test_a_transaction_is_begun_and_committed_around_the_work() -> None:
    """And its result is the caller's."""
    async with ScriptedServer() as server:
        pool = pool_of(server)
        assert await pool.transact(one) == "done"
        assert server.said == ["BEGIN", "ONE", "COMMIT"]
        await pool.aclose()


async def test_work_that_raises_is_rolled_back_and_its_connection_goes_on() -> None:
    """The error is the caller's own."""

    async def wrong(link: Link) -> None:
        await link.query("HALF")
        raise ZeroDivisionError

    async with ScriptedServer() as server:
        pool = pool_of(server)
        with pytest.raises(ZeroDivisionError):
            await pool.transact(wrong)
        await pool.transact(one)
        assert server.said == ["BEGIN", "HALF", "ROLLBACK", "BEGIN", "ONE", "COMMIT"]
        assert server.connections == 1
        await pool.aclose()


async def test_a_rollback_that_fails_hides_no_error_and_ends_the_connection() -> None:
    """The server rolls back by itself."""

    async def wrong(_: Link) -> None:
        raise ZeroDivisionError

    async with ScriptedServer(at("ROLLBACK", Fault.CUT)) as server:
        pool = pool_of(server)
        with pytest.raises(ZeroDivisionError):
            await pool.transact(wrong)
        assert await pool.transact(one) == "done"
        assert server.connections == 2
        await pool.aclose()


async def test_a_connection_that_is_lost_is_not_rolled_back_on() -> None:
    """Its caller may do it again, and has a new one then."""
    async with ScriptedServer(at("ONE", Fault.CUT)) as server:
        pool = pool_of(server)
        with pytest.raises(Retryable):
            await pool.transact(one)
        assert await pool.transact(one) == "done"
        assert server.said == ["BEGIN", "ONE", "BEGIN", "ONE", "COMMIT"]
        assert server.connections == 2
        await pool.aclose()


async def test_a_connection_that_ended_while_it_was_idle_is_replaced_unseen() -> None:
    """Nothing had been said on it."""
    async with ScriptedServer() as server:
        pool = pool_of(server)
        await pool.transact(one)
        server.respond = at("BEGIN", Fault.CUT)
        assert await pool.transact(one) == "done"
        assert (server.connections, server.said.count("ONE")) == (2, 2)
        await pool.aclose()


async def test_a_server_on_which_nothing_begins_is_told_and_not_dialled_for_ever() -> None:
    """The second one that ends at once is no connection that was idle."""
    async with ScriptedServer() as server:
        pool = pool_of(server)
        await pool.transact(one)
        server.respond = lambda said: Fault.CUT if said == "BEGIN" else None
        with pytest.raises(Retryable):
            await pool.transact(one)
        assert server.connections == 2
        await pool.aclose()


# ------------------------------------------------------------------------------------------------------------- commits
@pytest.mark.parametrize(("answer", "code"), [(Fault.CUT, None), (GONE, "1927")])
async def test_a_commit_without_an_answer_may_have_happened(answer: Answer, code: str | None) -> None:
    """Whoever asked must find out, and is told what the server said, if anything."""
    async with ScriptedServer(at("COMMIT", answer)) as server:
        pool = pool_of(server)
        with pytest.raises(Ambiguous, match="the answer to the commit was lost: ") as caught:
            await pool.transact(one)
        assert code is None or caught.value.code == code
        assert await pool.transact(one) == "done"
        await pool.aclose()


@pytest.mark.parametrize("where", ["ONE", "COMMIT"])
async def test_a_transaction_that_collides_is_run_again_whole(where: str) -> None:
    """On the same connection, also where it is told at the commit: the server has rolled it back."""
    async with ScriptedServer(at(where, DEADLOCK, DEADLOCK)) as server:
        pool = pool_of(server)
        assert await pool.transact(one) == "done"
        assert (server.said.count("BEGIN"), server.said.count("ONE"), server.connections) == (3, 3, 1)
        await pool.aclose()


async def test_collisions_without_end_are_told_after_eight_with_longer_and_longer_waits() -> None:
    """The connection stays good."""
    begun: list[float] = []

    def respond(said: str) -> Answer:
        if said == "BEGIN":
            begun.append(asyncio.get_running_loop().time())
        return DEADLOCK if said == "ONE" else None

    async with ScriptedServer(respond) as server:
        pool = pool_of(server)
        with pytest.raises(Collided):
            await pool.transact(one)
        waits = [after - before for before, after in pairwise(begun)]
        assert len(begun) == 8
        assert all(wait >= least for wait, least in zip(waits, (0.009, 0.019, 0.039, 0.079), strict=False))
        server.respond = lambda _: None
        assert await pool.transact(one) == "done"
        assert server.connections == 1
        await pool.aclose()


async def test_what_a_person_must_change_is_told_at_once() -> None:
    """No try again would help; a new connection may have the rights that this one was refused."""
    async with ScriptedServer(at("ONE", 1142)) as server:
        pool = pool_of(server)
        with pytest.raises(NeedsHuman):
            await pool.transact(one)
        assert server.said == ["BEGIN", "ONE"]
        await pool.transact(one)
        assert server.connections == 2
        await pool.aclose()


# ------------------------------------------------------------------------------------------------------------- workers
async def test_there_are_as_many_connections_as_work_needs_and_no_more() -> None:
    """One where each waits for the one before; `size` where more come at once."""
    async with ScriptedServer() as server:
        pool = pool_of(server, size=3)
        for _ in range(4):
            await pool.transact(one)
        assert (server.connections, pool.use()) == (1, PoolReport(size=3, open=1, busy=0))
        await asyncio.gather(*(pool.transact(one) for _ in range(20)))
        assert (server.connections, pool.use()) == (3, PoolReport(size=3, open=3, busy=0))
        await pool.aclose()
        assert pool.use() == PoolReport(size=3, open=0, busy=0)


async def test_a_quiet_connection_goes_in_order_and_comes_with_work() -> None:
    """With a goodbye, so that the server's log has no word of it."""
    async with ScriptedServer() as server:
        pool = pool_of(server, idle_s=0.02)
        await pool.transact(one)
        await until(lambda: pool.use().open == 0)
        await until(lambda: server.goodbyes == 1)
        assert server.said == ["BEGIN", "ONE", "COMMIT"], "nothing was asked meanwhile"
        assert await pool.transact(one) == "done"
        await pool.aclose()


async def test_where_nobody_answers_each_caller_is_told_and_none_is_lost() -> None:
    """Away once is not away for ever."""
    async with ScriptedServer() as server:
        pool = pool_of(server, size=2)
        there = pool.url
        pool.url = type(there)(user="u", password="p", host="127.0.0.1", port=own_port(), database="d")
        told = await asyncio.gather(*(pool.transact(one) for _ in range(5)), return_exceptions=True)
        assert [type(error) for error in told] == [Retryable] * 5
        pool.url = there
        assert await pool.transact(one) == "done"
        await pool.aclose()


async def test_a_caller_who_leaves_stops_nothing_that_has_begun_and_begins_nothing() -> None:
    """The first is in its transaction, the second has not come to its turn."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(link: Link) -> None:
        begun.set()
        await go_on.wait()
        await link.query("SLOW")

    async with ScriptedServer() as server:
        pool = pool_of(server)
        first, second = asyncio.ensure_future(pool.transact(slow)), asyncio.ensure_future(pool.transact(one))
        await begun.wait()
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        go_on.set()
        await pool.transact(one)
        assert server.said == ["BEGIN", "SLOW", "COMMIT", "BEGIN", "ONE", "COMMIT"]
        await pool.aclose()


# --------------------------------------------------------------------------------------------------------------- close
async def test_what_was_handed_over_is_finished_before_the_close() -> None:
    """Then nothing is taken any more; closing twice is closing."""
    async with ScriptedServer() as server:
        pool = pool_of(server)
        handed = [asyncio.ensure_future(pool.transact(one)) for _ in range(3)]
        await asyncio.sleep(0)
        await pool.aclose()
        assert [await task for task in handed] == ["done"] * 3
        with pytest.raises(Retryable, match=r"^the pool of mysql://trader@127.0.0.1:\d+/history is closed$"):
            await pool.transact(one)
        await pool.aclose()
        await until(lambda: (server.goodbyes, server.open) == (1, 0))


async def test_a_close_cuts_what_does_not_end_and_tells_everybody() -> None:
    """What was in a transaction may have happened; what waited behind it has not."""
    async with ScriptedServer(at("ONE", Fault.SILENT)) as server:
        pool = pool_of(server)
        running, behind = (asyncio.ensure_future(pool.transact(one)) for _ in range(2))
        await until(lambda: "ONE" in server.said)
        await pool.aclose(timeout_s=0.05)
        with pytest.raises(Ambiguous, match="was closed over a transaction"):
            await running
        with pytest.raises(Retryable, match="is closed"):
            await behind
        await until(lambda: server.open == 0)
        assert (server.goodbyes, pool.use().open) == (0, 0)


async def test_a_close_between_two_tries_leaves_no_connection() -> None:
    """Nothing is said on it at that moment."""
    async with ScriptedServer(lambda said: DEADLOCK if said == "ONE" else None) as server:
        tries, waits = itertools.count(1), asyncio.Event()

        def draw() -> float:
            if next(tries) == 5:
                waits.set()  # for 160 ms at least
            return 0.0

        pool = Pool(server.url, draw, size=1, connect_s=60.0, statement_s=60.0)
        running = asyncio.ensure_future(pool.transact(one))
        await waits.wait()
        await pool.aclose(timeout_s=0.0)
        with pytest.raises(Ambiguous, match="was closed over a transaction"):
            await running
        await until(lambda: server.open == 0)
