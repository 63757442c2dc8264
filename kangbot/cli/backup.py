"""`kangbot backup`: the daemon's memory in one file; `archive.py` says what is in it.

Taken while the daemon runs: SQLite copies its files whole (its online backup), and a server's rows are those of one
moment (`storage/dump.py`). The history is copied first, so that the journal always knows more than the history and
feeds it on after a restore.
"""

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

from kangbot.cli.answer import answer, unwritten
from kangbot.cli.archive import CONFIG, FORMAT, HISTORY, ROWS, Manifest, beside, checksum, packed
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.machines.killswitch import FILE as KILL
from kangbot.runtime.there import there
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.settings.versions import FOLDER
from kangbot.storage.dump import dump, extent
from kangbot.storage.keep import PACKED
from kangbot.storage.room import SPARE, lacking
from kangbot.storage.url import MysqlUrl, parse

_LOOK = "type it as the user that the daemon runs as, or with sudo; and look after the disk and the file"
_TRIES = 5  # to copy history and journal, where the journal was compacted between the two


def backup(config: Path, target: Path, *, as_json: bool = False) -> int:
    """Write the backup and return the exit code. NeedsHuman where there is nothing to copy, or no room."""
    settings = settings_of(config)
    if target.exists() and not target.is_file():  # /dev/null, by root: a file would stand in its place
        raise Refused(f"{target} cannot be written: it is no plain file; name one")
    with beside(target, ".kangbot-backup-") as folder, _room_for(target):
        with given_to_its_owner(settings.state_dir):  # SQLite's side files, where no daemon runs
            _copied(settings, folder, partial(_must_fit, target, settings.state_dir))
        (folder / CONFIG).write_bytes(config.read_bytes())
        state = settings.state_dir
        kept = [(path, f"{FOLDER}/{path.name}") for path in sorted((state / FOLDER).glob("*.toml"))]
        kept += [(state / KILL, KILL)] if (state / KILL).is_file() else []
        for path, name in kept:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(path.read_bytes())
        files = {str(path.relative_to(folder)): checksum(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        manifest = Manifest(
            format=FORMAT,
            kangbot=version("kangbot"),
            at_ns=real_world().clock.now_ns(),
            mode=settings.mode,
            venue=settings.venue,
            history="sqlite" if HISTORY in files else "rows" if ROWS in files else "server",
            files=files,
        )
        packed(folder, manifest).replace(target)
    size = target.stat().st_size
    kept_as = None if manifest.history == "server" else manifest.history  # it has none yet
    said = {"file": str(target), "bytes": size, "files": len(files), "history": kept_as, "mode": manifest.mode}
    none = () if kept_as else ("There is no history in it: there is none yet.",)
    lines = (
        f"{target}: {len(files)} files, {size:,} bytes",
        *none,
        "Keys, tokens and the database's address are not in it: keep them elsewhere.",
    )
    return answer(said, lines, as_json=as_json)


@contextlib.contextmanager
def _room_for(file: Path) -> Iterator[None]:
    """Say by the name that was typed that the disk is full: what did not fit is a piece that nobody has heard of."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused(unwritten(file, error)) from error


def _must_fit(target: Path, state: Path, size: int) -> None:
    """Refuse what the disk has no room for: a journal beside it would be without a byte until the copy has failed.

    `size` is that of what is yet to be copied. It is copied there and then packed; history packs to a fifth.
    """
    parent = target.absolute().parent
    beside = parent.stat().st_dev == state.stat().st_dev
    spare = min(SPARE, shutil.disk_usage(parent).total // 10) if beside else 0
    if room := lacking(parent, size + size // 3 + spare):
        raise Refused(f"{target} cannot be written: {room}; name a file on another disk, or make room")


def _copied(settings: Settings, folder: Path, must_fit: Callable[[int], None]) -> None:
    """Copy history, then journal, so that nothing is missing between the two."""
    journal = settings.state_dir / JOURNAL
    if not there(journal):
        raise NeedsHuman(f"there is no journal in {settings.state_dir}", remedy="name the configuration that ran")
    url = parse(settings.history_url)
    history = asyncio.run(extent(url)).size // PACKED if isinstance(url, MysqlUrl) else _size(url.path)
    must_fit(history + _size(journal))
    for _ in range(_TRIES):
        stored: Mapping[str, int] | None = None
        if isinstance(url, MysqlUrl):
            stored = asyncio.run(dump(url, folder / ROWS, watch=lambda: must_fit(0)))
        elif there(url.path):
            _copy(url.path, folder / HISTORY)
            stored = _stored(folder)
        _copy(journal, folder / JOURNAL)
        if stored is None or _joined(folder, stored):
            return
    raise Retryable("the journal is being compacted all the time; try again")


def _size(file: Path) -> int:
    return file.stat().st_size if there(file) else 0


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
            contextlib.closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise NeedsHuman(f"{source} cannot be copied: {error}", remedy=_LOOK) from error


def _stored(folder: Path) -> Mapping[str, int]:
    with contextlib.closing(sqlite3.connect(folder / HISTORY)) as history:
        try:
            return dict(history.execute("SELECT tag, stored FROM journals"))
        except sqlite3.OperationalError:  # the tables are not made yet
            return {}


def _joined(folder: Path, stored: Mapping[str, int]) -> bool:
    """Whether the journal begins where the history ends, or before."""
    with contextlib.closing(sqlite3.connect(folder / JOURNAL)) as journal:
        tag = journal.execute("SELECT tag FROM meta").fetchone()[0]
        floor = journal.execute("SELECT coalesce(max(sequence), 0) FROM checkpoint").fetchone()[0]
    return int(floor) <= int(stored.get(tag, 0))
