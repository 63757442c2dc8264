"""What one connection does with each statement, and what is left of it where the statement comes to no good end."""

import asyncio

import pytest
import uvloop

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.link import Collided, Link
from tests.support.scripted_server import Answer, Fault, ScriptedServer


async def link_to(server: ScriptedServer, *, statement_s: float = 60.0) -> Link:
    """A connection to it."""
    return await Link.open(server.url, connect_s=60.0, statement_s=statement_s)


async def until_gone(server: ScriptedServer) -> None:
    """Wait until the server sees no connection."""
    async with asyncio.timeout(60):
        while server.open:
            await asyncio.sleep(0.001)


async def test_a_session_means_the_same_whatever_the_server_is_set_to() -> None:
    """Strict, in UTC, and less patient with locks than we are with the server: before the first statement."""
    async with ScriptedServer() as server:
        link = await link_to(server)
        modes, isolation = server.set_up
        assert "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE', time_zone = '+00:00'" in modes
        assert "innodb_lock_wait_timeout = 5, lock_wait_timeout = 5" in modes
        assert isolation.endswith("ISOLATION LEVEL READ COMMITTED")
        assert not link.broken
        await link.aclose()


@pytest.mark.parametrize(("answer", "error"), [(1193, Retryable), (1227, NeedsHuman), (Fault.CUT, Retryable)])
async def test_a_session_that_cannot_be_set_up_leaves_no_connection(answer: Answer, error: type[Exception]) -> None:
    """A server that takes none of it would be written to in another meaning."""
    async with ScriptedServer(lambda _: answer) as server:
        with pytest.raises(error):
            await link_to(server)
        await until_gone(server)
        assert len(server.set_up) == 1


async def test_a_session_whose_setting_up_is_not_answered_ends_by_the_deadline_of_the_connect() -> None:
    """And is cut, not left to the server."""
    async with ScriptedServer(lambda _: Fault.SILENT) as server:
        with pytest.raises(Retryable, match=r"/history did not answer within 0\.1 s$"):
            await Link.open(server.url, connect_s=0.1, statement_s=60.0)
        await until_gone(server)


async def test_rows_come_whole_or_in_portions() -> None:
    """A statement without rows has none; values stand for themselves."""
    rows = [[str(number), None] for number in range(5)]
    async with ScriptedServer(lambda said: rows if said.startswith("SELECT") else None) as server:
        link = await link_to(server)
        assert await link.query("SELECT %s", ("it's 100%",)) == [tuple(row) for row in rows]
        assert server.said[-1] == r"SELECT 'it\'s 100%'"
        assert await link.query("DELETE 100%") == []
        assert await link.change("DELETE %s", (1,)) == 0
        portions = [portion async for portion in link.stream("SELECT", size=2)]
        assert [len(portion) for portion in portions] == [2, 2, 1]
        assert [row for portion in portions for row in portion] == [tuple(row) for row in rows]
        assert await link.query("SELECT") == portions[0] + portions[1] + portions[2]
        await link.aclose()


async def ask(link: Link, way: str) -> None:
    """Run one statement, in one of the three ways."""
    match way:
        case "query":
            await link.query("ASK")
        case "change":
            await link.change("ASK", ())
        case _:
            async for _ in link.stream("ASK", size=1):
                pass


WAYS = pytest.mark.parametrize("way", ["query", "change", "stream"])


@WAYS
async def test_a_statement_that_is_not_answered_ends_by_its_deadline_and_with_its_connection(way: str) -> None:
    """A half-open link would be waited on for ever; the remedy says where to look."""
    async with ScriptedServer(lambda said: Fault.SILENT if said == "ASK" else None) as server:
        link = await link_to(server, statement_s=0.05)
        with pytest.raises(Retryable, match=r"did not answer within 0\.05 s: where that lasts, see the server's disk"):
            await ask(link, way)
        assert link.broken
        await until_gone(server)


async def test_rows_that_stop_in_the_middle_end_by_the_deadline_too() -> None:
    """Of each portion: a dump takes minutes, and a piece of it seconds."""
    async with ScriptedServer(lambda said: Fault.UNENDED if said == "ASK" else None) as server:
        link = await link_to(server, statement_s=1.0)
        rows = link.stream("ASK", size=1)
        assert await anext(rows) == [("1",)]
        with pytest.raises(Retryable, match=r"did not answer within 1 s"):
            await anext(rows)
        assert link.broken


async def test_a_peer_that_takes_nothing_any_more_is_let_go_at_once() -> None:
    """What it has not taken would be kept for it until it does."""
    async with ScriptedServer(lambda said: Fault.DEAF if said == "ASK" else None) as server:
        link = await link_to(server, statement_s=0.1)
        for statement in ("ASK", "x" * 15_000_000):
            with pytest.raises(Retryable):
                await link.query(statement)
        link = await link_to(server, statement_s=0.3)
        server.respond = lambda _: Fault.DEAF
        asking = asyncio.ensure_future(link.query("x" * 15_000_000))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert link._transport.get_write_buffer_size() == 0


def test_a_connection_that_was_ended_while_it_lay_idle_is_told_as_that_on_the_daemons_own_loop() -> None:
    """There it is a RuntimeError, at the write, in words about transports."""

    async def story() -> None:
        async with ScriptedServer() as server:
            link = await link_to(server)
            server.cut()
            async with asyncio.timeout(60):
                while not link._transport.is_closing():
                    await asyncio.sleep(0.001)
            with pytest.raises(Retryable, match=r"/history: the connection was closed by the other side$"):
                await link.query("ASK")

    uvloop.run(story())


@WAYS
async def test_a_connection_that_breaks_is_told_as_that(way: str) -> None:
    """Retryable: with it the transaction has gone."""
    async with ScriptedServer(lambda said: Fault.CUT if said == "ASK" else None) as server:
        link = await link_to(server)
        with pytest.raises(Retryable) as caught:
            await ask(link, way)
        assert not isinstance(caught.value, Collided)
        assert link.broken
        with pytest.raises(Retryable) as again:
            await link.query("AGAIN")
        assert again.value.code is None, "the driver has no number for it"
        assert "AGAIN" not in server.said


@WAYS
@pytest.mark.parametrize("code", [1205, 1213, 1020])
async def test_a_collision_leaves_the_connection_for_the_next_try(way: str, code: int) -> None:
    """The server has rolled back, and told it in order."""
    async with ScriptedServer(lambda said: code if said == "ASK" else None) as server:
        link = await link_to(server)
        with pytest.raises(Collided) as caught:
            await ask(link, way)
        assert caught.value.code == str(code)
        assert not link.broken
        await link.query("GO ON")
        assert server.connections == 1
        await link.aclose()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (1045, "names the right database and user"),
        (1049, "names the right database and user"),
        (1146, "kangbot db upgrade makes it anew"),
        (1142, "GRANT ALL ON"),
        (1820, "ALTER USER"),
        (4151, "unlock the account"),
        (1054, "rename the table"),
        (1406, "rename the table"),
        (4025, "rename the table"),
        (1114, "make room on the disk"),
        (1290, "take them"),
        (1792, "take them"),
        (1153, "raise max_allowed_packet"),
        (1665, "set binlog_format to MIXED or ROW"),
    ],
)
async def test_what_only_a_person_can_change_ends_the_session_as_well(code: int, remedy: str) -> None:
    """It keeps the rights that it began with, and those may be what the person changes."""
    async with ScriptedServer(lambda said: code if said == "ASK" else None) as server:
        link = await link_to(server)
        with pytest.raises(NeedsHuman, match="/history: refused as asked") as caught:
            await link.query("ASK")
        assert caught.value.code == str(code)
        assert remedy in caught.value.remedy
        assert "s3cret" not in str(caught.value)
        assert link.broken


async def test_a_code_that_no_table_names_may_be_tried_again_on_another_connection() -> None:
    """With its number, for whoever looks it up."""
    async with ScriptedServer(lambda said: 1064 if said == "ASK" else None) as server:
        link = await link_to(server)
        with pytest.raises(Retryable) as caught:
            await link.query("ASK")
        assert (caught.value.code, link.broken) == ("1064", True)


@WAYS
async def test_whoever_leaves_a_statement_takes_its_connection_along(way: str) -> None:
    """Its answer would be taken for that of the next one."""
    async with ScriptedServer(lambda said: Fault.SILENT if said == "ASK" else None) as server:
        link = await link_to(server)
        asking = asyncio.ensure_future(ask(link, way))
        async with asyncio.timeout(60):
            while "ASK" not in server.said:
                await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert link.broken
        await until_gone(server)


async def test_a_fault_of_ours_ends_the_connection_and_is_ours() -> None:
    """Nobody knows how far it has come."""
    async with ScriptedServer() as server:
        link = await link_to(server)
        with pytest.raises(TypeError):
            await link.query("SELECT %s", (1, 2))
        assert link.broken
        assert server.said == []


async def test_a_goodbye_that_nobody_hears_is_not_waited_for() -> None:
    """In order where the other side listens; twice is closing."""
    async with ScriptedServer() as server:
        link = await link_to(server)
        await link.aclose()
        await link.aclose()
        await until_gone(server)
        assert (server.goodbyes, link.broken) == (1, True)
    async with ScriptedServer(lambda said: Fault.CUT if said == "ASK" else None) as server:
        link = await link_to(server)
        with pytest.raises(Retryable):
            await link.query("ASK")
        await link.aclose()
        link = await link_to(server)
        server.cut()
        await until_gone(server)
        while not link._transport.is_closing():  # it is heard of here as well
            await asyncio.sleep(0.001)
        await link.aclose()
        assert server.goodbyes == 0
