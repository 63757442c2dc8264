"""Binance USD-M on loopback, for a daemon in a process of its own: a reel, behind the venue's REST and websockets.

REST knows `time`, `exchangeInfo` (as recorded), `klines` and `aggTrades`; whatever else is asked for, an order or an
account, is answered by 404 and kept in `strange`. Websockets are as strict as in replay.py: a stream asked for on the
other path is acknowledged and stays mute. A connection hears what it asked for, from that moment on.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.http11 import Request, Response

from tests.wire.reel import Reel
from tests.wire.replay import path_of

_MICROSECOND_NS = 1000


class _Asked(msgspec.Struct):
    method: str
    id: int
    params: list[str] = []


class ReelVenue:
    """What is served, and what was asked of it. Read the counters when the client has gone."""

    def __init__(self, reel: Reel, listing: bytes, *, now_ns: Callable[[], int] = time.time_ns, speed: int = 1) -> None:
        """`now_ns` is the venue's clock, epoch; `speed` how much faster than ours it runs."""
        self._reel = reel
        self._listing = listing
        self._now_ns = now_ns
        self._speed = speed
        self._open: dict[ServerConnection, None] = {}
        self.port = 0
        self.sent: Counter[str] = Counter()  # frames by stream
        self.answers = 0  # to requests on websockets
        self.subscribed: dict[str, set[str]] = {"public": set(), "market": set()}
        self.asked: Counter[str] = Counter()  # by REST endpoint
        self.strange: list[str] = []

    @property
    def rest_url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """The websockets' host, without a path."""
        return f"ws://127.0.0.1:{self.port}"

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        """Serve until it is over."""
        async with serve(self._talk, "127.0.0.1", 0, compression=None, process_request=self._rest) as server:
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await over.wait()

    def cut(self) -> None:
        """Break every connection as a network would: no close frame."""
        for socket in self._open:
            socket.transport.abort()

    # ------------------------------------------------------------------------------------------------------------ REST
    def _rest(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no websocket."""
        if request.headers.get("Upgrade"):
            return None
        url = urlsplit(request.path)
        endpoint = url.path.removeprefix("/fapi/v1/")
        self.asked[endpoint] += 1
        status, body = self._answer(endpoint, dict(parse_qsl(url.query)))
        return connection.respond(status, body)

    def _answer(self, endpoint: str, query: dict[str, str]) -> tuple[HTTPStatus, str]:
        now_ms = self._now_ns() // 1_000_000
        if endpoint == "time":
            return _ok({"serverTime": now_ms})
        if endpoint == "exchangeInfo":
            return HTTPStatus.OK, self._listing.decode()
        if endpoint not in ("klines", "aggTrades"):
            self.strange.append(endpoint)
            return HTTPStatus.NOT_FOUND, "<html>404</html>"
        if query["symbol"] not in self._reel.symbols:
            return HTTPStatus.BAD_REQUEST, '{"code":-1121,"msg":"Invalid symbol."}'
        most = int(query.get("limit", "500"))
        if endpoint == "aggTrades":
            return _ok(self._reel.trades(query["symbol"], now_ms, most))
        if query["interval"] != "1m":
            return HTTPStatus.BAD_REQUEST, '{"code":-1120,"msg":"Invalid interval."}'
        return _ok(self._reel.candles(query["symbol"], int(query.get("endTime", now_ms)), most))

    # ------------------------------------------------------------------------------------------------------ websockets
    async def _talk(self, socket: ServerConnection) -> None:
        path = socket.request.path.strip("/").partition("/")[0] if socket.request else ""
        heard: set[str] = set()
        self._open[socket] = None
        playing = asyncio.create_task(self._play(socket, path, heard))
        try:
            async for message in socket:
                asked = msgspec.json.decode(message, type=_Asked)
                if asked.method == "SUBSCRIBE":
                    heard.update(asked.params)
                    self.subscribed[path].update(asked.params)
                elif asked.method == "UNSUBSCRIBE":
                    heard.difference_update(asked.params)
                result = sorted(heard) if asked.method == "LIST_SUBSCRIPTIONS" else None
                await socket.send(msgspec.json.encode({"result": result, "id": asked.id}), text=True)
                self.answers += 1
        except ConnectionClosedError:
            return  # it was cut
        finally:
            del self._open[socket]
            playing.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await playing

    async def _play(self, socket: ServerConnection, path: str, heard: set[str]) -> None:
        for said in self._reel.after(self._now_ns() // _MICROSECOND_NS):
            await asyncio.sleep(max(0.0, said.at_us / 1e6 - self._now_ns() / 1e9) / self._speed)
            if said.stream in heard and path_of(said.stream) == path:
                await socket.send(said.data, text=True)
                self.sent[said.stream] += 1


def _ok(answer: Any) -> tuple[HTTPStatus, str]:
    return HTTPStatus.OK, msgspec.json.encode(answer).decode()


@contextmanager
def on_loopback(reel: Reel, listing: bytes) -> Iterator[ReelVenue]:
    """Serve the reel from a thread of its own while the caller waits for processes."""
    venue, ready, loop, over = ReelVenue(reel, listing), threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    serving = threading.Thread(target=lambda: loop.run_until_complete(venue.serve(ready, over)), daemon=True)
    serving.start()
    try:
        assert ready.wait(120)
        yield venue
    finally:
        loop.call_soon_threadsafe(over.set)
        serving.join(120)
        loop.close()


@asynccontextmanager
async def beside(venue: ReelVenue) -> AsyncIterator[None]:
    """Serve it on the running loop, beside whoever asks."""
    ready, over = threading.Event(), asyncio.Event()
    serving = asyncio.create_task(venue.serve(ready, over))
    try:
        while not ready.is_set():
            await asyncio.sleep(0.001)
        yield
    finally:
        over.set()
        await serving
