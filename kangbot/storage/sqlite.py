"""The history in an embedded SQLite file, for who has no database server.

The same tables, the same transactions and the same mark as in MariaDB; the file belongs to a thread of its own, so the
loop never waits for the disk.
"""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from kangbot.errors import KangbotError, NeedsHuman, Retryable
from kangbot.model.events import Record
from kangbot.ports import Page, Row
from kangbot.runtime.threads import Worker
from kangbot.storage import pages, recall, writers
from kangbot.storage.projection import Value, fresh, project
from kangbot.storage.schema import Readiness
from kangbot.storage.surplus import PORTION, Surplus
from kangbot.storage.tables import Upsert
from kangbot.storage.thinning import PORTION as MARKS
from kangbot.storage.thinning import Act, Mark, Thinning, acts, reading, removing, thin
from kangbot.storage.url import SqliteUrl

T = TypeVar("T")
Prepare = Callable[[], Awaitable[None]]
_File = tuple[int, int]

# What the write-ahead log is cut to once all of it is in the file. Else it stays as long as it ever was, for as long as
# the daemon runs, and indexes over years of rows are made in one transaction of gigabytes.
_LOG_BYTES = 16 << 20
_BUSY_S = 5.0  # a person's own query may hold the file for a moment
_CLOSE_S = 5.0
_LOCK = "INSERT INTO journals (tag, stored) VALUES (?, 0) ON CONFLICT (tag) DO NOTHING"
_MARKS = "SELECT tag, stored, place, (julianday('now') - julianday(written_at)) * 86400 FROM journals"
_MARK = "UPDATE journals SET stored = ?, place = ?, written_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE tag = ?"
_THINNED, _THIN = "SELECT thinned FROM journals WHERE tag = ?", "UPDATE journals SET thinned = ? WHERE tag = ?"
_LEAVE = "UPDATE journals SET written_at = NULL WHERE tag = ? AND place = ?"
_RECALL = "SELECT sequence, body FROM events WHERE journal = ? AND sequence > ? ORDER BY sequence LIMIT ?"
_REMOVE = (
    "DELETE FROM bars WHERE market = ? AND timeframe_s = ? AND opened_at IN "
    "(SELECT opened_at FROM bars WHERE market = ? AND timeframe_s = ? AND opened_at < ? ORDER BY opened_at LIMIT ?)"
)
_HAS_VERSION = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
_VERSION = "SELECT version_num FROM alembic_version"
_AWAY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


class SqliteHistory:
    """Implements `ports.History` on the file `path`. `prepare`, `place` and `keep_bars` as in `MysqlHistory`.

    The thread and the connection come with the first use.
    """

    def __init__(self, path: Path, prepare: Prepare, place: str = "", keep_bars: int = 0) -> None:
        self._path = path
        self._place = place
        self._surplus = Surplus(keep_bars)  # touched on the thread only
        self._thinning = Thinning()  # likewise
        self._name = str(SqliteUrl(path=path))
        self._ready = Readiness(lambda: self._run(_version), prepare, self._name)
        self._closed = False
        self._wrote = ""  # the journal that this daemon has stored some of
        self._thread: Worker | None = None
        self._db: sqlite3.Connection | None = None  # touched on the thread only
        self._file: _File | None = None  # likewise: what the connection writes to, or wrote to last

    async def stored(self, journal: str) -> int:
        """Return the highest sequence of that journal that is stored; 0 when none. See `ports.History`."""
        return await self._transact(lambda db: self._stored(db, journal))

    async def store(self, records: Sequence[Record]) -> None:
        """Store the records in one transaction; those that are stored already are passed over. See `ports.History`."""
        if not records:
            return
        journal = records[0].journal

        def work(db: sqlite3.Connection) -> None:
            db.execute(_LOCK, (journal,))
            new = fresh(records, self._stored(db, journal))
            if passed := records[: len(records) - len(new)]:
                there = db.execute(_RECALL, (journal, passed[0].sequence - 1, len(passed)))
                recall.same(passed, recall.recalled(there, journal))
            if new:
                for upsert, rows in project(new):
                    db.executemany(_statement(upsert), ([_plain(value) for value in row] for row in rows))
                db.execute(_MARK, (new[-1].sequence, self._place, journal))
                for cut in self._surplus.due(new):
                    of = (cut.market, cut.timeframe_s)
                    gone = db.execute(_REMOVE, (*of, *of, _plain(cut.before), PORTION)).rowcount
                    self._surplus.removed(cut, gone)
                if before := self._thinning.due(new):
                    self._thin(db, journal, before)

        await self._transact(work)
        self._wrote = journal

    async def journals(self) -> Mapping[str, int]:
        """Return how far each journal is stored, by its tag."""
        return await self._transact(lambda db: recall.journals(db.execute(recall.JOURNALS)))

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` of its records with sequence > `after`, in order; bars are not among them."""
        return await self._transact(lambda db: recall.recalled(db.execute(_RECALL, (journal, after, limit)), journal))

    async def page(self, page: Page) -> Sequence[Row]:
        """Return rows of a listing, newest first. See `ports.Shelf`."""
        text, arguments = pages.statement(page, pages.SQLITE)
        return await self._transact(lambda db: pages.rows(page, db.execute(text, arguments)), looks=True)

    def pool(self) -> None:
        """There is none."""

    async def aclose(self) -> None:
        """Finish what was handed over, say that nobody writes any more, and close; bounded in time."""
        self._closed = True
        if self._thread is not None:
            self._thread.post(self._disconnect)
            await self._thread.aclose(_CLOSE_S)
            self._thread = None

    async def _transact(self, work: Callable[[sqlite3.Connection], T], *, looks: bool = False) -> T:
        try:
            await (self._ready.look() if looks else self._ready.ensure())
            return await self._run(work)
        except NeedsHuman:
            self._ready.doubt()
            raise

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` as one transaction on the thread. Cancelling the await does not stop it."""
        if self._closed:
            raise Retryable(f"the history {self._path} is closed")
        if self._thread is None:
            self._thread = Worker("history")
        return await self._thread.run(lambda: self._commit(work))

    # ------------------------------------------------------------------------------------------------- on the thread
    def _commit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._look()
            db = self._connected()
            with db:  # commits, or rolls back
                db.execute("BEGIN IMMEDIATE")
                return work(db)
        except (sqlite3.Error, OSError) as error:
            raise _meaning(self._path, error) from error

    def _look(self) -> None:
        """Let go of a file that is not in its place any more: it takes all that is written, and nobody finds it again.

        NeedsHuman, once; the next transaction opens what is there then.
        """
        if self._db is None or _file(self._path) == self._file:
            return
        db, self._db = self._db, None
        db.close()
        raise NeedsHuman(
            f"the history {self._path} was removed, or another file stands in its place",
            remedy="put it back, if you have it; else it begins anew with what the journal still has",
        )

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            if self._file is None:  # later it is somebody who has moved it, and would find another one there
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _connect(self._path)
            self._file = _file(self._path)
        return self._db

    def _stored(self, db: sqlite3.Connection, journal: str) -> int:
        return writers.stored(
            writers.marks(db.execute(_MARKS)), journal, self._place, self._name, wrote=self._wrote == journal
        )

    def _thin(self, db: sqlite3.Connection, journal: str, before: datetime) -> None:
        after = int(db.execute(_THINNED, (journal,)).fetchone()[0])
        rows = db.execute(reading(pages.SQLITE), (journal, after, MARKS)).fetchall()
        found = [Mark(*row) for row in rows]
        did = db.execute(*acts(pages.SQLITE, found)).fetchall() if found else []
        thinned = thin(found, before, after, [Act(*row) for row in did])
        if thinned.surplus:
            for statement in removing(pages.SQLITE, len(thinned.surplus)):
                db.execute(statement, (journal, *thinned.surplus))
        if thinned.up_to > after:
            db.execute(_THIN, (thinned.up_to, journal))
        self._thinning.done(before, thinned)

    def _disconnect(self) -> None:
        if self._db is not None:
            if self._wrote:
                with contextlib.suppress(sqlite3.Error):  # else a successor elsewhere waits an hour
                    self._db.execute(_LEAVE, (self._wrote, self._place))
            self._db.close()


def revision(path: Path) -> str | None:
    """Return the schema's revision, whoever made it; None where nothing of ours is there. Changes nothing.

    Retryable: somebody has locked it. NeedsHuman: it cannot be read.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return _version(db)
    except sqlite3.Error as error:
        raise _meaning(path, error) from error


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    db.execute("PRAGMA journal_mode = WAL")  # a person may read while we write
    db.execute("PRAGMA synchronous = FULL")  # what is marked as stored must stay stored
    db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
    return db


def _file(path: Path) -> _File | None:
    """Return which file stands there; None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _meaning(path: Path, error: Exception) -> KangbotError:
    message = f"the history {path}: {error}"
    name = getattr(error, "sqlite_errorname", None)
    if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _AWAY:
        return Retryable(message, code=name)
    return NeedsHuman(message, remedy="check the file and its folder, then run kangbot db upgrade", code=name)


def _version(db: sqlite3.Connection) -> str | None:
    if not db.execute(_HAS_VERSION).fetchone():
        return None
    row = db.execute(_VERSION).fetchone()
    return str(row[0]) if row else None


def _statement(upsert: Upsert) -> str:
    columns = ", ".join(f'"{name}"' for name in upsert.columns)
    places = ", ".join("?" * len(upsert.columns))
    key = ", ".join(f'"{name}"' for name in upsert.key)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in upsert.change)
    action = f"UPDATE SET {changes}" if changes else "NOTHING"
    return f'INSERT INTO "{upsert.table}" ({columns}) VALUES ({places}) ON CONFLICT ({key}) DO {action}'  # noqa: S608 -- our own names


def _plain(value: Value) -> str | int | None:
    """Return the value as SQLite keeps it: amounts as plain decimal text, times as text its date functions read."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    return value
