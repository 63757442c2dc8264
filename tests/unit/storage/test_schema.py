"""Which schema is ours."""

import asyncio

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.migrate import migrations
from kangbot.storage.schema import Readiness, ensure, judge
from kangbot.storage.tables import REVISION

WHERE = "mysql://trader@db.example:3306/kangbot"


def test_only_the_newest_revision_is_ready() -> None:
    """Nothing and older ones must be migrated first."""
    assert judge(REVISION, WHERE)
    assert not judge(None, WHERE)
    assert not judge("0000", WHERE)


def test_newer_revision_is_refused() -> None:
    """A later kangbot made it; its rows may mean something else. Whoever keeps several is told which one it is."""
    with pytest.raises(NeedsHuman, match=r"^mysql://trader@db.example:3306/kangbot has a schema of revision 9999"):
        judge("9999", WHERE)


async def test_ensure_prepares_only_what_is_not_ours() -> None:
    """The newest is left alone; an old one is prepared once; one that stays old calls a human."""
    found: list[str | None] = []
    prepared: list[int] = []

    async def version() -> str | None:
        return found.pop(0)

    async def prepare() -> None:
        prepared.append(1)

    found[:] = [REVISION]
    await ensure(version, prepare, WHERE)
    assert prepared == []
    found[:] = [None, REVISION]
    await ensure(version, prepare, WHERE)
    assert prepared == [1]
    found[:] = [None, None]
    with pytest.raises(NeedsHuman, match=r"^mysql://trader@.*still old"):
        await ensure(version, prepare, WHERE)


async def test_who_only_looks_does_not_wait_for_tables_and_makes_none() -> None:
    """Neither while somebody else makes them, which may take an hour, nor before."""
    there: list[str | None] = [None]
    begun, go_on = asyncio.Event(), asyncio.Event()

    asked: list[str | None] = []

    async def version() -> str | None:
        asked.append(there[0])
        return there[0]

    async def prepare() -> None:
        begun.set()
        await go_on.wait()
        there[0] = REVISION

    ready = Readiness(version, prepare, WHERE)
    with pytest.raises(Retryable, match=r"^mysql://trader@.* its tables are not made yet"):
        await ready.look()
    assert not begun.is_set()
    making = asyncio.ensure_future(ready.ensure())
    await begun.wait()
    asked.clear()
    with pytest.raises(Retryable, match="ask again"):
        await ready.look()
    assert asked == []  # an answer would wait for who changes the tables
    go_on.set()
    await making
    assert asked == [REVISION]
    for use in (ready.look, ready.ensure, ready.ensure):
        await use()
    assert asked == [REVISION]  # a transaction has no statement of it
    there[0] = "9999"
    await ready.look()  # nobody doubts
    ready.doubt()
    with pytest.raises(NeedsHuman, match="revision 9999"):
        await ready.look()


async def test_tables_that_could_not_be_made_are_made_at_the_next_use() -> None:
    """Who looks learns of them then."""
    there: list[str | None] = [None]
    failures = [Retryable("away")]

    async def version() -> str | None:
        return there[0]

    async def prepare() -> None:
        for failure in failures:
            raise failure
        there[0] = REVISION

    ready = Readiness(version, prepare, WHERE)
    with pytest.raises(Retryable, match="away"):
        await ready.ensure()
    failures.clear()
    await ready.ensure()
    await ready.look()


def test_newest_migration_is_the_revision_that_the_code_writes() -> None:
    """Neither may be changed without the other."""
    files = sorted(path.name for path in (migrations() / "versions").glob("*.py"))
    assert files[-1].startswith(f"{REVISION}_")
