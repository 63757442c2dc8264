"""Why a connection failed, in the words of how long to wait before the next one.

Timeouts wait longer than refusals, because a link that swallows packets does not get better by more of them; a venue
that counts requests is obeyed to the second. Retrying is the stream's business.
"""

import errno
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from enum import StrEnum

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus, ProxyError

from kangbot.machines.pauses import LONGEST_NS
from kangbot.runtime.reach import plainly
from kangbot.runtime.world import SECOND_NS


class FailureKind(StrEnum):
    """What ended a connection or kept it from opening."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"  # refused, reset
    OFFLINE = "offline"  # no such name, no route: no byte found its way out
    CLOSED = "closed"  # it was open, and ended
    POLICY = "policy"  # the venue closed it with 1008: too much of something
    RATE_LIMITED = "rate_limited"  # 429, 418, 403
    REJECTED = "rejected"  # another 4xx: the address or the request is wrong
    UNAVAILABLE = "unavailable"  # 5xx
    DEAF = "deaf"  # we closed it: nothing came
    LOGIN = "login"  # we closed it: the key was refused
    FAULT = "fault"  # an error of our own


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One failure. `at_least_ns` is what the other side asked for, 0 where it did not say."""

    kind: FailureKind
    message: str
    at_least_ns: int = 0


_NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})
_NUMBERS = re.compile(r"\[Errno (\d+)\]")

# Without a Retry-After. 403 is how the CDN in front of Bybit says "access too frequent"; its ban lasts ten minutes.
_BANS_S: Mapping[int, int] = {429: 60, 418: 120, 403: 600}


def classify(error: Exception, now_ns: int) -> Failure:
    """Return the failure that `error` of the websockets library or of the system stands for."""
    if isinstance(error, InvalidStatus):
        return _from_status(error.response.status_code, error.response.headers.get_all("Retry-After"), now_ns)
    if isinstance(error, ConnectionClosed):
        policy = error.rcvd is not None and error.rcvd.code == 1008
        return Failure(kind=FailureKind.POLICY if policy else FailureKind.CLOSED, message=goodbye(error))
    if isinstance(error, TimeoutError):
        return Failure(kind=FailureKind.TIMEOUT, message="no websocket in time: nothing answers, or too slowly")
    message = plainly(error)
    if isinstance(error, socket.gaierror):
        return Failure(kind=FailureKind.OFFLINE, message=message)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and _no_way_out(error):
        return Failure(kind=FailureKind.OFFLINE, message=message)
    if isinstance(error, OSError):
        return Failure(kind=FailureKind.UNREACHABLE, message=message)
    # The rest of the library's: a handshake not to be had.
    if isinstance(error, ProxyError):
        return Failure(kind=FailureKind.REJECTED, message=f"no way there: {error}")
    what = "no HTTP" if isinstance(error, InvalidMessage) else f"no websocket ({error})"
    return Failure(kind=FailureKind.REJECTED, message=f"what it answers is {what}")


def goodbye(error: ConnectionClosed) -> str:
    """Return how an open connection ended, and which side ended it."""
    if error.rcvd is None and error.sent is None:
        return "the connection was broken off"
    if error.rcvd is not None and (error.rcvd_then_sent or error.sent is None):
        return f"it closed the connection: {error.rcvd}"
    return f"we closed the connection: {error.sent}"


def _no_way_out(error: OSError) -> bool:
    """Return whether no route led out. asyncio and uvloop make one error without a number of several addresses'."""
    if error.errno is not None:
        return error.errno in _NO_WAY_OUT
    numbers = {int(number) for number in _NUMBERS.findall(str(error))}
    return bool(numbers) and numbers <= _NO_WAY_OUT


def _from_status(status: int, retry_after: Sequence[str], now_ns: int) -> Failure:
    """Return the failure. Where a proxy on the way says for how long as well as the venue, the longest holds."""
    wait_ns = max((_retry_after_ns(said, now_ns) for said in retry_after), default=0)
    message = f"HTTP {status} in place of a websocket"
    if status < 400:
        message += ": a portal or a proxy on the way answers in its place"
    if status in _BANS_S:
        at_least_ns = wait_ns or _BANS_S[status] * SECOND_NS
        return Failure(kind=FailureKind.RATE_LIMITED, message=message, at_least_ns=at_least_ns)
    kind = FailureKind.UNAVAILABLE if status >= 500 else FailureKind.REJECTED
    return Failure(kind=kind, message=message, at_least_ns=wait_ns)


def _retry_after_ns(text: str, now_ns: int) -> int:
    """Return the wait a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date).

    0 where it says nothing, or what no venue asks for.
    """
    try:
        wait_ns = int(text) * SECOND_NS if text.isdecimal() else _until_ns(text) - now_ns
    except (ValueError, OverflowError):  # no date; or a number of thousands of digits, a year of twenty
        return 0
    return wait_ns if 0 < wait_ns <= LONGEST_NS else 0


def _until_ns(date: str) -> int:
    return int(parsedate_to_datetime(date).timestamp() * SECOND_NS)
