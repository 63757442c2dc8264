"""How a host outside is reached, by which proxy and over which TLS, and why one was not, in words that tell what to do.

One way for requests, for streams and for the chat: where one of them trusts a host, they all do.
"""

import asyncio
import contextlib
import errno
import functools
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import certifi
from aiohappyeyeballs import AddrInfoType, start_connection

from kangbot.runtime.names import Names

HostNames = Names[Sequence[AddrInfoType]]

_NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})
_BROKEN = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_NAME_S = 5.0  # a resolver that is away takes longer, and would be told as a host that is
_NEXT_S = 0.25  # an address that has not answered by then is not waited for: RFC 8305, 8
_BETWEEN = "a proxy, a portal or a firewall on the way answers in its place"
# X509_V_ERR_…, openssl's x509_vfy.h. Whatever else is wrong with a certificate is a matter of whom to trust.
_CERTIFICATES = {
    9: "it is not valid yet: set this machine's clock",
    10: "it has expired: see this machine's clock; else it is the host's to renew",
    62: f"it is another host's: see the address and the DNS; else {_BETWEEN}",
    64: f"it is another host's: see the address and the DNS; else {_BETWEEN}",  # of a host that is an address
}


def trusted() -> ssl.SSLContext:
    """Return the TLS of every connection: the authorities are the system's, or those that SSL_CERT_FILE names.

    A system that has none, as slim images do, is lent certifi's. To be asked before each connection: within a daemon's
    months a host goes over to an authority that was only put into the file meanwhile.
    """
    trust = _trust()
    trust.look()
    return trust.context


class _Trust:
    """The one context, which whoever keeps connections keeps too; so what is new is added to it."""

    def __init__(self) -> None:
        self._file = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile
        self._read = self._mark()
        self.context = ssl.create_default_context()
        if not self.context.cert_store_stats()["x509_ca"]:
            self.context.load_verify_locations(certifi.where())

    def look(self) -> None:
        """Trust whom the file names by now. One that it names no more is trusted until the process ends."""
        mark = self._mark()
        if mark in ((), self._read):
            return
        with contextlib.suppress(OSError):  # half of it is written: the next look finds the rest
            self.context.load_verify_locations(self._file)
            self._read = mark

    def _mark(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._file)  # noqa: PTH116 -- a third of the cost of pathlib's
        except OSError:
            return ()
        return (status.st_ino, status.st_size, status.st_mtime_ns)


@functools.cache
def _trust() -> _Trust:
    return _Trust()


class ProxyUnusableError(OSError):
    """The environment names a proxy that is not spoken to, or cannot be found."""


def proxy(url: str) -> str | None:
    """Return the proxy by which the environment wants this address asked; None for nobody, as for this machine itself.

    HTTPS_PROXY and HTTP_PROXY, in either case, and NO_PROXY: what curl and a hundred other programs read. They are
    obeyed by ourselves: each library would take some of them, read files of passwords, or ask anew with every order.
    """
    parts, known = urlsplit(url), getproxies_environment()
    scheme = "https" if parts.scheme in ("https", "wss") else "http"
    named = known.get(scheme, "")
    if not named or here(parts.hostname or "") or proxy_bypass(parts.netloc):
        return None
    named = named if "://" in named else f"http://{named}"
    if not named.startswith("http://"):
        kind = named.partition("://")[0]
        raise ProxyUnusableError(
            f"{scheme.upper()}_PROXY names a proxy of the kind {kind}://, and only http:// is spoken"
        )
    if not _readable(named):
        raise ProxyUnusableError(
            f"{scheme.upper()}_PROXY names no host and port that can be read; write @ / : ? # [ ] in a password as "
            "%40 %2F %3A %3F %23 %5B %5D"
        )
    return named


def _readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def by_proxy(url: str) -> str:
    """Return which proxy is asked, for behind a host's name; "" for none. Its password stays out."""
    try:
        named = proxy(url)
    except ProxyUnusableError:
        return ""
    return f" by the proxy {urlsplit(named).netloc.rpartition('@')[2]}" if named else ""


def here(host: str) -> bool:
    """Whether it is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def addresses(host: str, port: int) -> Sequence[AddrInfoType]:
    """Return where the host is, as `Names` looks it up for `connected`."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def connected(names: HostNames, host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first of the host's addresses that answers. OSError where none does.

    A loop tries them in turn, each for as long as the system does, two minutes: an IPv6 address without a way there
    would hide the IPv4 beside it.
    """
    try:
        async with asyncio.timeout(_NAME_S):
            found = await names.find(host, port)
            if not found.now:  # where it does not lead there in time either, there may be no way out at all
                return await start_connection(found.answer, happy_eyeballs_delay=_NEXT_S)
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no answer within {_NAME_S:g} s") from None
    return await start_connection(found.answer, happy_eyeballs_delay=_NEXT_S)


def plainly(error: BaseException) -> str:
    """Return why a host was not reached, or was lost. A library's error is read by what the system said below it."""
    while isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, socket.gaierror):
        return f"its name does not resolve: {error.strerror}; see this machine's DNS"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {_CERTIFICATES.get(error.verify_code) or _untrusted(error)}"
    if isinstance(error, ssl.SSLError):
        why = (getattr(error, "reason", None) or "it ended").lower().replace("_", " ")
        return f"TLS with it fails ({why}): {_BETWEEN}"
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return "it refuses connections"
    if isinstance(error, OSError) and error.errno in _BROKEN:
        return "the connection was broken off"
    if isinstance(error, OSError) and error.errno in _NO_WAY_OUT:
        return f"no way leads there ({os.strerror(error.errno)}): see this machine's network"
    return str(error) or type(error).__name__


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    named = os.environ.get("SSL_CERT_FILE", "")
    if named and not os.access(named, os.R_OK):
        return f"SSL_CERT_FILE names {named}, which cannot be read"
    return (
        f"{error.verify_message}; {_BETWEEN}. Where that is meant, have SSL_CERT_FILE name a file of the authorities "
        "to trust"
    )
