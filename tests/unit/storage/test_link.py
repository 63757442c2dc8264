"""What is said of a server that does not let us in, cannot be reached, or is none: what, where, and who must act."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage import migrate
from kangbot.storage.link import Link, _has_row_alias
from kangbot.storage.url import MysqlUrl, Tls, TlsMode
from tests.support.impostor import Impostor


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


def address(port: int, tls: Tls | None = None) -> MysqlUrl:
    """The database behind a port."""
    return MysqlUrl(user="trader", password="x", host="127.0.0.1", port=port, database="history", tls=tls)


def refusal(code: int, words: str) -> bytes:
    """The packet with which a server refuses a connection before it greets."""
    body = b"\xff" + code.to_bytes(2, "little") + words.encode()
    return len(body).to_bytes(3, "little") + b"\0" + body


async def link(url: MysqlUrl) -> Link:
    """Connect as everybody does."""
    return await Link.open(url, connect_s=60.0, statement_s=60.0)


async def test_why_nobody_answers_is_told() -> None:
    """In the system's words: a port where nothing listens is not a name that does not exist."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(Retryable, match=r"127\.0\.0\.1:\d+/history: it cannot be reached: Connection refused$"):
            await link(address(taken.getsockname()[1]))


async def test_another_service_is_told_from_a_database() -> None:
    """A wrong port, where a web server or a shell answers; or bytes that a greeting cannot be read from."""
    short, empty, nonsense = b"\x01\x00\x00\x00\x0a", bytes(4), b"\x20\x00\x00\x00\x0a\xff\xfe\x00" + bytes(29)
    for said in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", short, empty, nonsense):
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


@pytest.mark.parametrize(
    ("code", "words", "remedy"),
    [
        (1114, "The table 'events' is full", "make room on the disk of the database server"),
        (1021, "Disk full (./events.ibd); waiting for someone to free some space", "make room"),
        (1030, 'Got error 28 "No space left on device" from storage engine InnoDB', "make room"),
        (3, "Error writing file './b.000001' (Errcode: 122 \"Disk quota exceeded\")", "make room"),
        (1290, "The MariaDB server is running with the --read-only option", "is a replica"),
        (1836, "Running in read-only mode", "is a replica"),
    ],
)
async def test_a_server_that_takes_no_more_is_a_persons_to_see_to(code: int, words: str, remedy: str) -> None:
    """A full disk, and a replica that an address has come to lead to: neither passes by waiting."""
    async with greeting(refusal(code, words)) as url:
        with pytest.raises(NeedsHuman) as caught:
            await link(url)
    assert words in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("mode", [TlsMode.REQUIRED, TlsMode.VERIFY_CA, TlsMode.VERIFY_IDENTITY])
async def test_nothing_of_the_login_is_sent_in_plain_text_where_tls_is_asked_for(mode: TlsMode) -> None:
    """A server without TLS, or somebody on the way who says that it has none: refused, by both drivers."""
    with Impostor(tls=False) as there:
        url = address(there.port, Tls(mode=mode))
        for attempt in (link(url), asyncio.to_thread(migrate.check, url)):
            with pytest.raises(NeedsHuman, match="TLS is asked for, and the server offers none; no password was sent"):
                await attempt
            assert await asyncio.to_thread(there.heard) == b""


async def test_plain_text_is_what_an_address_without_a_word_of_tls_gets() -> None:
    """From both drivers, also where the server offers more: what is not checked protects from nobody."""
    with Impostor(tls=True) as there:
        for attempt in (link(address(there.port)), asyncio.to_thread(migrate.check, address(there.port))):
            with pytest.raises(Retryable):
                await attempt
            assert b"trader\0" in await asyncio.to_thread(there.heard)


async def test_a_handshake_that_stands_still_ends_in_time() -> None:
    """And the other side sees the end of it."""
    with Impostor(tls=True, silent=True) as there:
        with pytest.raises(Retryable, match=r"did not answer within 1 s"):
            await Link.open(address(there.port, Tls(mode=TlsMode.REQUIRED)), connect_s=1.0, statement_s=5.0)
        assert b"trader" not in await asyncio.to_thread(there.heard)


async def test_a_host_that_is_known_by_its_address_is_asked_for_its_own_certificate() -> None:
    """Whoever is at that address shows the name's, or is not believed."""
    with Impostor(tls=True, silent=True) as there:
        named = replace(address(there.port, Tls(mode=TlsMode.VERIFY_IDENTITY)), host="history.test")
        with pytest.raises(Retryable, match="did not answer within"):
            await Link.open(named, connect_s=0.5, statement_s=5.0, at="127.0.0.1")
        assert b"history.test" in await asyncio.to_thread(there.heard)


async def test_what_speaks_no_tls_after_all_is_told() -> None:
    """It offers TLS and hangs up, or speaks something else."""
    with Impostor(tls=True) as there:
        with pytest.raises(Retryable, match=r":\d+/history: "):
            await link(address(there.port, Tls(mode=TlsMode.REQUIRED)))
        assert b"trader" not in await asyncio.to_thread(there.heard)


@pytest.mark.parametrize(
    ("server", "has_it"),
    [
        ("8.0.36-2ubuntu3", True),
        ("8.0.19", True),
        ("9.1.0", True),
        ("8.0.18", False),
        ("5.7.44-log", False),
        ("5.5.5-10.11.11-MariaDB-0+deb12u1", False),
        ("11.8.9-MariaDB-0+deb13u1", False),
        ("a proxy's own", False),
    ],
)
def test_new_rows_get_a_name_where_mysql_wants_one(server: str, has_it: bool) -> None:
    """It warns of the other way from 8.0.20 on. MariaDB, whose version begins with a MySQL's on the wire, has none."""
    assert _has_row_alias(server) is has_it
