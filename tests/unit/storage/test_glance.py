"""A glance at a server: what is asked, what is said of it, and that the connection is given back.

Against a server whose answers are the test's; what a real one has is in tests/conformance/history.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.glance import current, missing, revision, tried, writing
from kangbot.storage.tables import NAMES, REVISION
from kangbot.storage.url import MysqlUrl
from kangbot.storage.writers import Mark
from tests.support.scripted_server import Answer, Fault, ScriptedServer

Glance = Callable[[MysqlUrl], Awaitable[object]]


def having(version: str | None, *, tables: tuple[str, ...] = NAMES) -> ScriptedServer:
    """A server with a schema of this revision; None: without one."""

    def respond(said: str) -> Answer:
        if "information_schema" in said:
            return [["1"]] if version is not None else []
        if "alembic_version" in said:
            return [[version]] if version else []
        if "FROM journals" in said:
            return [["abcdefgh", "41", "here", "2.5"], ["other123", "7", None, None]]
        return [[table] for table in tables] if said == "SHOW TABLES" else None

    return ScriptedServer(respond)


@pytest.mark.parametrize(("version", "ours"), [(REVISION, True), ("0001", False), (None, False), ("", False)], ids=repr)
async def test_only_the_newest_schema_is_ours(version: str | None, *, ours: bool) -> None:
    """An older one, none, and one that was killed before it noted its first revision are to be migrated."""
    async with having(version) as server:
        assert await current(server.url) is ours
        assert await revision(server.url) == (version or None)


async def test_a_later_schema_is_refused_and_told_all_the_same() -> None:
    """With the database's name."""
    async with having("9999") as server:
        assert await revision(server.url) == "9999"
        with pytest.raises(NeedsHuman, match=rf"^{server.url} has a schema of revision 9999"):
            await current(server.url)


async def test_tables_that_are_gone_are_named_in_our_order() -> None:
    """Those of somebody else are nobody's matter."""
    left = tuple(name for name in reversed(NAMES) if name not in {"fills", "journals"})
    async with having(REVISION, tables=("theirs", *left)) as server:
        assert await missing(server.url) == ("journals", "fills")
    async with having(REVISION) as server:
        assert await missing(server.url) == ()


async def test_who_writes_is_told_by_their_marks() -> None:
    """As the daemon reads them."""
    async with having(REVISION) as server:
        assert await writing(server.url) == [
            Mark(tag="abcdefgh", stored=41, place="here", age_s=2.5),
            Mark(tag="other123", stored=7, place="", age_s=None),
        ]


@pytest.mark.parametrize("word", ["INSERT", "UPDATE", "DELETE"])
async def test_whether_storing_is_refused_is_found_out_without_a_row(word: str) -> None:
    """By what needs the same rights and the same locks."""
    async with having(REVISION) as server:
        await tried(server.url)
        assert [said.partition(" ")[0] for said in server.said] == ["INSERT", "UPDATE", "DELETE"]
        assert all(said.endswith(" WHERE FALSE") for said in server.said)
        server.respond = lambda said: 1142 if said.startswith(word) else None
        with pytest.raises(NeedsHuman):
            await tried(server.url)


@pytest.mark.parametrize("glance", [missing, current, writing, tried, revision], ids=lambda one: one.__name__)
async def test_a_glance_is_one_connection_that_ends_with_it_also_where_it_failed(glance: Glance) -> None:
    """A command that looks every minute would use up the server's connections else."""
    async with having(REVISION) as server:
        await glance(server.url)
        assert server.connections == 1
        server.respond = lambda said: Fault.CUT if not said.startswith("SET") else None
        with pytest.raises(Retryable):
            await glance(server.url)
        async with asyncio.timeout(60):
            while server.open:
                await asyncio.sleep(0.001)
        assert server.goodbyes == 1
