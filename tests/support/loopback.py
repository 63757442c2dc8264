"""An HTTP server on loopback that answers as a test says, or breaks as a test says.

It speaks bytes, so that half an answer, none, or a closed connection are as easy as a good one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, whole. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return msgspec.json.decode(self.body)


Respond = Callable[[Request], Awaitable[bytes | None]]  # None: close the connection without an answer


class Loopback:
    """`async with Loopback(respond) as server`: `server.url`, and in `server.requests` what was asked."""

    def __init__(self, respond: Respond, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._respond = respond
        self._place = (host, port)
        self.requests: list[Request] = []
        self.connections = 0
        self._open: dict[asyncio.Task[None], None] = {}
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def still_open(self) -> int:
        """How many connections the client holds open now."""
        return len(self._open)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, *self._place)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        while self._open:
            for serving in tuple(self._open):
                serving.cancel()
            await asyncio.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        serving = asyncio.current_task()
        assert serving is not None
        self._open[serving] = None
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                answer = await self._respond(request)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # asyncio's stream server would report a cancelled handler as an error
        finally:
            writer.close()
            del self._open[serving]


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    url = urlsplit(target)
    return Request(
        method=method,
        path=url.path,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=await reader.readexactly(int(headers.get("content-length", "0"))),
    )


def http(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """Return a whole answer."""
    lines = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {'OK' if status == 200 else 'No'}\r\n{head}\r\n".encode() + body
