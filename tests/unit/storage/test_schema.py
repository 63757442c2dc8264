"""Which schema is ours."""

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.migrate import migrations
from kangbot.storage.schema import ensure, judge
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


def test_newest_migration_is_the_revision_that_the_code_writes() -> None:
    """Neither may be changed without the other."""
    files = sorted(path.name for path in (migrations() / "versions").glob("*.py"))
    assert files[-1].startswith(f"{REVISION}_")
