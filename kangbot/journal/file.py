"""The journal's SQLite file: what is in it and how it is written. Blocking: used on the journal's threads only.

A batch is one statement outside any explicit transaction, so that it is written, committed and synced in a single call
into SQLite. That is the fastest form, and under a busy loop by far: each call gives up the interpreter's lock once and
has to wait for it once.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kangbot.errors import NeedsHuman
from kangbot.journal.log_file import write_out
from kangbot.runtime.disk import FILES, NO_FILE, takes_no_file
from kangbot.runtime.owner import barred
from kangbot.runtime.there import there

FORMAT = 2  # of the file; a greater number was written by a later kangbot. 1 had no checkpoint
APPLICATION = 0x6B62_6A6F  # "kbjo": tells our file from any other SQLite file
TAG_LENGTH = 8
ENDS = ("", "-wal", "-shm")  # of the names of its files
_PAGE = 4096
_FRAME_HEAD = 24  # before each page in the log
_LOG_PAGES = 1000  # SQLite's own
_LOG_BOUND = 4  # times as many, where nobody else has folded the log meanwhile
_ROWS_A_STATEMENT = 500  # two variables a row; SQLite allows 32,766
_LOOK = (
    "check the disk, its room and the folder's permissions; if the file is damaged, move it and its -wal away and make"
    " it anew from the history: kangbot journal rebuild; or put a backup into an empty folder: kangbot restore FILE"
)
_MARK = "UPDATE meta SET drained = ?"

_CHECKPOINT = (
    # What the records up to `sequence` came to, which are removed in the transaction that writes this.
    "CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, states TEXT NOT NULL)"
)
_SCHEMA = (
    # `sequence` is the row id: appending fills the last page, and reading onwards reads pages in order.
    "CREATE TABLE records (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL)",
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), tag TEXT NOT NULL, drained INTEGER NOT NULL)",
    _CHECKPOINT,
)

_Statement = tuple[str, Sequence[int | str]]

FAILURES = (sqlite3.Error, MemoryError)  # of a write; SQLite's own want of memory comes as Python's


class JournalFile:
    """The writer's side: the one connection that writes.

    `max_bytes` bounds the file; writing beyond it fails as a full disk does.
    """

    def __init__(self, path: Path, *, max_bytes: int, new_tag: Callable[[], str]) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._pages = max(1, max_bytes // _PAGE)
        with _explained(path):
            self._db = sqlite3.connect(path, isolation_level=None, cached_statements=32)
            try:
                self._open(path, new_tag)
                self._place, self._log_place = _place(path), _place(self._log)
            except BaseException:
                self._db.close()
                raise

    def _open(self, path: Path, new_tag: Callable[[], str]) -> None:
        application, version = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        if application == 0 and self._one("SELECT count(*) FROM sqlite_master") == 0:
            self._create(new_tag())
        elif _known(path, application, version) < FORMAT:
            self._upgrade(path, version)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA cache_size = -512")  # KiB; appending needs a handful of pages
        pages = _log_pages(path)
        self._fold_at = pages
        self._unfolded = 0  # pages in the log since `foldable` was True, about
        # Folding the log into the file syncs twice more, in whose commit it falls. A disk that can hold a longer log
        # leaves it to `JournalReader.fold`; the bound is for when that is late.
        bound = pages * _LOG_BOUND if pages == _LOG_PAGES else pages
        self._db.execute(f"PRAGMA wal_autocheckpoint = {bound}")
        # Longer only while somebody else reads on and on; else it would stay as long as it ever was.
        self._db.execute(f"PRAGMA journal_size_limit = {pages * _LOG_BOUND * (_PAGE + _FRAME_HEAD)}")
        self.limit_pages(0)
        self._try_to_write()
        write_out(self._log, pages * (_PAGE + _FRAME_HEAD))
        named = self._db.execute("SELECT tag FROM meta").fetchone()
        if named is None:
            raise NeedsHuman(f"the journal {path} cannot be used: its name is missing", remedy=_LOOK)
        self.tag: str = named[0]
        self.drained = self._one("SELECT drained FROM meta")
        self.floor = self._one("SELECT coalesce(max(sequence), 0) FROM checkpoint")
        self.last = max(self.floor, self._one("SELECT coalesce(max(sequence), 0) FROM records"))

    def _try_to_write(self) -> None:
        """Find out now, not at the first order, where the file may be read and not written. Nothing is written."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("UPDATE meta SET drained = drained")
        self._db.execute("ROLLBACK")

    def _create(self, tag: str) -> None:
        self._db.execute(f"PRAGMA page_size = {_PAGE}")
        self._db.execute("PRAGMA journal_mode = WAL")
        # One transaction: a crash leaves either an empty file, which is made anew, or a whole journal.
        self._db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            self._db.execute(statement)
        self._db.execute("INSERT INTO meta VALUES (1, ?, 0)", (tag,))
        self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {FORMAT}")
        self._db.execute("COMMIT")

    def _upgrade(self, path: Path, version: int) -> None:
        """Bring the file forward, after a copy beside it: there is no way back but that one."""
        copy, fresh = path.with_name(f"{path.name}.format-{version}"), path.with_name(f".{path.name}.copy")
        if not there(copy):
            fresh.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(fresh)) as other:
                self._db.backup(other)
            fresh.replace(copy)
        self._together((_CHECKPOINT, ()), (f"PRAGMA user_version = {FORMAT}", ()))

    def lost(self) -> str:
        """Return which of its files is gone from where it was opened: it takes what is written, and loses it. "": none.

        The log's own is folded into the file by an orderly end alone; until then nothing but the log has it.
        """
        if _place(self._path) != self._place:
            return "its file was removed, or another one stands in its place"
        if _place(self._log) != self._log_place:
            return (
                "its -wal was removed, and only an orderly stop saves what was in it: stop kangbot, then start it again"
            )
        return ""

    def limit_pages(self, beyond_bytes: int) -> None:
        """Bound the file by its `max_bytes` and `beyond_bytes` more. Not below what it has already."""
        self._db.execute(f"PRAGMA max_page_count = {self._pages + beyond_bytes // _PAGE}")

    def insert(self, events: Sequence[str]) -> int:
        """Store the events after `last`, all or none, synced; return the last one's sequence. FAILURES if not."""
        if self._db.in_transaction:  # there was no memory to roll it back either; within it nothing would be on disk
            self._db.execute("ROLLBACK")
        rows = [(self.last + index, event) for index, event in enumerate(events, 1)]
        if len(rows) <= _ROWS_A_STATEMENT:
            self._db.execute(*_insertion(rows))
        else:
            starts = range(0, len(rows), _ROWS_A_STATEMENT)
            self._together(*(_insertion(rows[start : start + _ROWS_A_STATEMENT]) for start in starts))
        self.last += len(rows)
        self._unfolded += 2 + sum(map(len, events)) // _PAGE
        return self.last

    def foldable(self) -> bool:
        """Whether the log is long enough to be folded into the file; True once for each such length."""
        if self._unfolded < self._fold_at:
            return False
        self._unfolded = 0
        return True

    def _together(self, *statements: _Statement) -> None:
        """Run the statements as one transaction: all or none, synced."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in statements:
                self._db.execute(sql, values)
            self._db.execute("COMMIT")
        except FAILURES:
            with contextlib.suppress(*FAILURES):  # SQLite may have rolled back by itself
                self._db.execute("ROLLBACK")
            raise

    def mark_drained(self, sequence: int) -> None:
        """Remember that the history has everything up to `sequence`.

        Not synced: an older mark after a power cut only means that a few records are offered again.
        """
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            self._db.execute(_MARK, (sequence,))
        finally:
            self._db.execute("PRAGMA synchronous = FULL")
        self.drained = sequence

    def compact(self, sequence: int, states: str) -> None:
        """Put `states` in the place of every record up to `sequence`: both or neither, synced. FAILURES if not.

        The pages are free for new records; the file does not shrink, and stops growing.
        """
        self._together(
            ("INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)", (sequence, states)),
            ("DELETE FROM records WHERE sequence <= ?", (sequence,)),
        )
        self.floor = sequence

    def close(self) -> None:
        """Close; SQLite folds the write-ahead log into the file."""
        self._db.close()

    def _one(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchone()[0])


class JournalReader:
    """The reader's side: a connection of its own, so that reading never holds up a commit. Opened by the first read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def read(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return at most `limit` rows with sequence > `after`, in order. NeedsHuman where one is missing."""
        sql = "SELECT sequence, event FROM records WHERE sequence > ? ORDER BY sequence LIMIT ?"
        rows = self._fetch(sql, (after, limit))
        for expected, (sequence, _) in enumerate(rows, after + 1):
            if sequence != expected:
                raise NeedsHuman(
                    f"record {expected} of the journal {self._path} is missing",
                    remedy=_LOOK,
                )
        return rows

    def at_once(self) -> None:
        """Have all that is read from here on be of one moment, whatever is written and removed meanwhile."""
        self._fetch("BEGIN", ())

    def format(self) -> int:
        """Return the file's format; 0 where nothing stands in it. NeedsHuman: a later kangbot's, or none of ours."""
        if self._number("SELECT count(*) FROM sqlite_master") == 0:
            return 0
        return _known(self._path, self._number("PRAGMA application_id"), self._number("PRAGMA user_version"))

    def last(self) -> int:
        """Return the sequence of the newest record that stands there; 0 where none does."""
        return self._number("SELECT coalesce(max(sequence), 0) FROM records")

    def checkpoint(self) -> tuple[int, str] | None:
        """Return the checkpoint's sequence and states; None where nothing was ever removed."""
        rows = self._fetch("SELECT sequence, states FROM checkpoint", ())
        return rows[0] if rows else None

    def fold(self) -> None:
        """Fold the write-ahead log into the file, as far as it is committed, beside the commits that go on.

        Where the disk does not take it the log stays as it is: it is as durable as the file. Where somebody has moved
        the file away none is made in its place: SQLite would remove the log of one that is empty.
        """
        file = f"{self._path.absolute().as_uri()}?mode=rw"
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file, uri=True)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _number(self, sql: str) -> int:
        ((number, *_),) = self._fetch(sql, ())
        return number

    def _fetch(self, sql: str, values: Sequence[int]) -> list[tuple[int, str]]:
        with _explained(self._path):
            if self._db is None:
                self._db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
                self._db.execute("PRAGMA cache_size = -512")
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Close."""
        if self._db is not None:
            self._db.close()


def _known(path: Path, application: int, version: int) -> int:
    """Return the version of a journal of ours. NeedsHuman where it is a later kangbot's, or none of ours."""
    if application != APPLICATION:
        raise NeedsHuman(
            f"{path} is an SQLite file, but no journal of kangbot",
            remedy="move it away, or name another state folder",
        )
    if version > FORMAT:
        raise NeedsHuman(
            f"the journal {path} has format {version}; this kangbot knows formats up to {FORMAT}",
            remedy="start the later version of kangbot that wrote it",
        )
    return version


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _log_pages(path: Path) -> int:
    """Return after how many pages the log is folded into the file: SQLite's own, of a small disk a sixteenth."""
    disk = os.statvfs(path.parent)
    return max(1, min(_LOG_PAGES, disk.f_blocks * disk.f_frsize // 16 // _PAGE))


def _insertion(rows: Sequence[tuple[int, str]]) -> _Statement:
    places = ",".join(["(?,?)"] * len(rows))
    values = [value for row in rows for value in row]
    return f"INSERT INTO records VALUES {places}", values  # noqa: S608 -- question marks only


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        why, remedy = _untold(path, getattr(error, "sqlite_errorcode", 0) & 0xFF)
        raise NeedsHuman(
            f"the journal {path} cannot be used: {error}{why}",
            remedy=remedy,
            code=getattr(error, "sqlite_errorname", None),
        ) from error


def _untold(path: Path, code: int) -> tuple[str, str]:
    """Return what SQLite's words for its error leave out, and what to do."""
    if whose := barred(*(path.with_name(f"{path.name}{end}") for end in ENDS)):
        return f", for {whose.says}", whose.remedy
    if code == sqlite3.SQLITE_FULL:
        return "", "make room on the disk"
    if code == sqlite3.SQLITE_CANTOPEN and takes_no_file(path.parent):  # what it needs beside the journal, perhaps
        return NO_FILE, FILES
    return "", _LOOK
