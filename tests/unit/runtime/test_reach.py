"""Whom TLS trusts, and the words for a host that was not reached: against servers on real sockets."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import certifi
import pytest

from kangbot.runtime.reach import plainly, trusted
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that SSL_CERT_FILE names."""
    own = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own.ca))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    trusted.cache_clear()
    yield own
    trusted.cache_clear()


@asynccontextmanager
async def serving(shown: tuple[Path, Path] | None) -> AsyncIterator[int]:
    """Serve with this certificate and its key, or without TLS; says the port."""
    context = None
    if shown is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*shown)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def met(port: int) -> str:
    """Return how connecting there fails, in words; "" where it does not."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted())
    except OSError as error:
        return plainly(error)
    writer.close()
    return ""


async def test_an_authority_is_trusted_that_ssl_cert_file_names(authority: Authority) -> None:
    """As every other program of the machine does."""
    async with serving(authority.sign("ours")) as port:
        assert await met(port) == ""


async def test_a_certificate_that_is_refused_says_why_and_what_to_do(authority: Authority, tmp_path: Path) -> None:
    """A clock that is wrong, a name that leads elsewhere, somebody in between: each asks for something else."""
    stranger = Authority(tmp_path / "stranger", "stranger")
    for shown, words in (
        (authority.sign("late", days=-1), "it has expired: see this machine's clock"),
        (authority.sign("early", since=-1), "it is not valid yet: set this machine's clock"),
        (authority.sign("other", "venue.test"), "it is another host's"),
        (stranger.sign("strange"), "have SSL_CERT_FILE name a file of the authorities to trust"),
    ):
        async with serving(shown) as port:
            assert words in await met(port)


async def test_a_file_of_authorities_that_cannot_be_read_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL passes over it in silence, and nobody would be trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    async with serving(authority.sign("ours")) as port:
        assert "SSL_CERT_FILE names /nowhere/ca.pem, which cannot be read" in await met(port)


def test_a_system_without_authorities_is_lent_some(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim image has none; no venue would be trusted there."""
    del authority
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    lent = ssl.create_default_context(cafile=certifi.where()).cert_store_stats()
    assert trusted().cert_store_stats() == lent


async def test_who_answers_without_tls_is_not_the_host(authority: Authority) -> None:
    """A portal of a hotel, or a proxy that takes plain text only."""
    del authority
    async with serving(None) as port:
        assert "a proxy, a portal or a firewall on the way answers in its place" in await met(port)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "its name does not resolve: Temporary failure"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "it refuses connections"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "the connection was broken off"),
        (OSError(errno.ENETUNREACH, "unreachable"), f"no way leads there ({os.strerror(errno.ENETUNREACH)})"),
        (ssl.SSLEOFError(), "TLS with it fails (it ended)"),
        (OSError("whatever else"), "whatever else"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_the_system_says_is_told_in_words(error: Exception, words: str) -> None:
    """Also where a library has wrapped it."""
    wrapped = RuntimeError("Cannot connect to host")
    wrapped.__cause__ = error
    assert words in plainly(error)
    assert isinstance(error, ValueError) or words in plainly(wrapped)
