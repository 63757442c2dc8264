"""Whether a database's schema is the one that this kangbot writes, and seeing to it that it is."""

from collections.abc import Awaitable, Callable

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.tables import REVISION

SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE"
"""Of every session, whatever the server's own: a value that does not fit is an error, never cut, and our statements are
read as they are meant (with ORACLE, MariaDB takes `body` for a word of its language)."""


class Readiness:
    """Whether the schema of one database is ours: found out at the first use, and again after `doubt`.

    `prepare` makes it so, and may take an hour: who only looks is told of that, and neither begins it nor waits for it.
    """

    def __init__(
        self, version: Callable[[], Awaitable[str | None]], prepare: Callable[[], Awaitable[None]], where: str
    ) -> None:
        self._version = version
        self._prepare = prepare
        self._where = where
        self._sure = False
        self._preparing = False

    async def ensure(self) -> None:
        """Make it ours where it is not. As the function of that name."""
        if not self._sure:
            await ensure(self._version, self._make, self._where)
            self._sure = True

    async def look(self) -> None:
        """Retryable where it is not ours yet; NeedsHuman where it is newer; besides, whatever asking raises."""
        if self._sure:
            return
        if self._preparing or not judge(await self._version(), self._where):
            raise Retryable(
                f"{self._where}: its tables are not made yet, or are of an earlier version; ask again when a daemon has"
                " begun and seen to it, or run kangbot db upgrade"
            )
        self._sure = True

    def doubt(self) -> None:
        """Find out again: a person may put another database in place."""
        self._sure = False

    async def _make(self) -> None:
        self._preparing = True
        try:
            await self._prepare()
        finally:
            self._preparing = False


async def ensure(
    version: Callable[[], Awaitable[str | None]], prepare: Callable[[], Awaitable[None]], where: str
) -> None:
    """Ask for the `version` in the database, and `prepare` the schema where it is not the newest.

    `where` is the database's name, without a password.
    NeedsHuman where it is newer than ours, or still old after preparing it; besides, whatever the two raise.
    """
    if judge(await version(), where):
        return
    await prepare()
    if not judge(await version(), where):
        raise NeedsHuman(f"{where}: the schema is still old after migrating it", remedy="run kangbot db upgrade")


def judge(current: str | None, where: str) -> bool:
    """Return whether the revision is ours; False where it must be migrated first. NeedsHuman where it is newer.

    Revisions are numbered with leading zeros, so they compare as text. `where` names the database, or a copy of one.
    """
    if current is not None and current > REVISION:
        raise newer(current, where)
    return current == REVISION


def newer(current: str, where: str) -> NeedsHuman:
    """Return the refusal of a schema that a later kangbot has made."""
    return NeedsHuman(
        f"{where} has a schema of revision {current}; this kangbot knows revisions up to {REVISION}",
        remedy="start the later version of kangbot that made it, or name another database",
    )
