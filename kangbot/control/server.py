"""The daemon's control API: HTTP on a Unix socket in the state folder, and on a TCP port of the loopback.

Whoever may open the socket (mode 0600: the daemon's own user) may command the daemon. Over TCP a token is needed, and
`door.py` says what else. Both serve the same routes, which `route.py` describes. Every answer is JSON; an error is
`{"error": "..."}` in words.
"""

import asyncio
import contextlib
import errno
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from kangbot.control.access import Access
from kangbot.control.again import Connections
from kangbot.control.answers import Mask, dress, errors_in_words
from kangbot.control.breaking import Breaking
from kangbot.control.commanding import Commanding
from kangbot.control.door import LOOPBACK_NAMES, Door, Guard, owner
from kangbot.control.entrance import Entrance
from kangbot.control.looking_back import LookingBack
from kangbot.control.openapi import document
from kangbot.control.port import Controlled
from kangbot.control.reading import Reading
from kangbot.control.route import Call, Route, get, mount
from kangbot.control.stream import Stream
from kangbot.control.tokens import tokens_in
from kangbot.errors import NeedsHuman
from kangbot.runtime.disk import FILES, NO_FILE, takes_no_file
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)

_LARGEST_BODY = 64 * 1024
_LOOK_S = 5.0  # whether the socket is where it was
Pages = Callable[[web.UrlDispatcher], None]  # adds what everybody may load: a page without data


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen over TCP, and for which names; `port` 0 is nowhere."""

    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()  # beside those of the loopback
    control_token: Path
    read_token: Path


class ControlServer:
    """Serves `daemon` on `path`, and where `listen` says, between `start` and `aclose`.

    `hide` is told the tokens before anything is served, so that no log shows them; `mask` takes secrets out of words.
    """

    def __init__(
        self,
        daemon: Controlled,
        path: Path,
        *,
        clock: Clock,
        listen: Listen | None = None,
        pages: Pages = lambda _: None,
        mask: Mask = str,
        hide: Callable[..., None] = lambda *_: None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._listen = listen
        self._pages = pages
        self._mask = mask
        self._hide = hide
        self._site: web.UnixSite | None = None  # the socket that we made
        self._inode = 0  # its file's, while it is ours
        documented = get("/openapi.json", "This document.", self._openapi, dict[str, Any])
        self._told = daemon.told
        self._stream = Stream(daemon.report, daemon.judge, clock)
        self._routes = (
            *Reading(daemon).routes(),
            *Commanding(daemon).routes(),
            *Breaking(daemon).routes(),
            *LookingBack(daemon).routes(),
            self._streamed(),
            documented,
        )
        self._version = version("kangbot")  # that which runs: another may be installed under it
        self._served = self._routes  # with those that are for TCP alone
        self._runners: list[web.BaseRunner] = []
        self.port = 0  # of the TCP listener, where there is one

    async def _openapi(self, _: Call) -> object:
        return document(self._served, self._version)

    def _streamed(self) -> Route:
        async def listen(call: Call) -> object:
            return await self._stream.listen(call.request, call.caller.access.word, call.caller.still)

        return Route(
            method="GET",
            path="/stream",
            summary="A websocket: report and health as a snapshot, then what changes in them, as JSON.",
            handle=listen,
            access=Access.READ,
            returns=None,
            media="The websocket is open.",
            status=101,
            also={400: "Not a websocket's beginning.", 503: "Too many listen already."},
        )

    async def start(self) -> None:
        """Begin to listen. A socket on which nobody answers, left by a killed daemon, is replaced.

        NeedsHuman where another daemon answers there, where no socket can be made, or where a token file is of no use.
        A TCP port that is taken is told of and left alone: the daemon trades, and answers on its socket.
        """
        if await answered(self._path):
            raise NeedsHuman(
                f"another daemon answers on the control socket {self._path}",
                remedy="stop that one, or give this one a socket of its own: [control] socket",
            )
        self._owners = await self._runner(owner, self._routes, (), lambda: 0, strict=False)
        try:
            await self._make()
        except OSError as error:
            why, no_file = error.strerror or error, takes_no_file(self._path.parent, error)
            do = "move away what lies there, or name one in a folder that this user may write: [control] socket"
            raise NeedsHuman(
                f"the control socket {self._path} cannot be made: {why}{NO_FILE if no_file else ''}",
                remedy=FILES if no_file else "make room on its disk" if error.errno == errno.ENOSPC else do,
            ) from error
        if self._listen is not None and self._listen.port:
            await self._listen_on(self._listen)

    async def _make(self) -> None:
        """Make the socket, for its owner alone. OSError where it cannot be made."""
        self._site = web.UnixSite(self._owners, str(self._path))
        await self._site.start()
        self._inode = self._path.stat().st_ino
        self._path.chmod(0o600)

    async def run(self) -> None:
        """Make the socket anew where somebody has removed it, for ever: else nobody could reach the daemon any more.

        One system call every few seconds. Where another daemon has made its own there, that one is left alone.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self._inode or self._path.exists() or not self._path.parent.is_dir():
                continue
            if self._site is not None:
                await self._site.stop()
                self._site = None
            with contextlib.suppress(OSError):  # the folder may be read-only: it is looked for again
                await self._make()
                log.warning("control.socket_lost", file=str(self._path))

    async def _listen_on(self, listen: Listen) -> None:
        tokens = tokens_in(listen.control_token, listen.read_token)
        self._hide(*tokens.secrets)
        names = (*LOOPBACK_NAMES, *listen.names)
        door = Door(tokens=tokens, clock=self._clock, names=names, cookie_name=f"kangbot_{listen.port}")
        self._served = (*self._routes, *Entrance(door, self._told).routes())
        runner = await self._runner(
            door.admit, self._served, (door.same_house,), lambda: door.wrong_tokens, strict=True
        )
        try:
            await web.TCPSite(runner, listen.host, listen.port, reuse_address=True).start()
        except OSError as error:
            why = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            do = "set [control] port, or end the other program, then restart"
            log.error("control.no_port", host=listen.host, port=listen.port, why=why, remedy=do)  # noqa: TRY400 -- all said
            return
        self.port = listen.port
        log.info("control.listening", host=listen.host, port=listen.port)

    async def _runner(
        self,
        guard: Guard,
        routes: tuple[Route, ...],
        first: tuple[Middleware, ...],
        wrong_tokens: Callable[[], int],
        *,
        strict: bool,
    ) -> web.ServerRunner:
        app = web.Application(middlewares=[errors_in_words(self._mask), *first], client_max_size=_LARGEST_BODY)
        app.on_response_prepare.append(dress)
        mount(app.router, routes, guard, strict=strict)
        self._pages(app.router)
        application = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._runners.append(application)
        await application.setup()
        assert application.server is not None  # it is set up
        runner = web.ServerRunner(
            Connections(application.server, wrong_tokens), handle_signals=False, shutdown_timeout=1.0
        )
        self._runners.insert(0, runner)  # whoever listens ends before what it serves
        await runner.setup()
        return runner

    async def aclose(self) -> None:
        """Stop listening; at most a second for each listener."""
        ours, self._inode = self._inode, 0  # first: from Python 3.13 on it goes with its listener, and is not missed
        await self._stream.aclose()  # or their open answers would be waited for
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        with contextlib.suppress(OSError):  # it may be replaced at the next start all the same
            if self._path.stat().st_ino == ours:  # not the one of a daemon that has come after
                self._path.unlink()


async def answered(path: Path) -> bool:
    """Whether somebody listens on the socket."""
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True
