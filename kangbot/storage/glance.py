"""A glance at a server's schema by one plain connection, which costs a sixth of asking alembic.

For whatever begins with a database that is, nine times in ten, as it should be: the look before a container's start,
and `kangbot db upgrade` or `kangbot db restore`, which must not wait for ever where nobody answers.
"""

import contextlib

from kangbot.storage.link import Link
from kangbot.storage.mysql import marks, version
from kangbot.storage.schema import judge
from kangbot.storage.tables import NAMES
from kangbot.storage.url import MysqlUrl
from kangbot.storage.writers import Mark

_CONNECT_S = 5.0
_STATEMENT_S = 10.0
# What storing needs, of which no row is touched: a server that is read-only, one that lacks our user's rights, and a
# table that somebody holds refuse it all the same.
_TRIAL = (
    "INSERT INTO journals (tag, `stored`) SELECT tag, `stored` FROM journals WHERE FALSE",
    "UPDATE journals SET `stored` = `stored` WHERE FALSE",
    "DELETE FROM bars WHERE FALSE",
)


async def missing(url: MysqlUrl) -> tuple[str, ...]:
    """Return which of our tables somebody has dropped, where the schema is ours. The same errors as `current`."""
    async with contextlib.aclosing(await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)) as link:
        there = {str(name) for (name,) in await link.query("SHOW TABLES")}
    return tuple(name for name in NAMES if name not in there)


async def current(url: MysqlUrl) -> bool:
    """Return whether the schema is the one that this kangbot writes; False where it must be migrated first.

    Retryable: the database is away. NeedsHuman: it refuses us, or its schema is of a later kangbot.
    """
    return judge(await revision(url), str(url))


async def writing(url: MysqlUrl) -> list[Mark]:
    """Return who has stored something there, where the schema is the one that this kangbot writes. The same errors."""
    async with contextlib.aclosing(await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)) as link:
        return await marks(link)


async def tried(url: MysqlUrl) -> None:
    """Find out whether storing is refused, where the schema is ours; nothing is changed. The same errors."""
    async with contextlib.aclosing(await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)) as link:
        for statement in _TRIAL:
            await link.query(statement)


async def revision(url: MysqlUrl) -> str | None:
    """Return the schema's revision, whoever made it; None where nothing of ours is there. The same errors."""
    link = await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)
    try:
        return await version(link)
    finally:
        await link.aclose()
