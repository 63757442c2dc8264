"""Failures in the words of the wait they ask for."""

import socket

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidMessage, InvalidStatus, InvalidUpgrade
from websockets.frames import Close
from websockets.http11 import Response

from kangbot.feed.failure import FailureKind, classify

SECOND = 1_000_000_000
NO_ROUTE = "Connect call failed ('203.0.113.1', 443)"
AT = 1_790_000_000 * SECOND  # Mon, 21 Sep 2026 14:13:20 GMT


def status(code: int, **headers: str) -> InvalidStatus:
    return InvalidStatus(
        Response(code, "", Headers({name.replace("_", "-"): value for name, value in headers.items()}))
    )


def said_twice(code: int, *waits: str) -> InvalidStatus:
    headers = Headers()
    for wait in waits:
        headers["Retry-After"] = wait
    return InvalidStatus(Response(code, "", headers))


@pytest.mark.parametrize(
    ("error", "kind", "at_least_s"),
    [
        (TimeoutError("timed out during opening handshake"), FailureKind.TIMEOUT, 0),
        (ConnectionRefusedError(111, "refused"), FailureKind.UNREACHABLE, 0),
        (socket.gaierror(-2, "Name or service not known"), FailureKind.OFFLINE, 0),
        (OSError(101, "Network is unreachable"), FailureKind.OFFLINE, 0),
        (OSError(f"Multiple exceptions: [Errno 101] {NO_ROUTE}, [Errno 113] {NO_ROUTE}"), FailureKind.OFFLINE, 0),
        (OSError(f"Multiple exceptions: [Errno 101] {NO_ROUTE}, [Errno 111] refused"), FailureKind.UNREACHABLE, 0),
        (OSError("could not bind"), FailureKind.UNREACHABLE, 0),
        (ConnectionClosedError(None, None), FailureKind.CLOSED, 0),
        (ConnectionClosedError(Close(1006, ""), None), FailureKind.CLOSED, 0),
        (ConnectionClosedError(Close(1008, "too many requests"), None), FailureKind.POLICY, 0),
        (InvalidMessage("did not receive a valid HTTP response"), FailureKind.REJECTED, 0),
        (status(404), FailureKind.REJECTED, 0),
        (status(503), FailureKind.UNAVAILABLE, 0),
        (status(503, Retry_After="40"), FailureKind.UNAVAILABLE, 40),
        (status(429), FailureKind.RATE_LIMITED, 60),
        (status(429, Retry_After="7"), FailureKind.RATE_LIMITED, 7),
        (status(429, Retry_After="Mon, 21 Sep 2026 14:15:20 GMT"), FailureKind.RATE_LIMITED, 120),
        (status(429, Retry_After="soon"), FailureKind.RATE_LIMITED, 60),
        (status(418, Retry_After="0"), FailureKind.RATE_LIMITED, 120),
        (status(403), FailureKind.RATE_LIMITED, 600),
        (said_twice(429, "7", "9"), FailureKind.RATE_LIMITED, 9),
        (said_twice(503, "soon", "40"), FailureKind.UNAVAILABLE, 40),
        (status(429, Retry_After=str(72 * 3600)), FailureKind.RATE_LIMITED, 72 * 3600),
        (status(429, Retry_After="99999999999"), FailureKind.RATE_LIMITED, 60),
        (status(503, Retry_After="9" * 5000), FailureKind.UNAVAILABLE, 0),
        (status(503, Retry_After="Fri, 31 Dec 9999 00:00:00 GMT"), FailureKind.UNAVAILABLE, 0),
        (status(503, Retry_After=f"Mon, 01 Jan {10**20} 00:00:00 GMT"), FailureKind.UNAVAILABLE, 0),
    ],
)
def test_each_failure_has_its_kind_and_its_least_wait(error: Exception, kind: FailureKind, at_least_s: int) -> None:
    """A venue that says how long to stay away is obeyed to the second."""
    failure = classify(error, AT)
    assert (failure.kind, failure.at_least_ns) == (kind, at_least_s * SECOND)
    assert failure.message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (status(200), "HTTP 200 in place of a websocket: a portal or a proxy on the way answers in its place"),
        (status(302), "HTTP 302 in place of a websocket: a portal or a proxy on the way answers in its place"),
        (status(503), "HTTP 503 in place of a websocket"),
        (InvalidMessage("did not receive a valid HTTP response"), "what it answers is no HTTP"),
        (InvalidUpgrade("Connection"), "what it answers is no websocket (missing Connection header)"),
        (TimeoutError(), "no websocket in time: nothing answers, or too slowly"),
        (ConnectionClosedError(None, None), "the connection was broken off"),
        (
            ConnectionClosedError(Close(1001, ""), Close(1001, ""), rcvd_then_sent=True),
            "it closed the connection: 1001 (going away)",
        ),
        (ConnectionClosedError(Close(1008, "much"), None), "it closed the connection: 1008 (policy violation) much"),
        (ConnectionClosedError(None, Close(1009, "")), "we closed the connection: 1009 (message too big)"),
        (
            ConnectionClosedError(Close(1000, ""), Close(1009, ""), rcvd_then_sent=False),
            "we closed the connection: 1009 (message too big)",
        ),
    ],
)
def test_a_failure_is_told_in_words(error: Exception, message: str) -> None:
    """No class of a library: who did what, and who may stand between."""
    assert classify(error, AT).message == message
