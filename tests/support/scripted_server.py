"""Whoever answers in MariaDB's protocol as a test says: each statement well, by an error, by silence or by its end.

For what a connection does at a failure in the middle of a transaction, which no server of its own accord has at the
moment that is asked for. What a real one answers is asked of a real one, in tests/conformance/history.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Self

from kangbot.storage.url import MysqlUrl
from tests.support.impostor import PLAIN, greeting

_OK = b"\0\0\0\2\0\0\0"
_END = b"\xfe\0\0\2\0"
_QUIT, _QUERY = 1, 3
_AT_ONCE = struct.pack("ii", 1, 0)  # without waiting for what is still to be sent: so it is a reset


class Fault(Enum):
    """What is no answer."""

    SILENT = auto()  # never
    CUT = auto()  # the connection ends
    UNENDED = auto()  # rows that begin, and never end
    DEAF = auto()  # never, and nothing is read any more


Answer = int | Fault | Sequence[Sequence[object]] | None  # an error's code, nothing, rows, done
Respond = Callable[[str], Answer]


class ScriptedServer:
    """`async with ScriptedServer() as server`: `said` is what it was told, `respond` how it answers."""

    def __init__(self, respond: Respond = lambda _: None) -> None:
        self.respond = respond
        self.said: list[str] = []  # the statements, in order, without those that set a session up
        self.set_up: list[str] = []  # those
        self.goodbyes = 0
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.StreamWriter, None] = {}

    @property
    def url(self) -> MysqlUrl:
        """Its address."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return MysqlUrl(user="trader", password="s3cret", host="127.0.0.1", port=port, database="history")

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._serving)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection that there is."""
        for writer in self._serving:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving[writer] = None
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._converse(reader, writer)
        del self._serving[writer]
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting(PLAIN))
        await _packet(reader)
        _write(writer, 2, _OK)
        while (said := await _packet(reader))[0] != _QUIT:
            assert said[0] == _QUERY, said
            statement = said[1:].decode()
            (self.set_up if statement.startswith("SET SESSION") else self.said).append(statement)
            answer = self.respond(statement)
            if answer is Fault.CUT:
                writer.transport.abort()
                return
            if answer is Fault.DEAF:
                writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is one that reads too
            for number, body in enumerate(_worded(answer), 1):
                _write(writer, number, body)
        self.goodbyes += 1


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    return await reader.readexactly(int.from_bytes(head[:3], "little"))


def _write(writer: asyncio.StreamWriter, number: int, body: bytes) -> None:
    writer.write(len(body).to_bytes(3, "little") + bytes([number % 256]) + body)


def _worded(answer: Answer) -> list[bytes]:
    """Return the answer as packets: done, refused, or rows, whose values are all text."""
    if answer is None:
        return [_OK]
    if isinstance(answer, Fault):
        return _worded([["1"]])[:-1] if answer is Fault.UNENDED else []
    if isinstance(answer, int):
        return [b"\xff" + answer.to_bytes(2, "little") + b"#HY000refused as asked"]
    width = len(answer[0]) if answer else 1
    columns = [_column(f"c{number}") for number in range(width)]
    rows = [b"".join(b"\xfb" if value is None else _text(str(value)) for value in row) for row in answer]
    return [bytes([width]), *columns, _END, *rows, _END]


def _column(name: str) -> bytes:
    names = b"".join(map(_text, ("def", "", "", "", name, name)))
    return names + b"\x0c" + b"\x2d\0" + b"\xff\0\0\0" + b"\xfd" + b"\0\0" + b"\0" + b"\0\0"


def _text(text: str) -> bytes:
    raw = text.encode()
    return (bytes([len(raw)]) if len(raw) < 251 else b"\xfc" + len(raw).to_bytes(2, "little")) + raw
