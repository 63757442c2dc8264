"""The daemon's control socket: HTTP on a Unix socket in the state folder.

Whoever may open the socket (mode 0600: the daemon's own user) may command the daemon; there is no other door yet. Every
answer is JSON; an error is `{"error": "..."}` in words.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from kangbot.errors import KangbotError, NeedsHuman
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

    async def kept(self) -> None:
        """Wait until what was commanded is on disk. NeedsHuman where a restart would forget it."""

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        """Set the kill switch. NeedsHuman where no disk took it."""

    async def release(self, caller: str) -> Standing:
        """Release the kill switch. NeedsHuman where it stays set."""

    def release_market(self, market: MarketId, caller: str) -> None:
        """Lift a market's quarantine. UnknownMarketError where there is none."""


class KillAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /kill`; it may be empty."""

    reason: str = ""
    flatten: bool = False


class ControlServer:
    """Serves `daemon` on `path` between `start` and `aclose`."""

    def __init__(self, daemon: Controlled, path: Path) -> None:
        self._daemon = daemon
        self._path = path
        self._ours = False  # the file at `path` is the socket that we made
        self._told: dict[str, None] = {}  # the routes whose faults were logged
        app = web.Application(middlewares=[self._errors_in_words], client_max_size=64 * 1024)
        app.router.add_get("/live", self._live)
        app.router.add_get("/report", self._report)
        app.router.add_post("/markets/{market}/release", self._release_market)
        app.router.add_post("/markets/{market}/{command}", self._one)
        app.router.add_post("/start-all", self._all(Command.START))
        app.router.add_post("/stop-all", self._all(Command.STOP))
        app.router.add_post("/kill", self._kill)
        app.router.add_post("/release", self._release)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Begin to listen. A socket on which nobody answers, left by a killed daemon, is replaced.

        NeedsHuman where another daemon answers there, or where no socket can be made.
        """
        if await _answered(self._path):
            raise NeedsHuman(
                f"another daemon answers on the control socket {self._path}",
                remedy="stop that one, or give this one a socket of its own: [control] socket",
            )
        await self._runner.setup()
        try:
            self._path.unlink(missing_ok=True)
            await web.UnixSite(self._runner, str(self._path)).start()
            self._ours = True
            self._path.chmod(0o600)
        except OSError as error:
            raise NeedsHuman(
                f"the control socket {self._path} cannot be made: {error.strerror or error}",
                remedy="name one in a folder that this user may write: [control] socket",
            ) from error

    async def aclose(self) -> None:
        """Stop listening; at most a second."""
        await self._runner.cleanup()
        if self._ours:
            with contextlib.suppress(OSError):  # it may be replaced at the next start all the same
                self._path.unlink(missing_ok=True)

    async def _live(self, _: web.Request) -> web.Response:
        return _json({"live": True})  # the loop serves: that is the answer

    async def _report(self, _: web.Request) -> web.Response:
        return _json(self._daemon.report())

    async def _one(self, request: web.Request) -> web.Response:
        try:
            command = Command(request.match_info["command"])
        except ValueError:
            raise web.HTTPNotFound(text=f"no command {request.match_info['command']!r}") from None
        place = self._daemon.command(MarketId(request.match_info["market"]), command, _CALLER)
        await self._daemon.kept()
        return _json(place)

    async def _kill(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read() or b"{}", type=KillAsked)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=f"the body is not what a kill takes: {error}") from None
        return _json(await self._daemon.kill(asked.reason, _CALLER, flatten=asked.flatten))

    async def _release(self, _: web.Request) -> web.Response:
        return _json(await self._daemon.release(_CALLER))

    async def _release_market(self, request: web.Request) -> web.Response:
        market = MarketId(request.match_info["market"])
        self._daemon.release_market(market, _CALLER)
        return _json({"released": market})

    @web.middleware
    async def _errors_in_words(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownMarketError as error:
            return _json({"error": str(error)}, 404)
        except NeedsHuman as error:
            return _json({"error": f"{error.message}; {error.remedy}"}, 503)
        except KangbotError as error:
            return _json({"error": error.message}, 409)
        except web.HTTPException as error:
            return _json({"error": error.text or error.reason}, error.status)
        except Exception as error:
            resource = request.match_info.route.resource
            route = request.path if resource is None else resource.canonical
            if route not in self._told:  # a dashboard asks twice a second
                self._told[route] = None
                log.exception("control.fault", route=route)
            return _json({"error": f"a fault in the daemon, see its log: {type(error).__name__}: {error}"}, 500)

    def _all(self, command: Command) -> _Handler:
        async def handle(_: web.Request) -> web.Response:
            self._daemon.command_all(command, _CALLER)
            await self._daemon.kept()
            return _json({"accepted": command.value})

        return handle


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def _answered(path: Path) -> bool:
    """Whether somebody listens on the socket."""
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True
