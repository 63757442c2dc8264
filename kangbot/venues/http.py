"""One kept-alive HTTP client a venue, which tells of a failed request whether it can have left.

Signing, endpoints and the meaning of answers belong to the venue's adapter. Nothing is retried here and no redirect is
followed: a signed order must arrive once, where it was addressed.
"""

import asyncio
import socket
from collections.abc import Mapping
from time import perf_counter_ns
from typing import Any, NamedTuple

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from kangbot.health.latency import Timings
from kangbot.machines.pauses import LONGEST_NS
from kangbot.runtime.names import Names
from kangbot.runtime.reach import ProxyUnusableError, by_proxy, plainly, proxy, trusted


class NotSent(Exception):
    """No byte of the request left: no connection could be made. The same request may be made again."""


class NoAnswer(Exception):
    """The request may have arrived: the connection broke or the time was up after it was made."""


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes


# What aiohttp raises only while it makes a connection: resolving, dialling, the TLS handshake, waiting for a place in
# the pool. Of everything else (a reset, a server that hung up, the total time being up, a broken answer) it cannot be
# told whether the request had arrived.
_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)

_SAID = (
    (aiohttp.ServerDisconnectedError, "it hung up without an answer"),
    (aiohttp.ClientPayloadError, "its answer broke off"),
    (aiohttp.ClientResponseError, "what it answers is no HTTP"),
)


# The longest answers are lists of all instruments, of some megabytes. Without a bound whoever answers in the venue's
# place (a portal, a proxy, some kilobytes that unpack to a gigabyte) fills a small machine's memory in one timeout.
_MOST_BYTES = 32 << 20


class _Resolver(AbstractResolver):
    """aiohttp's own, which is not waited for where it is silent and has answered before."""

    def __init__(self) -> None:
        self._names = Names("requests", self._look)
        self._asked = aiohttp.ThreadedResolver()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 -- aiohttp's signature: it asks for any
    ) -> list[ResolveResult]:
        return (await self._names.find(host, port)).answer

    async def close(self) -> None:
        await self._names.aclose()

    async def _look(self, host: str, port: int) -> list[ResolveResult]:
        return await self._asked.resolve(host, port, socket.AF_UNSPEC)


class _Warmest(aiohttp.TCPConnector):
    """Gives a request the connection that was used last, where aiohttp gives it the one that has rested longest.

    By turns, all that one burst has opened would be used often enough never to be closed, each after a rest of about
    as long as a server waits before it hangs up: an order would leave on the one that is most likely to be lost.
    How aiohttp keeps them is its own affair: should another release do it otherwise, the tests say so.
    """

    async def _get(self, key: Any, traces: Any) -> Any:
        if resting := self._conns.get(key):
            resting.rotate(1)  # the first is taken, and what is given back becomes the last
        return await super()._get(key, traces)


class Http:
    """A pool of connections. Made outside a loop, opened by the first request, bound to the loop of that request.

    `timeout_s` bounds a request in all; `connect_timeout_s`, within it, the wait for a connection, so that being
    unable to connect is told apart from not being answered. `keep_alive_s` is how long an idle connection is kept:
    longer than the account's slow beat of questions (a minute), so that an order finds one that is warm. A server that
    closes it earlier is noticed when that arrives; only a request written in the same instant ends as NoAnswer.
    The environment's proxy is asked, where it names one. `timings` counts how long requests took, by endpoint.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        keep_alive_s: float = 75.0,
        connections: int = 32,
        timings: Timings | None = None,
    ) -> None:
        self._timings = timings or Timings()
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_timeout_s)
        self._keep_alive_s = keep_alive_s
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._resolver: _Resolver | None = None
        self._closed = False
        self._host = ""  # who is asked, in words

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Send one request and return its whole answer, whatever its status. NotSent, NoAnswer.

        `url` is taken as it is, already encoded: what was signed is what is sent. Cancelled, it may have arrived.
        """
        session = self._session or self._open(url)
        target, began_ns = yarl.URL(url, encoded=True), perf_counter_ns()
        try:
            async with session.request(method, target, headers=headers, data=body, allow_redirects=False) as response:
                return Reply(response.status, response.headers, await _whole(response))
        except _BEFORE_SENDING as error:
            assert isinstance(session.connector, aiohttp.TCPConnector)
            session.connector.clear_dns_cache()  # the host may have moved: what is remembered leads nowhere
            if target.scheme == "https":
                trusted()  # its certificate may be of an authority that was put into our file meanwhile
            raise NotSent(f"{self._host}: {self._said(error, self._timeout.connect)}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer(f"{self._host}: {self._said(error, self._timeout.total)}") from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():  # the making of its connection was
                raise NoAnswer(f"{self._host}: the client was closed") from error
            # Whose time is up mostly knows a deadline and no host: it finds this where it says why (`errors.words`).
            error.add_note(f"{self._host}: no answer in {(perf_counter_ns() - began_ns) / 1e9:.1f} s")
            raise
        finally:
            self._timings.observe(f"{method} {target.raw_path}", perf_counter_ns() - began_ns)

    def _open(self, url: str) -> aiohttp.ClientSession:
        if self._closed:
            raise NotSent("the client is closed")
        self._host = f"{yarl.URL(url, encoded=True).authority}{by_proxy(url)}"
        try:
            between = proxy(url)
        except ProxyUnusableError as error:
            raise NotSent(f"{self._host}: {error}") from error
        secure = trusted() if url.startswith("https") else True
        self._resolver = _Resolver()
        self._session = aiohttp.ClientSession(
            connector=_Warmest(
                ssl=secure,
                limit=self._connections,
                keepalive_timeout=self._keep_alive_s,
                ttl_dns_cache=300,
                resolver=self._resolver,
            ),
            timeout=self._timeout,
            proxy=between,
            cookie_jar=aiohttp.DummyCookieJar(),  # an API needs none, and a jar costs time with every request
        )
        return self._session

    @staticmethod
    def _said(error: Exception, within_s: float | None) -> str:
        if isinstance(error, TimeoutError):
            what = "connection" if isinstance(error, _BEFORE_SENDING) else "answer"
            return f"no {what} within {within_s:g} s"
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return f"the proxy refuses the way there: {error.status} {error.message}"
        return next((said for kind, said in _SAID if isinstance(error, kind)), "") or plainly(error)

    async def aclose(self) -> None:
        """Close every connection; requests under way end as NoAnswer. Bounded by a second. Safe to call twice."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None and self._resolver is not None:
            try:
                async with asyncio.timeout(1.0):
                    await session.close()
            except TimeoutError:
                pass  # a TLS goodbye that nobody answers; the sockets are closed all the same
            finally:
                await self._resolver.close()


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, unpacked; NoAnswer once it is longer than any venue's."""
    pieces: list[bytes] = []
    room = _MOST_BYTES
    while piece := await response.content.readany():
        room -= len(piece)
        if room < 0:
            response.close()
            raise NoAnswer(f"{response.url.host} sends an answer of more than {_MOST_BYTES >> 20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def retry_after_ns(headers: Mapping[str, str]) -> int:
    """Return for how long `Retry-After` asks to be left alone, in nanoseconds.

    0 where it does not say, in seconds, or says what no venue asks for.
    """
    return believed(whole(headers.get("Retry-After", "")) * 1_000_000_000)


def believed(wait_ns: int) -> int:
    """Return the wait; 0 where it is longer than any venue's: by a header that is wrong no exit would ever leave."""
    return wait_ns if wait_ns <= LONGEST_NS else 0


def whole(text: str) -> int:
    """Return the whole number that a header holds; 0 where it holds none."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0
