"""The history in MariaDB or MySQL, over the shared pool.

One `store` is one transaction: the rows of all records and the mark of the last one. The mark is the proof that the
records are in; it is locked first, so that two writers of one journal, such as a cancelled call that still runs and its
repetition, come one after the other and the second finds nothing left to do.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from kangbot.errors import Ambiguous, KangbotError, NeedsHuman, Retryable
from kangbot.health.report import PoolReport
from kangbot.model.events import Record
from kangbot.ports import Page, Row
from kangbot.storage import pages, recall, writers
from kangbot.storage.link import Link
from kangbot.storage.pool import Pool
from kangbot.storage.projection import Value, Write, fresh, project
from kangbot.storage.schema import Readiness
from kangbot.storage.surplus import PORTION, Surplus
from kangbot.storage.tables import Upsert
from kangbot.storage.thinning import PORTION as MARKS
from kangbot.storage.thinning import Act, Mark, Thinning, acts, reading, removing, thin

T = TypeVar("T")
Prepare = Callable[[], Awaitable[None]]

# A statement, so that it stays under any server's limit: `max_allowed_packet` may be as little as 64 KB.
_ROWS = 200
_BYTES = 32_000  # of words and JSON, which may double where they are escaped
_LOCK = "INSERT INTO journals (tag, `stored`) VALUES (%s, 0) ON DUPLICATE KEY UPDATE `stored` = `stored`"
_MARKS = "SELECT tag, `stored`, place, TIMESTAMPDIFF(SECOND, written_at, UTC_TIMESTAMP(6)) FROM journals"
_MARK = "UPDATE journals SET `stored` = %s, place = %s, written_at = UTC_TIMESTAMP(6) WHERE tag = %s"
_THINNED, _THIN = "SELECT thinned FROM journals WHERE tag = %s", "UPDATE journals SET thinned = %s WHERE tag = %s"
_LEAVE = "UPDATE journals SET written_at = NULL WHERE tag = %s AND place = %s"
_LEAVE_S = 2.0  # of a daemon's end, where the server answered last time
_REMOVE = "DELETE FROM bars WHERE market = %s AND timeframe_s = %s AND opened_at < %s ORDER BY opened_at LIMIT %s"
_RECALL = "SELECT sequence, body FROM events WHERE journal = %s AND sequence > %s ORDER BY sequence LIMIT %s"
_HAS_VERSION = "SELECT 1 FROM information_schema.tables WHERE table_schema = database() AND table_name = %s"
_VERSION = "SELECT version_num FROM alembic_version"


class MysqlHistory:
    """Implements `ports.History` over `pool`, which it closes. `place` is that of the daemon which writes.

    Of each market and length the newest `keep_bars` closed bars are kept; all where that is 0.
    `prepare` makes or upgrades the schema; it is called before the first use where the schema is not the newest.
    """

    def __init__(self, pool: Pool, prepare: Prepare, place: str = "", keep_bars: int = 0) -> None:
        self._pool = pool
        self._place = place
        self._surplus = Surplus(keep_bars)
        self._thinning = Thinning()
        self._ready = Readiness(self._version, prepare, str(pool.url))
        self._wrote = ""  # the journal that this daemon has stored some of
        self._away = False  # at the last call

    async def stored(self, journal: str) -> int:
        """Return the highest sequence of that journal that is stored; 0 when none. See `ports.History`."""
        return await self._transact(partial(self._stored, journal))

    async def store(self, records: Sequence[Record]) -> None:
        """Store the records in one transaction; those that are stored already are passed over. See `ports.History`."""
        if not records:
            return
        journal = records[0].journal

        async def work(link: Link) -> None:
            await link.query(_LOCK, (journal,))  # locks the row, whether it was there or not
            new = fresh(records, await self._stored(journal, link))
            if passed := records[: len(records) - len(new)]:
                rows = await link.query(_RECALL, (journal, passed[0].sequence - 1, len(passed)))
                recall.same(passed, recall.recalled(rows, journal))
            if not new:
                return
            for write in project(new):
                await _write(link, write)
            await link.query(_MARK, (new[-1].sequence, self._place, journal))
            for cut in self._surplus.due(new):
                self._surplus.removed(
                    cut, await link.change(_REMOVE, (cut.market, cut.timeframe_s, cut.before, PORTION))
                )
            if before := self._thinning.due(new):
                await self._thin(link, journal, before)

        await self._transact(work)
        self._wrote = journal

    async def journals(self) -> Mapping[str, int]:
        """Return how far each journal is stored, by its tag."""

        async def work(link: Link) -> Mapping[str, int]:
            return recall.journals(await link.query(recall.JOURNALS))

        return await self._transact(work)

    async def page(self, page: Page) -> Sequence[Row]:
        """Return rows of a listing, newest first. See `ports.Shelf`."""
        text, arguments = pages.statement(page, pages.MYSQL)

        async def work(link: Link) -> Sequence[Row]:
            return pages.rows(page, await link.query(text, arguments))

        return await self._transact(work, looks=True)

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` of its records with sequence > `after`, in order; bars are not among them."""

        async def work(link: Link) -> Sequence[Record]:
            return recall.recalled(await link.query(_RECALL, (journal, after, limit)), journal)

        return await self._transact(work)

    def pool(self) -> PoolReport:
        """Return how the pool is used."""
        return self._pool.use()

    async def aclose(self) -> None:
        """Say that nobody writes any more, and close the pool; both within their bounds."""
        if self._wrote and not self._away:
            with contextlib.suppress(KangbotError, TimeoutError):  # else a successor elsewhere waits an hour
                async with asyncio.timeout(_LEAVE_S):
                    await self._pool.transact(self._leave)
        await self._pool.aclose()

    async def _thin(self, link: Link, journal: str, before: datetime) -> None:
        ((said,),) = await link.query(_THINNED, (journal,))
        after = int(said)
        rows = await link.query(reading(pages.MYSQL), (journal, after, MARKS))
        found = [Mark(*row) for row in rows]
        did = await link.query(*acts(pages.MYSQL, found)) if found else []
        thinned = thin(found, before, after, [Act(*row) for row in did])
        if thinned.surplus:
            for statement in removing(pages.MYSQL, len(thinned.surplus)):
                await link.query(statement, (journal, *thinned.surplus))
        if thinned.up_to > after:
            await link.query(_THIN, (thinned.up_to, journal))
        self._thinning.done(before, thinned)

    async def _leave(self, link: Link) -> None:
        await link.query(_LEAVE, (self._wrote, self._place))

    async def _stored(self, journal: str, link: Link) -> int:
        return writers.stored(
            await marks(link), journal, self._place, str(self._pool.url), wrote=self._wrote == journal
        )

    async def _transact(self, work: Callable[[Link], Awaitable[T]], *, looks: bool = False) -> T:
        self._away = True
        try:
            await (self._ready.look() if looks else self._ready.ensure())
            done = await self._pool.transact(work)
        except Ambiguous as error:
            raise Retryable(error.message, code=error.code) from error  # by the mark, sending again is harmless
        except NeedsHuman:
            self._ready.doubt()
            raise
        self._away = False
        return done

    async def _version(self) -> str | None:
        return await self._pool.transact(version)


async def version(link: Link) -> str | None:
    """Return the revision of the schema; None where nothing of ours is there."""
    if not await link.query(_HAS_VERSION, ("alembic_version",)):
        return None
    rows = await link.query(_VERSION)
    return str(rows[0][0]) if rows else None


async def marks(link: Link) -> list[writers.Mark]:
    """Return how far each journal is stored, and by whom; the schema is ours."""
    return writers.marks(await link.query(_MARKS))


async def _write(link: Link, write: Write) -> None:
    upsert, rows = write
    for chunk in _chunks(rows):
        values: list[Value] = [value for row in chunk for value in row]
        try:
            await link.query(_statement(upsert, len(chunk), row_alias=link.row_alias), values)
        except NeedsHuman as error:
            if upsert.table in error.message:
                raise
            told = f"{error.message} (table {upsert.table})"  # of a column the server does not say whose it is
            raise NeedsHuman(told, remedy=error.remedy, code=error.code) from error


def _chunks(rows: Sequence[tuple[Value, ...]]) -> Iterator[list[tuple[Value, ...]]]:
    """Yield the rows in the portions that one statement takes; a row that is larger than that, alone."""
    chunk, size = list[tuple[Value, ...]](), 0
    for row in rows:
        length = sum(len(value.encode()) for value in row if isinstance(value, str))
        if chunk and (len(chunk) == _ROWS or size + length > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    yield chunk


def _statement(upsert: Upsert, rows: int, *, row_alias: bool) -> str:
    columns = ", ".join(f"`{name}`" for name in upsert.columns)
    places = f"({', '.join(['%s'] * len(upsert.columns))})"
    named, new = (" AS new_row", "new_row.`{}`") if row_alias else ("", "VALUES(`{}`)")
    changes = ", ".join(f"`{name}` = {new.format(name)}" for name in upsert.change)
    key = upsert.key[0]
    unchanged = f"`{key}` = `{upsert.table}`.`{key}`"  # unlike INSERT IGNORE it hides no other mistake
    return (
        f"INSERT INTO `{upsert.table}` ({columns}) VALUES {', '.join([places] * rows)}{named}"  # noqa: S608 -- our own names
        f" ON DUPLICATE KEY UPDATE {changes or unchanged}"
    )
