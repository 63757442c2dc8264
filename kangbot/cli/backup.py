"""`kangbot backup` and `kangbot restore`: the daemon's memory in one file, and back.

A zip with a manifest that names every file with its checksum: the journal, the history (the embedded file, or a
server's rows), the configuration and its accepted versions, and the kill switch's file. Secrets are in none of them:
keys, tokens and the database's address stand elsewhere, and are to be kept elsewhere.

Taken while the daemon runs: SQLite copies its files whole (its online backup), and a server's rows are those of one
moment (`storage/dump.py`). The history is copied first, so that the journal always knows more than the history and
feeds it on after a restore.
"""

import asyncio
import contextlib
import errno
import json
import os
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path

import msgspec

from kangbot.cli.answer import answer
from kangbot.cli.database import refill
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.journal.leap import leap
from kangbot.journal.lock import FolderLock
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.settings.versions import FOLDER, write_whole
from kangbot.storage import migrate
from kangbot.storage.dump import dump, revision_of
from kangbot.storage.url import DatabaseUrl, MysqlUrl, SqliteUrl, parse

FORMAT = 2  # of the file; a greater number was written by a later kangbot. 1 had no history of a server
_MANIFEST = "manifest.json"
_HISTORY = "history.sqlite"
_ROWS = "history.jsonl.gz"
_CONFIG = "kangbot.toml"
_KILL = "KILL"
# What `zipfile` raises for bytes that changed, and for an archive that is locked or packed in another way.
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, KeyError, ValueError, AttributeError)
_LOOK = "type it as the user that the daemon runs as, or with sudo; and look after the disk and the file"
_TRIES = 5  # to copy history and journal, where the journal was compacted between the two


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file."""

    format: int
    kangbot: str
    at_ns: int
    mode: str
    venue: str
    # "sqlite": a copy of the embedded file; "rows": a server's rows; "server": a server's, which has none yet
    history: str
    files: dict[str, str]  # SHA-256 by name


def backup(config: Path, target: Path, *, as_json: bool = False) -> int:
    """Write the backup and return the exit code. NeedsHuman where there is nothing to copy, or no room."""
    settings = settings_of(config)
    if target.exists() and not target.is_file():  # /dev/null, by root: a file would stand in its place
        raise Refused(f"{target} cannot be written: it is no plain file; name one")
    with _beside(target, ".kangbot-backup-") as scratch, _room_for(target):
        folder = Path(scratch)
        with given_to_its_owner(settings.state_dir):  # SQLite's side files, where no daemon runs
            _copied(settings, folder)
        (folder / _CONFIG).write_bytes(config.read_bytes())
        state = settings.state_dir
        kept = [(path, f"{FOLDER}/{path.name}") for path in sorted((state / FOLDER).glob("*.toml"))]
        kept += [(state / _KILL, _KILL)] if (state / _KILL).is_file() else []
        for path, name in kept:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(path.read_bytes())
        files = {str(path.relative_to(folder)): _sum(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        manifest = Manifest(
            format=FORMAT,
            kangbot=version("kangbot"),
            at_ns=real_world().clock.now_ns(),
            mode=settings.mode,
            venue=settings.venue,
            history="sqlite" if _HISTORY in files else "rows" if _ROWS in files else "server",
            files=files,
        )
        fresh = folder / "backup.zip"
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            for name in files:
                archive.write(folder / name, name)
        fresh.chmod(0o600)
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.replace(target)
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


def _beside(file: Path, prefix: str) -> "tempfile.TemporaryDirectory[str]":
    """Return a folder on the disk of the file. Refused, with the name that was typed, where there can be none."""
    try:
        return tempfile.TemporaryDirectory(prefix=prefix, dir=file.absolute().parent)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}: {file.absolute().parent}") from None


@contextlib.contextmanager
def _room_for(file: Path) -> Iterator[None]:
    """Say by the name that was typed that the disk is full: what did not fit is a piece that nobody has heard of."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused(f"{file} cannot be written: {error.strerror}") from error


def _copied(settings: Settings, folder: Path) -> None:
    """Copy history, then journal, so that nothing is missing between the two."""
    journal = settings.state_dir / JOURNAL
    if not journal.is_file():
        raise NeedsHuman(f"there is no journal in {settings.state_dir}", remedy="name the configuration that ran")
    url = parse(settings.history_url)
    for _ in range(_TRIES):
        stored: Mapping[str, int] | None = None
        if isinstance(url, MysqlUrl):
            stored = asyncio.run(dump(url, folder / _ROWS))
        elif url.path.is_file():
            _copy(url.path, folder / _HISTORY)
            stored = _stored(folder)
        _copy(journal, folder / JOURNAL)
        if stored is None or _joined(folder, stored):
            return
    raise Retryable("the journal is being compacted all the time; try again")


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
    with contextlib.closing(sqlite3.connect(folder / _HISTORY)) as history:
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


def restore(config: Path, source: Path, *, as_json: bool = False) -> int:
    """Put the backup in the state folder of `config` and return the exit code.

    Where `config` is not there, it is restored as well. NeedsHuman: a daemon runs, the folder is not empty, the backup
    is damaged, or of a later kangbot.
    """
    with _beside(config, ".kangbot-restore-") as scratch:
        folder = Path(scratch)
        manifest = _unpacked(source, folder)
        fresh = not config.exists()
        if fresh:
            write_whole(config, (folder / _CONFIG).read_bytes())
        settings = settings_of(config)
        with given_to_its_owner(settings.state_dir):
            lock = FolderLock(settings.state_dir)
            try:
                tag, last, rows = _placed(settings, manifest, folder)
            finally:
                lock.release()
    said = {
        "journal": tag,
        "last_sequence": last,
        "taken_at_ns": manifest.at_ns,
        "config": str(config),
        "config_restored": fresh,
        "history_rows": rows,  # that a server got
    }
    lines = (
        *((f"history {parse(settings.history_url)}: {rows} rows restored",) if rows is not None else ()),
        f"journal {tag} is restored up to record {last}, as it was {_ago(manifest)} ago",
        f"configuration {config}: {'restored' if fresh else 'left as it is; the backup has its own'}",
        "At its start the daemon asks the exchange for what came after, and cancels orders that nobody knows.",
    )
    return answer(said, lines, as_json=as_json)


def _placed(settings: Settings, manifest: Manifest, folder: Path) -> tuple[str, int, int | None]:
    state, url = settings.state_dir, parse(settings.history_url)
    there = sorted(path.name for path in state.iterdir() if path.name != "lock")
    if there:
        raise NeedsHuman(
            f"the state folder {state} is not empty: it has {', '.join(there[:5])}",
            remedy="move it away, or name another; nothing is overwritten",
        )
    if (settings.mode, settings.venue) != (manifest.mode, manifest.venue):
        raise NeedsHuman(
            f"the backup is of mode {manifest.mode} at {manifest.venue}, the configuration of {settings.mode} at "
            f"{settings.venue}",
            remedy="restore it with the configuration that it has, into a folder of its own",
        )
    rows = _history(url, manifest, folder)
    for name in manifest.files:
        if name == _KILL or name.startswith(f"{FOLDER}/"):
            (state / name).parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(state / name, (folder / name).read_bytes())
    tag, last = leap(folder / JOURNAL)  # beside its place: what is put there is fit to be gone on with
    write_whole(state / JOURNAL, (folder / JOURNAL).read_bytes())
    return tag, last, rows


def _history(url: DatabaseUrl, manifest: Manifest, folder: Path) -> int | None:
    """Put the history where the configuration has it, and return the rows that a server got.

    NeedsHuman where one is there, or where it is of another kind.
    """
    if isinstance(url, SqliteUrl) and _HISTORY in manifest.files:
        if url.path.exists():
            raise NeedsHuman(f"the history {url.path} is there already", remedy="move it away; nothing is overwritten")
        write_whole(url.path, (folder / _HISTORY).read_bytes())
    elif isinstance(url, MysqlUrl) and _ROWS in manifest.files:
        return _onto_server(url, folder / _ROWS)
    elif {_HISTORY, _ROWS} & manifest.files.keys():
        has, wants = ("an SQLite file", "a server") if _HISTORY in manifest.files else ("a server's", "an SQLite file")
        raise NeedsHuman(
            f"the history in the backup is {has}, and that of the configuration is {wants}",
            remedy="restore it with database.url, or without it, as it was when the backup was taken",
        )
    return None


def _onto_server(url: MysqlUrl, rows: Path) -> int:
    """Make the tables as they were, fill them, and bring both to this version; return how many rows there are."""
    try:
        revision = revision_of(rows)
    except ValueError as error:
        raise NeedsHuman(f"the history cannot be restored: {error}", remedy="take another backup") from error
    count = refill(url, rows, revision)
    migrate.upgrade(url)
    return count


def _unpacked(source: Path, folder: Path) -> Manifest:
    """Unpack what the manifest names, and compare it. NeedsHuman where anything is wrong with it."""
    remedy = "take another backup"
    if not source.is_file():
        why = os.strerror(errno.ENOENT)
        raise NeedsHuman(f"{source} is no backup that can be read: {why}", remedy="name what `kangbot backup` wrote")
    try:
        with zipfile.ZipFile(source) as archive:
            raw = archive.read(_MANIFEST)
            if json.loads(raw).get("format", 0) > FORMAT:
                raise NeedsHuman(f"{source} was written by a later kangbot", remedy="restore it with that version")
            manifest = msgspec.json.decode(raw, type=Manifest)
            for name in _plain(manifest):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(archive.read(name))
    except _UNREADABLE as error:
        raise NeedsHuman(f"{source} is no backup that can be read: {error}", remedy=remedy) from error
    wrong = [name for name, known in manifest.files.items() if _sum(folder / name) != known]
    if wrong or not {JOURNAL, _CONFIG} <= manifest.files.keys():
        raise NeedsHuman(f"{source} is damaged: {', '.join(wrong) or 'it is not whole'}", remedy=remedy)
    return manifest


def _plain(manifest: Manifest) -> Iterator[str]:
    """Yield the names, where none leads out of the folder."""
    for name in manifest.files:
        if name in (JOURNAL, _HISTORY, _ROWS, _CONFIG, _KILL) or (
            name.startswith(f"{FOLDER}/") and name.count("/") == 1
        ):
            yield name
        else:
            raise ValueError(f"it has a file of a strange name, {name!r}")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _ago(manifest: Manifest) -> str:
    minutes = max(0, real_world().clock.now_ns() - manifest.at_ns) // 60_000_000_000
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
