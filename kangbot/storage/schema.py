"""Whether a database's schema is the one that this kangbot writes, and seeing to it that it is."""

from collections.abc import Awaitable, Callable

from kangbot.errors import NeedsHuman
from kangbot.storage.tables import REVISION


async def ensure(version: Callable[[], Awaitable[str | None]], prepare: Callable[[], Awaitable[None]]) -> None:
    """Ask for the `version` in the database, and `prepare` the schema where it is not the newest.

    NeedsHuman where it is newer than ours, or still old after preparing it; besides, whatever the two raise.
    """
    if judge(await version()):
        return
    await prepare()
    if not judge(await version()):
        raise NeedsHuman("the database's schema is still old after migrating it", remedy="run kangbot db upgrade")


def judge(current: str | None) -> bool:
    """Return whether the revision is ours; False where it must be migrated first. NeedsHuman where it is newer.

    Revisions are numbered with leading zeros, so they compare as text.
    """
    if current is not None and current > REVISION:
        raise newer(current)
    return current == REVISION


def newer(current: str) -> NeedsHuman:
    """Return the refusal of a schema that a later kangbot has made."""
    return NeedsHuman(
        f"the database's schema has revision {current}; this kangbot knows revisions up to {REVISION}",
        remedy="start the later version of kangbot that made it, or name another database",
    )
