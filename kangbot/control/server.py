"""The daemon's control socket: HTTP on a Unix socket in the state folder.

Whoever may open the socket (mode 0600: the daemon's own user) may command the daemon; there is no other door yet. Every
answer is JSON; an error is `{"error": "..."}` in words.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from kangbot.errors import NeedsHuman
from kangbot.health.report import Report
from kangbot.market.killswitch import Standing
from kangbot.market.roster import Command, Place, UnknownMarketError
from kangbot.model.ids import MarketId

log = structlog.get_logger(__name__)

_CALLER = "control socket"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Protocol):
    """What the daemon lets a caller see and do."""

    def report(self) -> Report:
        """Return the whole daemon at this moment."""

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        """Command one market. UnknownMarketError where there is none."""

    def command_all(self, command: Command, caller: str) -> None:
        """START (staggered, in the background) or STOP every market."""

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        """Set the kill switch. NeedsHuman where no disk took it."""

    async def release(self, caller: str) -> Standing:
        """Release the kill switch. NeedsHuman where it stays set."""


class KillAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /kill`; it may be empty."""

    reason: str = ""
    flatten: bool = False


class ControlServer:
    """Serves `daemon` on `path` between `start` and `aclose`."""

    def __init__(self, daemon: Controlled, path: Path) -> None:
        self._daemon = daemon
        self._path = path
        app = web.Application(middlewares=[_errors_in_words], client_max_size=64 * 1024)
        app.router.add_get("/report", self._report)
        app.router.add_post("/markets/{market}/{command}", self._one)
        app.router.add_post("/start-all", self._all(Command.START))
        app.router.add_post("/stop-all", self._all(Command.STOP))
        app.router.add_post("/kill", self._kill)
        app.router.add_post("/release", self._release)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Begin to listen. A socket left by a killed daemon is replaced: the journal's lock proves that it is dead."""
        self._path.unlink(missing_ok=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._path)).start()
        self._path.chmod(0o600)

    async def aclose(self) -> None:
        """Stop listening; at most a second."""
        await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    async def _report(self, _: web.Request) -> web.Response:
        return _json(self._daemon.report())

    async def _one(self, request: web.Request) -> web.Response:
        try:
            command = Command(request.match_info["command"])
        except ValueError:
            raise web.HTTPNotFound(text=f"no command {request.match_info['command']!r}") from None
        place = self._daemon.command(MarketId(request.match_info["market"]), command, _CALLER)
        return _json(place)

    async def _kill(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=KillAsked)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=f"the body is not what a kill takes: {error}") from None
        return _json(await self._daemon.kill(asked.reason, _CALLER, flatten=asked.flatten))

    async def _release(self, _: web.Request) -> web.Response:
        return _json(await self._daemon.release(_CALLER))

    def _all(self, command: Command) -> _Handler:
        async def handle(_: web.Request) -> web.Response:
            self._daemon.command_all(command, _CALLER)
            return _json({"accepted": command.value})

        return handle


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


@web.middleware
async def _errors_in_words(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnknownMarketError as error:
        return _json({"error": str(error)}, 404)
    except NeedsHuman as error:
        return _json({"error": f"{error.message}; {error.remedy}"}, 503)
    except web.HTTPException as error:
        return _json({"error": error.text or error.reason}, error.status)
