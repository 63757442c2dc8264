"""What is said of a server that does not let us in, cannot be reached, or is none: what, where, and who must act."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.link import Link
from kangbot.storage.url import MysqlUrl


@asynccontextmanager
async def greeting(said: bytes) -> AsyncIterator[MysqlUrl]:
    """A service that greets with these bytes, and hangs up."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield address(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()


def address(port: int) -> MysqlUrl:
    """The database behind a port."""
    return MysqlUrl(user="trader", password="x", host="127.0.0.1", port=port, database="history")


def refusal(code: int, words: str) -> bytes:
    """The packet with which a server refuses a connection before it greets."""
    body = b"\xff" + code.to_bytes(2, "little") + words.encode()
    return len(body).to_bytes(3, "little") + b"\0" + body


async def link(url: MysqlUrl) -> Link:
    """Connect as everybody does."""
    return await Link.open(url, connect_s=5.0, statement_s=5.0)


async def test_why_nobody_answers_is_told() -> None:
    """In the system's words: a port where nothing listens is not a name that does not exist."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(Retryable, match=r"127\.0\.0\.1:\d+/history: it cannot be reached: Connection refused$"):
            await link(address(taken.getsockname()[1]))


async def test_another_service_is_told_from_a_database() -> None:
    """A wrong port, where a web server or a shell answers."""
    for said in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"):
        async with greeting(said) as url:
            with pytest.raises(Retryable, match="what answers there is no MariaDB or MySQL server"):
                await link(url)


async def test_a_host_that_is_not_let_in_is_a_persons_to_change() -> None:
    """And so is a server that asks for TLS; one that is only crowded is not."""
    for code, words in ((1130, "Host '10.1.2.3' is not allowed to connect"), (3159, "Connections using insecure")):
        async with greeting(refusal(code, words)) as url:
            with pytest.raises(NeedsHuman, match=words):
                await link(url)
    async with greeting(refusal(1040, "Too many connections")) as url:
        with pytest.raises(Retryable, match="Too many connections"):
            await link(url)
