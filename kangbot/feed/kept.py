"""What a host still counts against us, on disk: a daemon that is killed and starts again has not dialled less.

The file is replaced whole by a thread of its own, apart from the journal and the order path, and before the dial that
it counts. It is not forced to the disk: what `kill -9` leaves is what counts, and a power cut lasts longer than the
spans. A disk that takes nothing keeps nobody from dialling; it is told once.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Self

import msgspec
import structlog

from kangbot.runtime.threads import Worker

log = structlog.get_logger(__name__)

_WRITE_S = 1.0  # a disk that hangs must not leave the markets deaf


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The newest connects, oldest first, and until when the host asked to be left alone; our clock, epoch in ns."""

    stamps: tuple[int, ...] = ()
    until_ns: int = 0
    asked_ns: int = 0  # when it asked for that; 0: not known


class Kept:
    """One host's file: `read` it before the first dial. An asynchronous context manager, for its thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._worker = Worker("connects")
        self._failed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._worker.aclose(_WRITE_S)

    async def read(self) -> Counted:
        """Return what an earlier life left; nothing where there was none, or where it cannot be understood."""
        try:
            return msgspec.json.decode(await self._worker.run(self._path.read_bytes), type=Counted)
        except FileNotFoundError:
            return Counted()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("feed.connects_unread", file=str(self._path), error=str(error))
            return Counted()

    async def write(self, counted: Counted) -> None:
        """Replace the file; bounded in time, never raises for the disk's sake."""
        data = msgspec.json.encode(counted)
        try:
            async with asyncio.timeout(_WRITE_S):
                await self._worker.run(lambda: self._replace(data))
        except (OSError, TimeoutError) as error:
            if not self._failed:
                log.warning("feed.connects_unwritten", file=str(self._path), error=str(error) or "the disk is slow")
            self._failed = True
        else:
            self._failed = False

    def _replace(self, data: bytes) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(data)
            fresh.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
