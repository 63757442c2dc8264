"""Answers on the control socket while the daemon reads a long journal, before anything else can be asked of it.

A journal whose history was away for weeks takes a minute to read, and nobody would answer meanwhile, as where no daemon
runs. So everybody is told how far it is: each answer is 503 with `Retry-After`, which our client takes for a daemon
that is there and cannot answer, so that `kangbot kill` leaves its file. `/live` is answered: the event loop serves.
"""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from aiohttp import hdrs, web

from kangbot.control.answers import HEADERS, answer, failure
from kangbot.control.server import answered

log = structlog.get_logger(__name__)

MANY = 100_000  # records: some two days of 27 markets, which are read before anybody has asked


class Beginning:
    """Answers between `async with` and its end, where the journal has many records from `first` to `last`.

    Not where another daemon answers on the socket, or where none can be made: `ControlServer.start` tells of that.
    """

    def __init__(self, path: Path, *, first: int, last: int) -> None:
        self._path = path
        self._many = last - first > MANY
        self._at, self._last = first, last
        self._runner: web.ServerRunner | None = None
        self._made = False

    def come_to(self, sequence: int) -> None:
        """Learn that the journal is read up to there."""
        self._at = sequence

    def words(self) -> str:
        """Return how far it is, in one line."""
        return f"reading its journal, {self._at:,} of {self._last:,} records"

    async def __aenter__(self) -> Self:
        if not self._many:
            return self
        log.info("journal.long", records=self._last - self._at)
        if await answered(self._path):
            return self
        self._runner = web.ServerRunner(web.Server(self._say), handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        with contextlib.suppress(OSError):
            await web.UnixSite(self._runner, str(self._path)).start()
            self._made = True
            self._path.chmod(0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._made:
            self._path.unlink(missing_ok=True)

    async def _say(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/live":
            said = answer({"live": True})
        else:
            said = failure(503, f"the daemon on {self._path} is {self.words()}", {hdrs.RETRY_AFTER: "1"})
        said.headers.update(HEADERS)
        return said
