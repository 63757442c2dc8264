"""Routes that look into the history database: a bounded page at a time, and never many questions at once.

The history is fed by the journal's drain over the same few connections; whoever looks back gets in its way as little as
one question can. The order path uses neither. Where the database is away the answer is 503, in words.
"""

import asyncio
from typing import Annotated

import msgspec

from kangbot.control.port import Controlled
from kangbot.control.reading import market_in, meant
from kangbot.control.route import NO_MARKET, Call, Handle, Route, get
from kangbot.errors import Retryable
from kangbot.market.naming import UnknownMarketError
from kangbot.model.ids import MarketId
from kangbot.model.market import timeframe_seconds
from kangbot.ports import Listing, Page

MOST_ROWS = 2000
_WAITING = 16  # questions that may wait for the one that is asked

_Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Market = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9:._/-]{1,128}$")]
Row = dict[str, str | int | None]


class Some(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows: `limit` of them, the newest first, after the first `offset`."""

    limit: _Limit = 100
    offset: _Offset = 0


class SomeOf(Some, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, of one market or of all."""

    market: _Market | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A page: amounts are text, exact to their digits; times are UTC as ISO 8601 says."""

    items: list[Row]


class LookingBack:
    """The handlers over one daemon."""

    def __init__(self, daemon: Controlled) -> None:
        self._daemon = daemon
        self._one = asyncio.Lock()
        self._waiting = 0

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        away = {503: "The history database is away, or too much is asked of it."}
        gone = NO_MARKET | away
        listings = (
            ("/orders", "Orders, with what became of them.", Listing.ORDERS, SomeOf),
            ("/fills", "Executions.", Listing.FILLS, SomeOf),
            ("/round-trips", "Trades from flat to flat, with their profit.", Listing.ROUND_TRIPS, SomeOf),
            ("/transfers", "Money that was moved into the account, or out of it.", Listing.TRANSFERS, Some),
            ("/equity", "The account's equity as the venue stated it.", Listing.EQUITY, Some),
            ("/events", "Everything else that is in the journal.", Listing.EVENTS, SomeOf),
        )
        return (
            *(
                get(path, summary, self._page(listing), Rows, query=query, also=gone if query is SomeOf else away)
                for path, summary, listing, query in listings
            ),
            get(
                "/markets/{market}/bars",
                "A market's candles, of its own timeframe.",
                self._bars,
                Rows,
                query=Some,
                also=gone,
            ),
        )

    def _page(self, listing: Listing) -> Handle:
        async def handle(call: Call) -> object:
            typed = call.query.market if isinstance(call.query, SomeOf) else None
            if typed is None:
                return await self._ask(listing, None, call.query)
            try:
                market = meant(self._daemon, typed)
            except UnknownMarketError:
                found = await self._ask(listing, MarketId(typed), call.query)
                if not found.items and not call.query.offset:  # nor is it a market that has left the configuration
                    raise
                return found
            return await self._ask(listing, market, call.query)

        return handle

    async def _bars(self, call: Call) -> object:
        market = market_in(self._daemon.report(), call.path["market"])
        return await self._ask(Listing.BARS, market.market, call.query, timeframe_seconds(market.timeframe))

    async def _ask(self, listing: Listing, market: MarketId | None, some: Some, timeframe_s: int | None = None) -> Rows:
        if self._waiting >= _WAITING:
            raise Retryable("the history is being asked more than it can answer; ask again in a moment")
        self._waiting += 1
        try:
            async with self._one:
                page = Page(
                    listing=listing, market=market, timeframe_s=timeframe_s, limit=some.limit, offset=some.offset
                )
                return Rows(items=[dict(row) for row in await self._daemon.page(page)])
        finally:
            self._waiting -= 1
