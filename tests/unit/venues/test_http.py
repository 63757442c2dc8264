"""What can be known of a request that failed: each failure is made on a real socket."""

import asyncio
import functools
import gzip
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from kangbot.errors import words
from kangbot.runtime import reach
from kangbot.venues.http import Http, NoAnswer, NotSent, Reply, retry_after_ns
from tests.support.certificates import Authority
from tests.support.feed_words import until
from tests.support.loopback import Loopback, Request, http


def client(*, timeout_s: float = 60.0, connect_timeout_s: float = 60.0, connections: int = 8) -> Http:
    return Http(timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, connections=connections)


async def echo(request: Request) -> bytes:
    return http(request.body)


async def close(_: Request) -> None:
    return None


async def hang(_: Request) -> bytes:
    await asyncio.sleep(30)
    return http(b"late")


async def half(_: Request) -> bytes:
    return http(b"{}" * 100)[:-50]


async def post(to: Http, url: str, body: bytes = b"{}") -> Reply:
    return await to.send("POST", f"{url}/v5/order/create", {"Content-Type": "application/json"}, body)


async def test_an_answer_comes_whole_whatever_its_status() -> None:
    """Meaning is the adapter's; a status is never an exception here."""

    async def busy(_: Request) -> bytes:
        return http(b"slow down", status=429, headers={"Retry-After": "3"})

    async with Loopback(busy) as server:
        to = client()
        status, headers, body = await post(to, server.url)
        await to.aclose()
    assert (status, headers["retry-after"], body) == (429, "3", b"slow down")


async def test_requests_share_one_kept_alive_connection() -> None:
    """An order that has to connect first is late by round trips."""
    async with Loopback(echo) as server:
        to = client()
        for _ in range(3):
            await post(to, server.url)
        assert server.connections == 1
        await to.aclose()


async def test_of_what_a_burst_has_opened_only_what_is_used_stays() -> None:
    """The one that was used last: the others rest until they are closed, however many requests there are."""
    many, here = 6, asyncio.Event()

    async def together(request: Request) -> bytes:
        if len(server.requests) >= many:
            here.set()
        await here.wait()
        return http(request.body)

    async with Loopback(together) as server:
        to = Http(timeout_s=60.0, connect_timeout_s=60.0, keep_alive_s=1.0, connections=8)
        await asyncio.gather(*(post(to, server.url) for _ in range(many)))
        assert server.still_open == server.connections == many
        async with asyncio.timeout(60):
            while server.still_open > 1:
                await post(to, server.url)
                await asyncio.sleep(0.02)
        await post(to, server.url)
        assert server.connections == many
        await to.aclose()


async def test_the_address_is_sent_as_it_was_signed() -> None:
    """No encoding is added or taken away on the way."""
    async with Loopback(echo) as server:
        to = client()
        await to.send("GET", f"{server.url}/v5/order/history?cursor=a%253D%7Cb&limit=5", {}, None)
        await to.aclose()
    assert server.requests[0].query == {"cursor": "a%3D|b", "limit": "5"}


async def test_a_refused_connection_means_that_nothing_left() -> None:
    """The port is closed."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        to = client()
        port = unused.getsockname()[1]
        with pytest.raises(NotSent, match=f"^127.0.0.1:{port}: it refuses connections$"):
            await post(to, f"http://127.0.0.1:{port}")
        await to.aclose()


async def test_a_name_that_does_not_resolve_means_that_nothing_left() -> None:
    """RFC 6761 keeps .invalid from ever resolving."""
    to = client()
    with pytest.raises(NotSent, match=r"^venue\.invalid:80: its name does not resolve: "):
        await post(to, "http://venue.invalid")
    await to.aclose()


async def test_a_host_that_moves_is_found_at_its_new_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was resolved before is remembered for minutes, in which no order would leave."""
    resolve, addresses = socket.getaddrinfo, ["127.0.0.1"]

    def moving(_host: str, *arguments: Any, **named: Any) -> list[Any]:
        return list(resolve(addresses[0], *arguments, **named))

    monkeypatch.setattr(socket, "getaddrinfo", moving)
    to = client()
    async with Loopback(close) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(NoAnswer):
            await post(to, f"http://venue.test:{port}")
    addresses[:] = ["127.0.0.2"]
    async with Loopback(echo, host=addresses[0], port=port):
        with pytest.raises(NotSent):  # nobody is there any more
            await post(to, f"http://venue.test:{port}")
        assert (await post(to, f"http://venue.test:{port}")).status == 200
        await to.aclose()


async def test_a_resolver_that_became_slow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new connection would take as long as it does, and with a bound below that no order would ever leave."""
    resolve, silent = socket.getaddrinfo, threading.Event()

    def local(_host: str, *arguments: Any, **named: Any) -> list[Any]:
        return list(resolve("127.0.0.1", *arguments, **named))

    def slow(_host: str, *_: Any, **__: Any) -> list[Any]:
        silent.wait(60)
        return []

    monkeypatch.setattr("kangbot.runtime.names._SILENT_S", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", local)
    to = client(connect_timeout_s=2.0)
    async with Loopback(close) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(NoAnswer):
            await post(to, f"http://venue.test:{port}")
    with pytest.raises(NotSent):  # nobody is there, and the name is to be looked up again
        await post(to, f"http://venue.test:{port}")
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        async with Loopback(echo, port=port):
            assert (await post(to, f"http://venue.test:{port}")).status == 200
            await to.aclose()
    finally:
        silent.set()


async def test_a_proxy_that_refuses_means_that_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for the way to the host, and has not seen the request."""

    async def refuse(_: Request) -> bytes:
        return http(b"", status=407)

    async with Loopback(refuse) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        to = client()
        with pytest.raises(NotSent, match=r"^venue\.test:443 by the proxy 127\.0\.0\.1:\d+: the proxy refuses .*: 407"):
            await post(to, "https://venue.test")
        await to.aclose()
    assert [request.method for request in between.requests] == ["CONNECT"]


async def test_a_proxy_that_is_not_spoken_to_means_that_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a connection to it."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    to = client()
    with pytest.raises(NotSent, match="HTTPS_PROXY names a proxy of the kind socks5://"):
        await post(to, "https://venue.test")
    await to.aclose()


async def test_a_failed_handshake_means_that_nothing_left() -> None:
    """TLS to a server that speaks none: the request was still to be written."""
    async with Loopback(echo) as server:
        to = client(connect_timeout_s=0.2)
        with pytest.raises(NotSent):
            await post(to, server.url.replace("http:", "https:"))
        await to.aclose()
    assert server.requests == []


async def test_waiting_in_vain_for_a_connection_means_that_nothing_left() -> None:
    """The pool's only place is taken by a request that hangs."""
    async with Loopback(hang) as server:
        to = client(connect_timeout_s=4.0, connections=1)  # the first one must get it, on a busy machine too
        async with asyncio.timeout(120):
            first = asyncio.ensure_future(post(to, server.url))
            while not server.requests:
                await asyncio.sleep(0.001)
            with pytest.raises(NotSent):
                await post(to, server.url)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await to.aclose()
    assert len(server.requests) == 1


async def test_a_server_that_hangs_up_may_have_taken_the_request() -> None:
    """It was read whole, and no answer came. Nothing is sent a second time."""
    async with Loopback(close) as server:
        to = client()
        with pytest.raises(NoAnswer):
            await post(to, server.url)
        await to.aclose()
    assert len(server.requests) == 1


async def test_a_request_whose_host_is_looked_up_while_the_client_closes_is_not_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has cancelled whoever waits for it; where somebody does, that passes."""
    asked, silent = threading.Event(), threading.Event()

    def slow(_host: str, *_: Any, **__: Any) -> list[Any]:
        asked.set()
        silent.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    to = client()
    kept, left = (asyncio.create_task(post(to, "http://venue.test")) for _ in range(2))
    try:
        await until(asked.is_set)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        await to.aclose()
        with pytest.raises(NoAnswer, match=r"^venue\.test:80: the client was closed$"):
            await kept
    finally:
        silent.set()


async def test_a_timeout_may_have_been_taken() -> None:
    """The server has the request and says nothing."""
    async with Loopback(hang) as server:
        to = client(timeout_s=4.0)  # it must have left by then, on a busy machine too
        with pytest.raises(NoAnswer, match=r"^127\.0\.0\.1:\d+: no answer within 4 s$"):
            await post(to, server.url)
        await to.aclose()
    assert len(server.requests) == 1


async def test_whoever_waits_no_longer_learns_who_did_not_answer() -> None:
    """A deadline further out knows no host; one that was up before anything was asked has nothing to name."""
    to, patience = client(), asyncio.timeout(None)

    async def asked(request: Request) -> bytes:
        patience.reschedule(asyncio.get_running_loop().time() + 0.2)
        return await hang(request)

    async with Loopback(asked) as server:
        with pytest.raises(TimeoutError) as late:
            async with patience:
                await post(to, server.url)
        host = server.url.removeprefix("http://")
        assert re.fullmatch(rf"{host}: no answer in \d+\.\d s", words(late.value))
    await to.aclose()
    with pytest.raises(TimeoutError) as late:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)
    assert words(late.value) == "no answer in time"


async def test_half_an_answer_is_none() -> None:
    """The body ends before its length."""

    async def half_and_close(request: Request) -> bytes:
        return await half(request)

    async with Loopback(half_and_close) as server:
        to = client(timeout_s=1.0)
        with pytest.raises(NoAnswer):
            await post(to, server.url)
        await to.aclose()


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_beyond_all_bounds_is_none(*, packed: bool) -> None:
    """Whoever answers in the venue's place does not decide how much memory is taken."""
    much = bytes(40 << 20)

    async def flood(_: Request) -> bytes:
        return http(gzip.compress(much, 1), headers={"Content-Encoding": "gzip"}) if packed else http(much)

    async with Loopback(flood) as server:
        to = client(timeout_s=60.0)
        with pytest.raises(NoAnswer, match=r"127\.0\.0\.1 sends an answer of more than 32 MiB"):
            await post(to, server.url)
        await to.aclose()


async def test_an_answer_that_is_not_http_is_none() -> None:
    """Something else listens there; what it did with the request nobody knows."""

    async def garbage(_: Request) -> bytes:
        return b"220 mail.example ESMTP\r\n\r\n"

    async with Loopback(garbage) as server:
        to = client()
        with pytest.raises(NoAnswer):
            await post(to, server.url)
        await to.aclose()


async def test_a_redirect_is_not_followed() -> None:
    """A signed order goes where it was addressed, once."""

    async def elsewhere(_: Request) -> bytes:
        return http(b"", status=307, headers={"Location": "/elsewhere"})

    async with Loopback(elsewhere) as server:
        to = client()
        assert (await post(to, server.url)).status == 307
        await to.aclose()
    assert len(server.requests) == 1


async def test_a_cancelled_request_closes_its_connection() -> None:
    """It may have arrived; its answer must not meet the next request."""
    async with Loopback(hang) as server:
        to = client()
        sending = asyncio.ensure_future(post(to, server.url))
        async with asyncio.timeout(120):
            while not server.requests:
                await asyncio.sleep(0.001)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        await to.aclose()


async def test_closing_leaves_no_connection_open_and_nothing_is_sent_after() -> None:
    """The server sees the connection end; a late caller is told that nothing left."""
    async with Loopback(echo) as server:
        to = client()
        await post(to, server.url)
        assert server.still_open == 1
        await to.aclose()
        async with asyncio.timeout(120):
            while server.still_open:
                await asyncio.sleep(0.001)
        with pytest.raises(NotSent):
            await post(to, server.url)
        await to.aclose()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("said", "for_s"),
    [("7", 7), ("", 0), ("0", 0), ("-1", 0), ("1.5", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("9" * 16, 0)],
)
def test_how_long_to_wait_is_read_in_whole_seconds(said: str, for_s: int) -> None:
    """Whatever else stands there is as if it did not: the adapter knows its venue's own waits."""
    assert retry_after_ns({"Retry-After": said}) == for_s * 1_000_000_000
    assert retry_after_ns({}) == 0


async def test_a_host_whose_authority_was_put_into_our_file_meanwhile_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon is not restarted for it: the request after the one that was refused succeeds."""
    before, after = Authority(tmp_path / "before"), Authority(tmp_path / "after", "after")
    monkeypatch.setenv("SSL_CERT_FILE", str(before.ca))
    monkeypatch.setattr(reach, "_trust", functools.cache(reach._Trust))
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(*after.sign("host"))
    async with Loopback(echo) as plain:
        server = await asyncio.start_server(plain._serve, "127.0.0.1", 0, ssl=secure)
        to, url = client(), f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NotSent, match="its certificate is refused"):
            await post(to, url)
        before.ca.write_bytes(after.ca.read_bytes())
        with pytest.raises(NotSent, match="its certificate is refused"):
            await post(to, url)
        assert (await post(to, url)).status == 200
        await to.aclose()
        server.close()
