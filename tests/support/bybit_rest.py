"""A scripted Bybit on loopback: rows by path, and what was asked for them. For what the sandbox would not say."""

from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from kangbot.model.ids import client_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Intent, OrderKind, Purpose, Side
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.instruments import instrument_of
from tests.support.loopback import Loopback, Request, http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY, SECRET = "the-key", "the-secret"
NOW_MS = 1_700_000_000_000

BTC = instrument_of()
SPOT = instrument_of(kind=InstrumentKind.SPOT)

Rows = Callable[[Request], Any]


def result(value: Any, *, at_ms: int = NOW_MS) -> bytes:
    """Return a success with this result."""
    return http(msgspec.json.encode({"retCode": 0, "retMsg": "OK", "result": value, "retExtInfo": {}, "time": at_ms}))


def refusal(code: int, message: str = "no", *, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """Return a refusal with this code."""
    body = {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": NOW_MS}
    return http(msgspec.json.encode(body), status=status, headers=headers)


def rows(*values: Any, cursor: str = "") -> dict[str, Any]:
    """Return one page."""
    return {"list": list(values), "nextPageCursor": cursor}


class Bybit:
    """The venue under test, the server it talks to, and what the server was asked."""

    def __init__(self, venue: BybitVenue, server: Loopback) -> None:
        self.venue = venue
        self.server = server

    def asked(self, path: str = "") -> list[Request]:
        """Return the requests to `path`, or all."""
        return [request for request in self.server.requests if request.path.endswith(path)]


@asynccontextmanager
async def bybit(paths: Mapping[str, Rows | bytes], **settings: Any) -> "AsyncIterator[Bybit]":
    """Serve `paths` (the end of a path → an answer's bytes, or a function from the request to a result or bytes)."""

    async def respond(request: Request) -> bytes:
        for path, answer in paths.items():
            if request.path.endswith(path):
                said = answer if isinstance(answer, bytes) else answer(request)
                return said if isinstance(said, bytes) else result(said)
        return http(b"404 page not found", status=404)

    async with Loopback(respond) as server:
        venue = BybitVenue(
            key=KEY,
            secret=SECRET,
            rest_url=server.url,
            **{
                "now_ns": lambda: 42,
                "venue_now_ms": lambda: NOW_MS,
                "timeout_s": 5.0,
                "connect_timeout_s": 2.0,
                **settings,
            },
        )
        try:
            yield Bybit(venue, server)
        finally:
            await venue.aclose()


def intent(**changes: Any) -> Intent:
    """Return a limit entry of 0.01 at 25000.5, changed as asked."""
    plain = Intent(
        client_id=client_id("abcdefgh", 1),
        number=1,
        market=BTC.market,
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity=Decimal("0.010"),
        price=Decimal("25000.5"),
        reference=Decimal(25001),
        reason="test",
        at_ns=0,
        deadline_ns=5_000_000_042,
    )
    return msgspec.structs.replace(plain, **changes)
