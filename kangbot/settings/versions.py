"""The last accepted versions of the configuration's file, each with its time and its cause.

    state/config/0007-20260131T120000Z-edit.toml

They are the file's own text. A secret is in none of them: the loader accepts no file that holds one.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = "config"
KEPT = 20
_NAME = re.compile(r"^(?P<number>\d{4,})-(?P<at>\d{8}T\d{6}Z)-(?P<cause>[a-z0-9_-]+)\.toml$")
_TIME = "%Y%m%dT%H%M%SZ"


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


def write_whole(path: Path, text: bytes) -> None:
    """Put `text` in the file's place at once: whoever reads finds the old one or the new one, and so does a crash."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
