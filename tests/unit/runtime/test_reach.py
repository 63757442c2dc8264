"""Whom TLS trusts, and the words for a host that was not reached: against servers on real sockets."""

import errno
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import certifi
import pytest

from kangbot.runtime.names import Names
from kangbot.runtime.reach import (
    HostNames,
    ProxyUnusableError,
    _trust,
    addresses,
    by_proxy,
    connected,
    plainly,
    proxy,
    trusted,
)
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that SSL_CERT_FILE names."""
    own = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own.ca))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    _trust.cache_clear()
    yield own
    _trust.cache_clear()


@contextmanager
def serving(shown: tuple[Path, Path] | None) -> Iterator[int]:
    """Serve one connection with this certificate and its key, or without TLS; says the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            one, _ = listening.accept()
            with one:
                if shown is None:
                    one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    one.recv(1 << 16)
                    return
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*shown)
                with suppress(OSError), context.wrap_socket(one, server_side=True) as secured:
                    secured.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def met(port: int) -> str:
    """Return how connecting there fails, in words; "" where it does not."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            trusted().wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return ""
    except OSError as error:
        return plainly(error)


def test_an_authority_is_trusted_that_ssl_cert_file_names(authority: Authority) -> None:
    """As every other program of the machine does."""
    with serving(authority.sign("ours")) as port:
        assert met(port) == ""


def test_an_authority_that_was_put_into_the_file_meanwhile_is_trusted(authority: Authority, tmp_path: Path) -> None:
    """By the context that was given before, too, and beside those that were there; a half of the file does no harm."""
    given, new = trusted(), Authority(tmp_path / "new", "new")
    with serving(new.sign("fresh")) as port:
        assert "is refused" in met(port)
    both = authority.ca.read_bytes() + new.ca.read_bytes()
    authority.ca.write_bytes(new.ca.read_bytes()[:200])
    assert trusted() is given
    authority.ca.unlink()
    assert trusted() is given
    authority.ca.write_bytes(both)
    for shown in (new.sign("fresh"), authority.sign("ours")):
        with serving(shown) as port:
            assert met(port) == ""
    assert trusted() is given


def test_a_certificate_that_is_refused_says_why_and_what_to_do(authority: Authority, tmp_path: Path) -> None:
    """A clock that is wrong, a name that leads elsewhere, somebody in between: each asks for something else."""
    stranger = Authority(tmp_path / "stranger", "stranger")
    for shown, words in (
        (authority.sign("late", days=-1), "it has expired: see this machine's clock"),
        (authority.sign("early", since=-1), "it is not valid yet: set this machine's clock"),
        (authority.sign("other", "venue.test"), "it is another host's"),
        (stranger.sign("strange"), "have SSL_CERT_FILE name a file of the authorities to trust"),
    ):
        with serving(shown) as port:
            assert words in met(port)


def test_a_file_of_authorities_that_cannot_be_read_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL passes over it in silence, and nobody would be trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with serving(authority.sign("ours")) as port:
        assert "SSL_CERT_FILE names /nowhere/ca.pem, which cannot be read" in met(port)


def test_a_system_without_authorities_is_lent_some(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim image has none; no venue would be trusted there."""
    del authority
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    lent = ssl.create_default_context(cafile=certifi.where()).cert_store_stats()
    assert trusted().cert_store_stats() == lent


def test_who_answers_without_tls_is_not_the_host(authority: Authority) -> None:
    """A portal of a hotel, or a proxy that takes plain text only."""
    del authority
    with serving(None) as port:
        assert "a proxy, a portal or a firewall on the way answers in its place" in met(port)


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


@pytest.fixture
async def names() -> AsyncIterator[HostNames]:
    """The names of one owner."""
    own = Names("test", addresses)
    yield own
    await own.aclose()


@contextmanager
def silent(address: str) -> Iterator[int]:
    """Yield the port at which somebody listens there whom no connection reaches."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind((address, 0))
        listening.listen(0)  # one may wait; whoever comes later is not heard
        for waiting in (first, second):
            waiting.setblocking(False)  # noqa: FBT003 -- the system's own
            with suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        yield listening.getsockname()[1]


async def test_an_address_that_is_silent_does_not_hide_the_one_beside_it(
    monkeypatch: pytest.MonkeyPatch, names: HostNames
) -> None:
    """An IPv6 address without a way there, in front of an IPv4 address that works."""
    resolve = socket.getaddrinfo
    with silent("127.0.0.2") as port:

        def both(_host: str, *arguments: Any, **named: Any) -> list[Any]:
            return [*resolve("127.0.0.2", *arguments, **named), *resolve("127.0.0.1", *arguments, **named)]

        with socket.create_server(("127.0.0.1", port)):
            monkeypatch.setattr(socket, "getaddrinfo", both)
            with await connected(names, "venue.test", port) as found:
                assert found.getpeername() == ("127.0.0.1", port)


async def test_a_resolver_that_is_silent_is_told_as_that(monkeypatch: pytest.MonkeyPatch, names: HostNames) -> None:
    """Not as a host that does not answer."""
    answered = threading.Event()
    monkeypatch.setattr("kangbot.runtime.reach._NAME_S", 0.01)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60))
    try:
        with pytest.raises(socket.gaierror) as caught:
            await connected(names, "venue.test", 443)
    finally:
        answered.set()
    assert "its name does not resolve: no answer within 0.01 s" in plainly(caught.value)


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that answers nobody until the event is set, and all of them then."""
    resolve, answered = socket.getaddrinfo, threading.Event()

    def late(_host: str, *arguments: Any, **named: Any) -> list[Any]:
        answered.wait(60)
        return list(resolve("127.0.0.1", *arguments, **named))

    monkeypatch.setattr(socket, "getaddrinfo", late)
    try:
        yield answered
    finally:
        answered.set()


async def test_an_answer_that_comes_too_late_is_the_next_connects(
    monkeypatch: pytest.MonkeyPatch, names: HostNames
) -> None:
    """A resolver that always takes longer than a connect may is slow, and no reason to be deaf for ever."""
    monkeypatch.setattr("kangbot.runtime.reach._NAME_S", 2.0)
    monkeypatch.setattr("kangbot.runtime.names._SILENT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with slow(monkeypatch) as answered:
            with pytest.raises(socket.gaierror):
                await connected(names, "venue.test", port)
            answered.set()
            assert (await names.find("venue.test", port)).now
        with slow(monkeypatch), await connected(names, "venue.test", port) as found:
            assert found.getpeername() == ("127.0.0.1", port)


async def test_what_was_known_leads_nowhere_in_time_either(monkeypatch: pytest.MonkeyPatch, names: HostNames) -> None:
    """Neither the resolver answers nor the address: that is told as no way out, not as the host's silence."""
    monkeypatch.setattr("kangbot.runtime.reach._NAME_S", 0.3)
    monkeypatch.setattr("kangbot.runtime.names._SILENT_S", 0.05)
    with silent("127.0.0.1") as port:
        with slow(monkeypatch) as answered:
            answered.set()
            await names.find("venue.test", port)
        with slow(monkeypatch), pytest.raises(socket.gaierror, match="no answer within"):
            await connected(names, "venue.test", port)


@pytest.mark.parametrize(
    ("url", "asked", "said"),
    [
        ("https://venue.test/v5", "http://me:secret@10.0.0.1:3128", " by the proxy 10.0.0.1:3128"),
        ("wss://venue.test/v5/public", "http://me:secret@10.0.0.1:3128", " by the proxy 10.0.0.1:3128"),
        ("ws://venue.test", "http://10.0.0.2:8080", " by the proxy 10.0.0.2:8080"),
        ("https://near.test", None, ""),
        ("https://127.0.0.1:8790", None, ""),
        ("ws://[::1]:8790", None, ""),
        ("http://localhost:8790", None, ""),
    ],
)
def test_the_proxy_that_the_environment_names_is_asked(
    monkeypatch: pytest.MonkeyPatch, url: str, asked: str | None, said: str
) -> None:
    """By requests and streams alike; never for this machine itself, and its password is nobody's to read."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@10.0.0.1:3128")
    monkeypatch.setenv("http_proxy", "10.0.0.2:8080")
    monkeypatch.setenv("NO_PROXY", "near.test")
    assert (proxy(url), by_proxy(url)) == (asked, said)


@pytest.mark.parametrize(
    "named",
    ["http://me:pa[ss@10.0.0.1:3128", "http://[bad:3128", "10.0.0.1:port", "10.0.0.1:99999", "http://", "http://:0"],
)
def test_a_proxy_that_cannot_be_read_is_refused_without_its_password(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever asks falls over it, each in words of its own, an order as one that may have left."""
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(ProxyUnusableError, match=r"^HTTPS_PROXY names no host and port that can be read") as refused:
        proxy("https://venue.test")
    assert "ss@" not in str(refused.value)
    assert by_proxy("https://venue.test") == ""


def test_a_proxy_of_another_kind_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be spoken to in words that it does not know."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@10.0.0.1:1080")
    with pytest.raises(ProxyUnusableError, match=r"^HTTPS_PROXY names a proxy of the kind socks5://"):
        proxy("https://venue.test")
    assert by_proxy("https://venue.test") == ""
