"""The file of a backup: a zip with a manifest that names every file in it with its checksum.

The journal, the history (the embedded file, or a server's rows), the configuration and its accepted versions, and the
kill switch's file. Secrets are in none of them: keys, tokens and the database's address stand elsewhere, and are to be
kept elsewhere. `backup.py` writes one, `restore.py` puts it back.
"""

import kangbot.runtime.lean  # noqa: F401 -- before whatever imports structlog: a tenth of the start  # isort: skip

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import msgspec

from kangbot.cli.answer import unwritten
from kangbot.errors import NeedsHuman, Refused
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.machines.killswitch import FILE as KILL
from kangbot.settings.versions import FOLDER
from kangbot.storage.room import lacking

FORMAT = 2  # of the file; a greater number was written by a later kangbot. 1 had no history of a server
MANIFEST = "manifest.json"
HISTORY = "history.sqlite"
ROWS = "history.jsonl.gz"
CONFIG = "kangbot.toml"
# What `zipfile` raises for bytes that changed, and for an archive that is locked or packed in another way.
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, KeyError, ValueError)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of the disk that it is unpacked on, whatever the file is worth


class _Begins(msgspec.Struct, frozen=True, kw_only=True):
    """What every manifest has, also one of a later kangbot."""

    format: int


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


@contextlib.contextmanager
def beside(file: Path, prefix: str) -> Iterator[Path]:
    """Make a folder on the disk of the file, for as long as the block lasts.

    What a killed command left there is removed first: it may be as large as the history. Refused, with the name that
    was typed, where there can be none.
    """
    parent = file.absolute().parent
    try:
        clear(parent, prefix)
        scratch, held = _made(parent, prefix)
    except OSError as error:
        raise Refused(unwritten(file, error, place=parent)) from None
    try:
        with scratch as name:
            yield Path(name)
    finally:
        os.close(held)


def _made(parent: Path, prefix: str) -> "tuple[tempfile.TemporaryDirectory[str], int]":
    """Return a folder, and what holds its lock: that is how another command knows that it is in use."""
    while True:
        scratch = tempfile.TemporaryDirectory(prefix=prefix, dir=parent)
        held = _locked(Path(scratch.name), fcntl.LOCK_EX)
        if Path(scratch.name).exists():
            return scratch, held
        os.close(held)  # another command took it for one that was left, before it was locked


def clear(parent: Path, prefix: str) -> None:
    """Remove the folders of killed commands there, as far as they are ours and nobody is at work in them."""
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # in use, or not ours: it is left
            held = _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                shutil.rmtree(left)
            finally:
                os.close(held)


def _locked(folder: Path, how: int) -> int:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(held, how)
    except OSError:
        os.close(held)
        raise
    return held


def packed(folder: Path, manifest: Manifest) -> Path:
    """Put the manifest and what it names into one file of that folder, readable by its owner alone."""
    file = folder / "backup.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        for name in manifest.files:
            archive.write(folder / name, name)
    file.chmod(0o600)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    return file


def must_be_there(source: Path) -> None:
    """NeedsHuman where there is no such file, before anything is made for what it has."""
    if not source.is_file():
        why = os.strerror(errno.ENOENT)
        raise NeedsHuman(f"{source} is no backup that can be read: {why}", remedy="name what `kangbot backup` wrote")


def unpacked(source: Path, folder: Path) -> Manifest:
    """Unpack what the manifest names, and compare it. NeedsHuman where anything is wrong with it; Refused: no room."""
    remedy = "take another backup"
    try:
        with zipfile.ZipFile(source) as archive:
            raw = archive.read(MANIFEST)
            if msgspec.json.decode(raw, type=_Begins).format > FORMAT:
                raise NeedsHuman(f"{source} was written by a later kangbot", remedy="restore it with that version")
            manifest = msgspec.json.decode(raw, type=Manifest)
            names = [*_plain(manifest)]
            if why := lacking(folder.parent, sum(archive.getinfo(name).file_size for name in names)):
                raise Refused(f"{source} cannot be unpacked: {why}; make room there")
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                with archive.open(name) as packed_file, (folder / name).open("wb") as file:
                    shutil.copyfileobj(packed_file, file)  # a history may be larger than the memory
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise Refused(f"{source} cannot be unpacked: {unwritten(folder.parent, error)}") from error
        raise NeedsHuman(f"{source} is no backup that can be read: {error}", remedy=remedy) from error
    wrong = [name for name, known in manifest.files.items() if checksum(folder / name) != known]
    if wrong or not {JOURNAL, CONFIG} <= manifest.files.keys():
        raise NeedsHuman(f"{source} is damaged: {', '.join(wrong) or 'it is not whole'}", remedy=remedy)
    return manifest


def _plain(manifest: Manifest) -> Iterator[str]:
    """Yield the names, where none leads out of the folder."""
    for name in manifest.files:
        if name in (JOURNAL, HISTORY, ROWS, CONFIG, KILL) or (name.startswith(f"{FOLDER}/") and name.count("/") == 1):
            yield name
        else:
            raise ValueError(f"it has a file of a strange name, {name!r}")


def checksum(path: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
