"""The last accepted versions of the configuration's file, each with its time and its cause.

    state/config/0007-20260131T120000Z-edit.toml

They are the file's own text. A secret is in none of them: the loader accepts no file that holds one.
"""

import contextlib
import io
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from kangbot.settings.daemon import DEFAULT_STATE_DIR
from kangbot.settings.plain import read_plain

FOLDER = "config"
KEPT = 20
_NAME = re.compile(r"^(?P<number>\d{4,})-(?P<at>\d{8}T\d{6}Z)-(?P<cause>[a-z0-9_-]+)\.toml$")
_TIME = "%Y%m%dT%H%M%SZ"
_TIME_US = "%Y%m%dT%H%M%S.%fZ"
_ASIDE = ".corrupted."
_PATH = r"""[ \t]*=[ \t]*(?P<mark>["'])(?P<path>[^"'\\\n\0]+)(?P=mark)"""
_STATE = re.compile(rf"^[ \t]*state_dir{_PATH}", re.MULTILINE)
_SOCKET = re.compile(rf"^[ \t]*(?:control[ \t]*\.[ \t]*)?socket{_PATH}", re.MULTILINE)  # no other section has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One accepted version."""

    number: int
    at: str  # UTC, as in its name
    cause: str
    path: Path


class Versions:
    """The versions in a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER

    def all(self) -> list[Version]:
        """Return them, oldest first."""
        try:
            names = sorted(self._folder.iterdir())
        except FileNotFoundError:
            return []
        found = [(path, match) for path in names if (match := _NAME.match(path.name))]
        return sorted(
            (Version(number=int(m["number"]), at=m["at"], cause=m["cause"], path=path) for path, m in found),
            key=lambda version: version.number,
        )

    def keep(self, text: bytes, cause: str, now_ns: int) -> Version:
        """Keep `text` as the newest version, where it is not that already, and return that. OSError: no room."""
        known = self.all()
        if known and known[-1].path.read_bytes() == text:
            return known[-1]
        number = known[-1].number + 1 if known else 1
        at = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime(_TIME)
        words = re.sub(r"[^a-z0-9_-]+", "-", cause.lower())[:40] or "edit"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{number:04d}-{at}-{words}.toml"
        write_whole(path, text)
        for old in known[: max(0, len(known) + 1 - KEPT)]:
            old.path.unlink(missing_ok=True)
        return Version(number=number, at=at, cause=words, path=path)

    def set_aside(self, text: bytes, name: str, now_ns: int) -> Path | None:
        """Keep a copy of a file that is wrong, once for each content, and return it; None where no version is kept.

        A copy, since a person may be in the middle of an edit; here, since the file's own folder may be read-only, and
        for this user alone, since what is wrong with it may be a secret in it. OSError: no room.
        """
        if not self.all():
            return None
        known = sorted(self._folder.glob(f"*{_ASIDE}*"), key=lambda path: path.name.rpartition(_ASIDE)[2])
        for path in known:
            if path.read_bytes() == text:
                return path
        at = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime(_TIME_US)
        path = self._folder / f"{name}{_ASIDE}{at}"
        write_whole(path, text)
        path.chmod(0o600)
        for old in known[: max(0, len(known) + 1 - KEPT)]:
            old.unlink(missing_ok=True)
        return path


def state_of(config: Path, environ: Mapping[str, str]) -> Path:
    """Return the state folder of a file that may be wrong everywhere else: the variable, its own word, the default."""
    try:
        text = _text(config)
    except OSError:
        text = ""
    found = _STATE.search(text)
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    said = environ.get("KANGBOT_STATE_DIR") or (found and found["path"]) or given or str(DEFAULT_STATE_DIR)
    return config.parent / said


def socket_of(config: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the control socket of such a file: the variable, its own word; None where neither says one."""
    try:
        found = _SOCKET.search(_text(config))
    except OSError:
        found = None
    said = environ.get("KANGBOT_CONTROL__SOCKET") or (found and found["path"])
    return config.parent / said if said else None


def _text(config: Path) -> str:
    return read_plain(config).decode("utf-8-sig", errors="replace")


def way_back(config: Path, environ: Mapping[str, str], now_ns: int) -> str:
    """Set a copy of a file aside that cannot be started from; return lines that say so, and how to go back.

    "" where no version was ever accepted. Never raises OSError: what is wrong has been said, and must not be hidden.
    """
    state = state_of(config, environ)
    kept = Versions(state)
    try:
        newest = kept.all()[-1]
    except (OSError, IndexError):
        return ""
    words = (
        f"The last accepted version is {newest.number}, of {newest.at}; this puts it in the file's place:\n"
        f"  kangbot config restore {newest.number} --config {config} --state {state}\n"
    )
    try:
        aside = kept.set_aside(read_plain(config), config.name, now_ns)
    except OSError:
        return words
    return f"A copy of the file is {aside}.\n{words}"


def write_whole(path: Path, text: bytes) -> None:
    """Put `text` in the file's place at once: whoever reads finds the old one or the new one, and so does a crash.

    Whoever could read the old one can read the new one, and nobody else.
    """
    _put_whole(path, io.BytesIO(text))


def copy_whole(source: Path, path: Path, *, mode: int | None = None) -> None:
    """Put a copy of `source` in the file's place, likewise; it may be larger than the memory.

    `mode` is that of a file that was not there; None: as the process makes them.
    """
    with source.open("rb") as file:
        _put_whole(path, file, mode)


def _put_whole(path: Path, source: BinaryIO, mode: int | None = None) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            if mode is not None:
                fresh.chmod(mode)
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        _open_to_the_same(fresh, path)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)  # a full disk keeps no half of it
        raise


def _open_to_the_same(fresh: Path, path: Path) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    new = fresh.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):  # a hardened unit forbids even the call
        with contextlib.suppress(PermissionError):  # only root gives a file to somebody else
            os.chown(fresh, old.st_uid, old.st_gid)
    fresh.chmod(stat.S_IMODE(old.st_mode))
