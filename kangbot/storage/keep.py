"""A server's history, copied before its schema changes, for whoever wants to go back.

    state/history.revision-0001.20260131T120000.123456Z.jsonl.gz

One file of rows as `dump` writes it, for its owner alone; `kangbot db restore` puts it into an empty database. A
history without a row is not copied, nor is one again in which nothing has been stored since: a migration that fails is
tried again and again, and must not push the copies of better days out.
"""

import asyncio
import contextlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.storage.dump import dump, extent, marks
from kangbot.storage.room import SPARE, lacking
from kangbot.storage.url import MysqlUrl

KEPT = 3
PACKED = 3  # a copy takes less than this part of what its rows take in the server
_NAME = re.compile(r"^history\.revision-(?P<revision>\w+)\.\d{8}T\d{6}\.\d{6}Z\.jsonl\.gz$")
_TIME = "%Y%m%dT%H%M%S.%fZ"
_REMEDY = (
    "make room; or name a folder on another disk: kangbot db upgrade --copy-to FOLDER; or, where there is another "
    "backup: kangbot db upgrade --without-copy"
)


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where copies are kept, and the time that the next one is named by."""

    folder: Path
    now_ns: int


def keep(url: MysqlUrl, revision: str, keeping: Keeping) -> Path | None:
    """Return a whole copy of the history as it is, whose schema has this revision; None where it has no row.

    Nobody else may be at it: the caller holds the lock of migrations. Older copies than the newest three are removed.
    Blocks, and runs a loop of its own. Retryable: the server is away. NeedsHuman: there is no room, or no such folder.
    """
    found = asyncio.run(extent(url))
    if not found.rows:
        return None
    folder = keeping.folder
    for path in reversed(copies(folder)):
        # Also of an older schema: where an upgrade was killed half-way, the version before goes on from that one alone.
        if _revision(path) <= revision and _stored(path) == found.stored:
            return path
    at = datetime.fromtimestamp(keeping.now_ns / 1e9, UTC).strftime(_TIME)
    path = folder / f"history.revision-{revision}.{at}.jsonl.gz"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(folder)
        _room(folder, found.size // PACKED)
        _written(url, path)
        for old in copies(folder)[:-KEPT]:
            old.unlink()
    except OSError as error:
        raise _refused(f"{folder}: {error.strerror}") from error
    return path


def copies(folder: Path) -> list[Path]:
    """Return the whole copies in a folder, the newest last."""
    with contextlib.suppress(OSError):
        found = [path for path in folder.iterdir() if _NAME.match(path.name)]
        return sorted(found, key=lambda path: path.name.split(".")[2:])
    return []


def _written(url: MysqlUrl, path: Path) -> None:
    """Write it, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        asyncio.run(dump(url, part, watch=lambda: _room(path.parent, 0)))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        if os.geteuid() == 0:  # typed by root beside a service: the copy belongs to whom the state belongs
            owner = path.parent.stat()
            os.chown(part, owner.st_uid, owner.st_gid)
        part.replace(path)
        _synced(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(folder: Path) -> None:
    """Remove what a copy that was killed has left."""
    for part in folder.glob("history.revision-*.jsonl.gz.part"):
        part.unlink()


def _room(folder: Path, need: int) -> None:
    if why := lacking(folder, need + SPARE):
        raise _refused(why)


def _refused(why: str) -> NeedsHuman:
    return NeedsHuman(f"the history cannot be copied before its tables change, so they are left: {why}", remedy=_REMEDY)


def _revision(path: Path) -> str:
    found = _NAME.match(path.name)
    return found["revision"] if found else ""


def _stored(path: Path) -> dict[str, int] | None:
    try:
        return marks(path)
    except (OSError, ValueError):  # damaged: it is no copy
        return None
