"""Questions to Binance USD-M over REST, and a clear no to everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from kangbot.errors import KangbotError, NeedsHuman, NotFound, RateLimited, Refused, Retryable
from kangbot.health.latency import Timings
from kangbot.model.data import Trade
from kangbot.model.ids import ClientId, Symbol
from kangbot.model.orders import Side
from kangbot.ports import IdRule
from tests.support.binance_rest import BTC, NOW_MS, binance, candle, candles, contract, listing, refusal, ticker, trade
from tests.support.loopback import Loopback, Request, http
from tests.support.trade_words import intent

MINUTE_MS = 60_000
BITCOIN = Symbol("BTC/USDT:USDT")


# -------------------------------------------------------------------------------------------------------- instruments
async def test_the_markets_asked_for_come_with_their_rules() -> None:
    """In one request; the narrower of a limit order's and a market order's bounds holds."""
    async with binance({"exchangeInfo": lambda _: listing(contract("ETH"), contract(), contract("XRP"))}) as world:
        assert await world.venue.instruments([BITCOIN]) == {BITCOIN: BTC}
        assert world.asked() == [{}]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "SETTLING"},
        {"status": "PENDING_TRADING", "contractType": ""},
        {"contractType": "CURRENT_QUARTER", "symbol": "BTCUSDT_251226"},
        {"quoteAsset": "USDC", "marginAsset": "USDC", "symbol": "BTCUSDC"},
    ],
)
async def test_what_is_no_perpetual_or_does_not_trade_is_absent(other: dict[str, Any]) -> None:
    """Also where its base and quote are those of a market that was asked for."""
    async with binance({"exchangeInfo": lambda _: listing(contract(**other))}) as world:
        assert await world.venue.instruments([BITCOIN, Symbol("BTC/USDT")]) == {}


async def test_rules_that_binance_does_not_state_do_not_bind() -> None:
    """Neither a largest quantity nor a smallest value; without a tick or a step no order could be formed."""
    price, lot = contract()["filters"][:2]
    bare = contract(filters=[price, lot | {"maxQty": "0"}])
    async with binance({"exchangeInfo": lambda _: listing(bare)}) as world:
        found = (await world.venue.instruments([BITCOIN]))[BITCOIN]
        assert found.max_quantity is None
        assert found.min_notional == 0
    async with binance({"exchangeInfo": lambda _: listing(contract(filters=[price]))}) as world:
        with pytest.raises(Retryable, match="LOT_SIZE"):
            await world.venue.instruments([BITCOIN])


# --------------------------------------------------------------------------------------------------------------- bars
async def test_bars_are_the_newest_closed_ones() -> None:
    """Oldest first, without the minute that is not over by the venue's clock; digits as they were written."""
    async with binance({"klines": candles}) as world:
        bars = await world.venue.bars(BTC, 60, 3)
        assert world.asked("klines") == [{"symbol": "BTCUSDT", "interval": "1m", "limit": "4"}]
    assert [after.open_ns - before.open_ns for before, after in pairwise(bars)] == [60_000_000_000] * 2
    assert bars[-1].close_ns == NOW_MS // MINUTE_MS * MINUTE_MS * 1_000_000
    newest = bars[-1]
    assert (newest.market, newest.timeframe_s) == (BTC.market, 60)
    shape = [str(value) for value in (newest.open, newest.high, newest.low, newest.close, newest.volume)]
    assert shape == candle(0)[1:6]


async def test_a_candle_that_ends_while_it_is_asked_for_is_left_to_the_stream() -> None:
    """The clock is read before: what had ended by then is final, whatever the answer holds besides."""

    def late(_: Request) -> list[Any]:
        return [candle(NOW_MS // MINUTE_MS * MINUTE_MS + shift * MINUTE_MS) for shift in (-2, -1, 0, 1)]

    async with binance({"klines": late}) as world:
        bars = await world.venue.bars(BTC, 60, 10)
        assert [request.path.rpartition("/")[2] for request in world.server.requests] == ["time", "klines"]
    assert [bar.close_ns // 1_000_000 % 10**9 for bar in bars] == [
        (NOW_MS // MINUTE_MS + shift) * MINUTE_MS % 10**9 for shift in (-1, 0)
    ]


async def test_a_candle_that_ends_this_very_millisecond_is_closed() -> None:
    """And the one that begins with it is not."""
    minute_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    rows = [candle(minute_ms - MINUTE_MS), candle(minute_ms)]
    async with binance({"time": lambda _: {"serverTime": minute_ms}, "klines": lambda _: rows}) as world:
        (bar,) = await world.venue.bars(BTC, 60, 10)
    assert bar.close_ns == minute_ms * 1_000_000


async def test_more_than_a_page_is_asked_for_in_pages() -> None:
    """They join without a gap; a market's first day ends the search."""
    async with binance({"klines": candles}) as world:
        bars = await world.venue.bars(BTC, 60, 2000)
        assert [query["limit"] for query in world.asked("klines")] == ["1500", "502"]
        assert len(bars) == 2000
        assert all(after.open_ns == before.close_ns for before, after in pairwise(bars))
    born_ms = NOW_MS // MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS
    async with binance({"klines": lambda request: candles(request, first_ms=born_ms)}) as world:
        assert [bar.open_ns // 1_000_000 for bar in await world.venue.bars(BTC, 60, 2000)] == [
            born_ms + number * MINUTE_MS for number in range(5)
        ]


async def test_a_venue_that_gives_one_page_for_ever_is_not_believed() -> None:
    """The same candles twice are no longer past."""

    def endless(request: Request) -> list[Any]:
        request.query.pop("endTime", None)
        request.query["limit"] = "1500"
        return candles(request)

    async with binance({"klines": endless}) as world:
        with pytest.raises(Retryable, match="every page"):
            await world.venue.bars(BTC, 60, 4000)


@pytest.mark.parametrize("odd", ["-1", "NaN", "sNaN", "Infinity", "1E+400"])
async def test_candles_trades_and_books_of_impossible_numbers_are_not_believed(odd: str) -> None:
    """They would fall where they are used; asked again they may be whole. A rule that cannot be kept is no market's."""
    broken = candle(-5)
    broken[3] = odd
    answers = {
        "klines": lambda _: [broken],
        "aggTrades": lambda _: [trade(1, NOW_MS) | {"q": odd}],
        "ticker/bookTicker": lambda _: ticker(NOW_MS, bidQty=odd),
    }
    async with binance(answers) as world:
        for question in (world.venue.bars(BTC, 60, 1), world.venue.trades(BTC, 1), world.venue.quote(BTC)):
            with pytest.raises(Retryable):
                await question


async def test_a_timeframe_that_binance_has_not_is_refused_unasked() -> None:
    """Below a minute there is none."""
    async with binance({}) as world:
        with pytest.raises(Refused, match="7 s"):
            await world.venue.bars(BTC, 7, 10)
        assert world.asked() == []


# -------------------------------------------------------------------------------------------------------------- quotes
async def test_a_quote_is_the_top_of_the_book_as_it_was_written() -> None:
    """With the venue's time; without an update id, for this endpoint has none."""
    async with binance({"ticker/bookTicker": lambda _: ticker(NOW_MS)}) as world:
        quote = await world.venue.quote(BTC)
        assert world.asked("bookTicker") == [{"symbol": "BTCUSDT"}]
    assert (str(quote.bid), str(quote.bid_quantity)) == ("4000.00", "431.000")
    assert (str(quote.ask), str(quote.ask_quantity)) == ("4000.20", "9.000")
    assert (quote.market, quote.at_ns, quote.sequence) == (BTC.market, NOW_MS * 1_000_000, 0)


@pytest.mark.parametrize("side", ["bidPrice", "askPrice"])
async def test_half_a_book_is_no_quote(side: str) -> None:
    """It may be whole a moment later."""
    async with binance({"ticker/bookTicker": lambda _: ticker(NOW_MS, **{side: "0.00"})}) as world:
        with pytest.raises(Retryable, match="empty"):
            await world.venue.quote(BTC)


# ----------------------------------------------------------------------------------------------------- trades, time
async def test_trades_have_the_ids_of_the_stream() -> None:
    """Aggregate trades, oldest first; the taker sold where the buyer was the maker."""
    rows = [trade(26129, 1498793709153), trade(26130, 1498793709153)]
    async with binance({"aggTrades": lambda _: rows}) as world:
        first, second = await world.venue.trades(BTC, 5000)
        assert world.asked() == [{"symbol": "BTCUSDT", "limit": "1000"}]
    assert first == Trade(
        market=BTC.market,
        trade_id="26129",
        side=Side.SELL,
        price=Decimal("0.01633102"),
        quantity=Decimal("4.70443515"),
        at_ns=1498793709153_000_000,
    )
    assert (second.trade_id, second.side) == ("26130", Side.BUY)


async def test_the_venues_clock_is_told_in_nanoseconds() -> None:
    async with binance({}) as world:
        assert await world.venue.server_time_ns() == NOW_MS * 1_000_000


# ------------------------------------------------------------------------------------------------------------- errors
PAGE = b"<html>503 Service Temporarily Unavailable</html>"
BLOCKED = http(b"<html>blocked</html>", status=403)
COUNTRY = http(b'{"code":0,"msg":"Service unavailable from a restricted location"}', status=451)
SOON = {"Retry-After": "7"}
ENDLESS = b'{"more":' + b"[" * 100_000


@pytest.mark.parametrize(
    ("answer", "kind", "code", "wait_s"),
    [
        (refusal(429, -1003, headers=SOON), RateLimited, "-1003", 7),
        (refusal(429, -1003), RateLimited, "-1003", 60),
        (http(b"slow down", status=429, headers=SOON), RateLimited, "429", 7),
        (refusal(418, -1003, "banned", headers={"Retry-After": "301"}), RateLimited, "-1003", 301),
        (refusal(418, -1003, "banned"), RateLimited, "-1003", 120),
        (refusal(418, -1003, headers={"Retry-After": "Wed, 21 Oct 2026"}), RateLimited, "-1003", 120),
        (BLOCKED, RateLimited, "403", 120),
        (refusal(400, -1003), RateLimited, "-1003", 60),
        (http(PAGE, status=503), Retryable, "503", 0),
        (http(PAGE, status=503, headers=SOON), Retryable, "503", 7),
        (refusal(503, -1008, "Server is currently overloaded"), Retryable, "-1008", 0),
        (refusal(408, -1007, "Timeout waiting for response"), Retryable, "-1007", 0),
        (http(b"", status=302), Retryable, "302", 0),
        (http(b'{"serverTime":"soon"}'), Retryable, None, 0),
        (http(b'{"serverTime":1'), Retryable, None, 0),
        (http(ENDLESS), Retryable, None, 0),
        (http(ENDLESS, status=429, headers=SOON), RateLimited, "429", 7),
        (refusal(400, -1121, "Invalid symbol."), NotFound, "-1121", 0),
        (refusal(400, -1120, "Invalid interval."), Refused, "-1120", 0),
        (COUNTRY, NeedsHuman, "0", 0),
        (http(b"<html>404 Not Found</html>", status=404), NeedsHuman, "404", 0),
    ],
)
async def test_an_answer_without_success_asks_for_its_response(
    answer: bytes, kind: type[KangbotError], code: str | None, wait_s: int
) -> None:
    """Classified by what Binance documents; only a question was put, so nothing can have happened."""
    async with binance({"time": answer}) as world:
        with pytest.raises(kind) as caught:
            await world.venue.server_time_ns()
    assert type(caught.value) is kind
    assert caught.value.code == code
    if isinstance(caught.value, Retryable):
        assert caught.value.retry_after_ns == wait_s * 1_000_000_000
    if isinstance(caught.value, NeedsHuman):
        assert caught.value.remedy


async def test_silence_and_absence_may_be_asked_again() -> None:
    """A server that hangs up, and one that is not there."""

    async def hang_up(_: Request) -> None:
        return None

    async with Loopback(hang_up) as server:
        address = server.url
        async with binance({}) as world:
            world.venue._rest_url = address
            with pytest.raises(Retryable, match="did not answer"):
                await world.venue.server_time_ns()
    async with binance({}) as world:
        world.venue._rest_url = address
        with pytest.raises(Retryable, match="was not reached"):
            await world.venue.server_time_ns()


async def test_each_request_has_a_turn_and_a_bounded_wait() -> None:
    """A page too, and the clock that is asked before; a connection is waited for no longer than it was said."""
    turns: list[int] = []

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        asked = len(turns)
        turns.append(asked)
        assert len(world.server.requests) == asked
        yield

    timings = Timings()
    async with binance({"klines": candles}, turn=turn, timings=timings) as world:
        await world.venue.bars(BTC, 60, 2000)
        assert len(turns) == len(world.asked()) == 3
        assert sum(each.count for each in timings.endpoints.values()) == 3
        assert (world.venue._http._timeout.total, world.venue._http._timeout.connect) == (5.0, 2.0)


# -------------------------------------------------------------------------------------------------------- data only
@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("submit", (BTC, intent())),
        ("cancel", (BTC, ClientId("kb1"))),
        ("protect", (BTC, None)),
        ("cover", (BTC, None, Decimal(1), ClientId("kb1"))),
        ("prepare", (BTC, 1)),
        ("find", (BTC, ClientId("kb1"))),
        ("open_orders", ()),
        ("executions", (0,)),
        ("positions", ()),
        ("balances", ()),
    ],
)
async def test_whatever_concerns_an_account_is_refused_unasked(method: str, given: tuple[Any, ...]) -> None:
    """With words to act on: a venue without an account here is traded on paper."""
    async with binance({}) as world:
        with pytest.raises(Refused, match="data only: trade it on paper"):
            await getattr(world.venue, method)(*given, **({"fresh": True} if method == "cover" else {}))
        assert world.asked() == []
        assert (world.venue.name, world.venue.id_rule) == ("binance_usdm", IdRule.WHILE_OPEN)
        assert not world.venue.tells_mark


@pytest.mark.parametrize(("settled", "asked"), [(0, 1), (3, 1), (1000, 2), (1003, 2)])
async def test_the_rates_of_funding_are_those_that_were_settled_since(settled: int, asked: int) -> None:
    """Oldest first; Binance gives a thousand at once, from a time on."""
    hour_ms = 3_600_000
    times = [NOW_MS + 5 - age * hour_ms for age in reversed(range(settled + 2))]

    def history(request: Request) -> list[dict[str, Any]]:
        since_ms, limit = int(request.query["startTime"]), int(request.query["limit"])
        later = [time for time in times if time >= since_ms]
        return [
            {"symbol": "BTCUSDT", "fundingRate": "-0.00010000", "fundingTime": time, "markPrice": "34287.54619963"}
            for time in later[:limit]
        ]

    async with binance({"fundingRate": history}) as world:
        rates = await world.venue.funding(BTC, times[1] * 1_000_000)
        assert len(world.asked("fundingRate")) == asked
    assert [rate.at_ns for rate in rates] == [time * 1_000_000 for time in times[2:]]
    assert {rate.rate for rate in rates} <= {Decimal("-0.0001")}


async def test_a_rate_of_funding_is_told_once_by_a_venue_that_gives_one_page_for_ever() -> None:
    """What was settled is booked for each rate that is told."""
    row = {"symbol": "BTCUSDT", "fundingRate": "0.0001"}
    page = [row | {"fundingTime": NOW_MS + number} for number in range(1000)]
    async with binance({"fundingRate": lambda _: page}) as world, asyncio.timeout(120):
        rates = await world.venue.funding(BTC, (NOW_MS + 1) * 1_000_000)
    assert [rate.at_ns // 1_000_000 - NOW_MS for rate in rates] == list(range(2, 1000))
