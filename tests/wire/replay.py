"""A venue on loopback that says again what was recorded, over real websockets.

It is as strict as Binance: `/public/stream` carries the book and single trades, `/market/stream` the rest; a stream
asked for on the other path is acknowledged and stays mute. It begins when everything in `needed` is subscribed, and
then sends every recorded frame of the path, also those of streams that nobody asked for, as the recorded connection
had them all.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Self

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.wire.recorded import Frame

_PUBLIC = ("bookTicker", "depth", "trade")


class _Request(msgspec.Struct):
    method: str
    id: int
    params: list[str] = []


def path_of(stream: str) -> str:
    """Return the path that serves a stream: "public" or "market"."""
    return "public" if stream.partition("@")[2].startswith(_PUBLIC) else "market"


class Replay:
    """Serves `frames`; `speed` 1 is as recorded, None as fast as the reader takes them."""

    def __init__(self, frames: Sequence[Frame], *, needed: Collection[str], speed: float | None = None) -> None:
        self._frames = frames
        self._needed = frozenset(needed)
        self._speed = speed
        self._server: Server | None = None
        self.sent = 0
        self.requests: list[tuple[str, str]] = []  # (path, request) in the order of arrival

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, compression=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The host's address, without a path."""
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def of(self, path: str) -> Sequence[Frame]:
        """Return the recorded frames that a path carries."""
        return [frame for frame in self._frames if path_of(frame.stream) == path]

    async def _serve(self, socket: ServerConnection) -> None:
        path = socket.request.path.strip("/").partition("/")[0] if socket.request else ""
        waiting = {stream for stream in self._needed if path_of(stream) == path}
        playing: asyncio.Task[None] | None = None
        try:
            async for message in socket:
                self.requests.append((path, str(message)))
                request = msgspec.json.decode(message, type=_Request)
                await socket.send(msgspec.json.encode({"result": None, "id": request.id}), text=True)
                waiting.difference_update(request.params)
                if playing is None and not waiting:
                    playing = asyncio.create_task(self._play(socket, self.of(path)))
        finally:
            if playing is not None:
                playing.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await playing

    async def _play(self, socket: ServerConnection, frames: Sequence[Frame]) -> None:
        began_s = time.monotonic()
        for frame in frames:
            if self._speed is not None:
                due_s = began_s + (frame.received_us - frames[0].received_us) / 1e6 / self._speed
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await socket.send(frame.data, text=True)
            self.sent += 1
