"""The sandbox exchange: the simulated venue on loopback, in Bybit v5's wire protocol.

async with await serve(ServeOptions()) as sandbox:
    print(sandbox.rest_url)
"""

import asyncio
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sandbox.control import Control
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import Faults
from kangbot.sandbox.hub import Hub
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.publisher import Publisher
from kangbot.sandbox.rest import Rest
from kangbot.sandbox.streams import Streams

log = structlog.get_logger(__name__)

_TURN_S = 0.01  # frames that fall due within one turn are written together
_SHUTDOWN_S = 1.0
_STREAMS = ("/v5/public/linear", "/v5/public/spot", "/v5/private")


class Sandbox:
    """A running sandbox. `aclose` is safe to call twice."""

    def __init__(
        self, options: ServeOptions, exchange: Exchange, streams: Streams, runner: web.AppRunner, tasks: Tasks
    ) -> None:
        self._streams = streams
        self._runner = runner
        self._tasks = tasks
        self.exchange = exchange
        self.port: int = runner.addresses[0][1]
        host = f"[{options.host}]" if ":" in options.host else options.host
        self.rest_url = f"http://{host}:{self.port}"
        self.ws_public_url = f"ws://{host}:{self.port}/v5/public/linear"
        self.ws_spot_url = f"ws://{host}:{self.port}/v5/public/spot"
        self.ws_private_url = f"ws://{host}:{self.port}/v5/private"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening, cut what is connected, end all tasks; bounded by about a second."""
        self._streams.drop("all")
        await self._tasks.aclose()
        await self._runner.cleanup()


async def serve(options: ServeOptions, clock: Clock | None = None) -> Sandbox:
    """Start a sandbox on the running loop. OSError where the address is taken."""
    exchange = Exchange(options, (clock or Clock()).shifted(round(options.clock_skew_s * SECOND_NS)))
    hub, faults = Hub(), Faults(exchange.world.fork("faults").random)
    tasks = Tasks("sandbox", _crashed)
    publisher = Publisher(exchange, hub, faults, exchange.world.fork("sandbox/faults"))
    streams = Streams(exchange, hub, faults, publisher.public, tasks)
    rest = Rest(exchange, faults, publisher, tasks)
    app = web.Application(client_max_size=1 << 20)
    app.router.add_routes([web.get(path, streams.serve) for path in _STREAMS])
    app.router.add_routes(Control(exchange, faults, streams, publisher).routes())
    app.router.add_route("*", "/v5/{tail:.*}", rest.serve)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError:
        await runner.cleanup()
        raise
    tasks.spawn("pump", _pump(publisher))
    return Sandbox(options, exchange, streams, runner, tasks)


async def _pump(publisher: Publisher) -> None:
    """Let the venue live: one turn every few milliseconds."""
    while True:
        publisher.turn()
        await asyncio.sleep(_TURN_S)


def _crashed(name: str, error: BaseException) -> None:
    log.error("sandbox.task_failed", task=name, error=repr(error))
