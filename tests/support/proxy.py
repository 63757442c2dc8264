"""A TCP proxy that can go silent: what a half-open link looks like from a client."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class SilentProxy:
    """Forwards a loopback port of its own to `port`; while `silent`, connections stay open and nothing passes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0
        self.silent = False
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._tasks.append(asyncio.create_task(self._pump(reader, back)))
        self._tasks.append(asyncio.create_task(self._pump(there, writer)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                if not self.silent:
                    sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.close()
