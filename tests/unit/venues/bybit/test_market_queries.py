"""Instruments, candles, trades and books, from rows as Bybit documents them."""

import itertools
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.machines.sizing import below_minimum, clamp, protective
from kangbot.model.ids import Symbol
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Purpose, Side
from tests.support.bybit_rest import BTC, NOW_MS, SPOT, bybit, refusal, rows
from tests.support.loopback import Request

INSTRUMENTS, KLINE, TRADES, TIME = (
    "/v5/market/instruments-info",
    "/v5/market/kline",
    "/v5/market/recent-trade",
    "/v5/market/time",
)
MINUTE_MS = 60_000


def contract(base: str, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {
            "maxOrderQty": "1190.000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "postOnlyMaxOrderQty": "1190.000",
            "maxMktOrderQty": "500.000",
            "minNotionalValue": "5",
        },
        **changes,
    }


PAIR = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "status": "Trading",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "quotePrecision": "0.00000001",
        "minOrderQty": "0.000048",
        "minOrderAmt": "1",
        "maxLimitOrderQty": "83",
        "maxMarketOrderQty": "41.5",
    },
    "priceFilter": {"tickSize": "0.01"},
}


def one_by_symbol(request: Request) -> Any:
    if request.query["category"] == "spot":
        return rows(PAIR)
    base = request.query["symbol"].removesuffix("USDT").removesuffix("PERP")
    if base == "GONE":
        return refusal(10001, "params error: Symbol Invalid")
    if base == "SOL":
        return rows(contract("SOL", symbol="SOLPERP", quoteCoin="USDC", settleCoin="USDC"))
    return rows(contract(base, status="PreLaunch" if base == "NEW" else "Trading"))


async def test_the_rules_of_a_market_are_exact_decimals() -> None:
    """Contract and pair state them in different words."""
    async with bybit({INSTRUMENTS: one_by_symbol}) as world:
        found = await world.venue.instruments([Symbol("BTC/USDT:USDT"), Symbol("BTC/USDT")])
    linear, spot = found[Symbol("BTC/USDT:USDT")], found[Symbol("BTC/USDT")]
    assert (linear.kind, linear.native, linear.market) == (InstrumentKind.LINEAR, "BTCUSDT", "bybit:BTC-USDT:USDT")
    assert (linear.tick, linear.step, linear.min_quantity) == (Decimal("0.10"), Decimal("0.001"), Decimal("0.001"))
    assert (linear.max_quantity, linear.min_notional) == (Decimal(500), Decimal(5))  # the narrower bound holds
    assert (spot.kind, spot.settle, spot.market) == (InstrumentKind.SPOT, "USDT", "bybit:BTC-USDT")
    assert (spot.tick, spot.step) == (Decimal("0.01"), Decimal("0.000001"))
    assert (spot.max_quantity, spot.min_notional) == (Decimal("41.5"), Decimal(1))


async def test_what_does_not_trade_is_absent() -> None:
    """An unknown name, and a market before its launch."""
    async with bybit({INSTRUMENTS: one_by_symbol}) as world:
        wanted = [Symbol("GONE/USDT:USDT"), Symbol("NEW/USDT:USDT"), Symbol("BTC/USDT:USDT")]
        assert list(await world.venue.instruments(wanted)) == ["BTC/USDT:USDT"]


@pytest.mark.parametrize("rule", ["0", "-0.1", "NaN", "Infinity"])
async def test_a_market_whose_rules_cannot_be_kept_is_absent(rule: str) -> None:
    """Nothing is a multiple of 0: its orders would fall on the arithmetic; the others trade."""

    def odd(request: Request) -> Any:
        broken = {"tickSize": rule} if request.query["symbol"] == "ODDUSDT" else {"tickSize": "0.1"}
        return rows(contract(request.query["symbol"].removesuffix("USDT"), priceFilter=broken))

    async with bybit({INSTRUMENTS: odd}) as world:
        found = await world.venue.instruments([Symbol("ODD/USDT:USDT"), Symbol("ETH/USDT:USDT")])
    assert [*found] == ["ETH/USDT:USDT"]


ODD_NUMBERS: tuple[Any, ...] = (
    "0",
    "-1",
    "NaN",
    "sNaN",
    "NaN123",
    "Infinity",
    "1E+999999999",
    "1E-999999",
    "",
    "x",
    None,
    [],
    1.5,
)
RULES = (
    ("priceFilter", "tickSize"),
    *(
        ("lotSizeFilter", name)
        for name in ("qtyStep", "minOrderQty", "maxOrderQty", "maxMktOrderQty", "minNotionalValue")
    ),
)


@pytest.mark.parametrize("second", RULES, ids=lambda rule: rule[1])
async def test_rules_of_any_numbers_are_kept_or_are_none(second: tuple[str, str]) -> None:
    """An error of the arithmetic is none of ours: it would end the daemon, and all the other markets with it."""
    told: list[dict[str, Any]] = []
    async with bybit({INSTRUMENTS: lambda _: rows(*told)}) as world:
        for first, odd, odder in itertools.product(RULES, ODD_NUMBERS, ("NaN", "-1", "1E-999999")):
            row = contract("BTC")
            for (part, name), number in ((first, odd), (second, odder)):
                row[part] = {**row[part], name: number}
            told[:] = [row]
            try:
                found = await world.venue.instruments([Symbol("BTC/USDT:USDT")])
            except Retryable:
                continue  # its very form is another
            for one in found.values():
                assert one == msgspec.structs.replace(one)
                assert clamp(Decimal("1.2345"), one) >= 0
                assert len(below_minimum(Decimal("1e-9"), Decimal(65_000), one, Purpose.ENTRY)) < 80
                assert protective(Decimal("65000.01"), 1, one) >= Decimal("65000.01")


async def test_a_market_settled_in_usdc_has_another_name_there() -> None:
    """The symbol is ccxt's unified one, the native name Bybit's."""
    async with bybit({INSTRUMENTS: one_by_symbol}) as world:
        (found,) = (await world.venue.instruments([Symbol("SOL/USDC:USDC")])).values()
    assert (found.native, found.settle) == ("SOLPERP", "USDC")


async def test_another_refusal_than_an_unknown_name_is_told() -> None:
    """A banned key is no missing market."""
    async with bybit({INSTRUMENTS: refusal(10010)}) as world:
        with pytest.raises(NeedsHuman):
            await world.venue.instruments([Symbol("BTC/USDT:USDT")])


@pytest.mark.parametrize("odd", [{"priceFilter": {"tickSize": ""}}, {"lotSizeFilter": None}, {"baseCoin": None}])
async def test_a_market_of_a_new_kind_keeps_no_other_from_its_rules(odd: dict[str, Any]) -> None:
    """The list has hundreds that nobody trades here; one of ours that cannot be read is told."""
    names = [f"C{number}" for number in range(9)]
    listed = [*map(contract, names), contract("OTHER", **odd)]
    async with bybit({INSTRUMENTS: lambda _: rows(*listed)}) as world:
        assert len(await world.venue.instruments([Symbol(f"{name}/USDT:USDT") for name in names])) == 9
        with pytest.raises(Retryable, match="cannot be read"):
            await world.venue.instruments([Symbol(f"{name}/USDT:USDT") for name in (*names, "OTHER")])


async def test_many_markets_cost_a_page_not_a_request_each() -> None:
    """Futures and markets that nobody asked for are passed over."""
    names = [f"C{number}" for number in range(27)]

    def pages(request: Request) -> Any:
        if "cursor" not in request.query:
            dated = contract("C1", symbol="C1-29DEC26", contractType="LinearFutures")
            return rows(dated, *map(contract, names[:14]), cursor="first%3DC14")
        return rows(*map(contract, names[14:]), contract("OTHER"))

    async with bybit({INSTRUMENTS: pages}) as world:
        found = await world.venue.instruments([Symbol(f"{name}/USDT:USDT") for name in names])
        assert len(world.asked()) == 2
    assert sorted(found) == sorted(f"{name}/USDT:USDT" for name in names)
    assert all(found[symbol].native != "C1-29DEC26" for symbol in found)


# ------------------------------------------------------------------------------------------------------------ candles
def klines(first_ms: int, last_ms: int) -> Any:
    """Serve the minutes from `first_ms` on; the newest, at `last_ms`, is not finished."""

    def serve(request: Request) -> Any:
        limit, end = int(request.query["limit"]), int(request.query.get("end", last_ms))
        starts = range(end // MINUTE_MS * MINUTE_MS, first_ms - 1, -MINUTE_MS)
        return {"list": [[str(start), "1", "3", "0.5", "2", "10.5", "21"] for start in starts[:limit]]}

    return serve


OPEN_MS = NOW_MS // MINUTE_MS * MINUTE_MS  # of the minute that runs


async def test_bars_are_closed_and_oldest_first() -> None:
    """The minute that runs is not among them, and is made up for by an older one."""
    async with bybit({KLINE: klines(0, OPEN_MS)}) as world:
        bars = await world.venue.bars(BTC, 60, 3)
        assert [request.query["interval"] for request in world.asked()] == ["1"]
        await world.venue.bars(SPOT, 60, 3)
        assert [request.query["category"] for request in world.asked()] == [
            "linear",
            "spot",
        ]  # of one and the same symbol
    assert [bar.open_ns for bar in bars] == [(OPEN_MS - back * MINUTE_MS) * 1_000_000 for back in (3, 2, 1)]
    assert all(bar.close_ns <= NOW_MS * 1_000_000 for bar in bars)
    bar = bars[0]
    assert (bar.open, bar.high, bar.low, bar.close) == (Decimal(1), Decimal(3), Decimal("0.5"), Decimal(2))
    assert (bar.volume, bar.timeframe_s, bar.market) == (Decimal("10.5"), 60, BTC.market)


@pytest.mark.parametrize(("limit", "requests"), [(999, 1), (1000, 2), (2500, 3)])
async def test_a_long_look_back_is_several_requests_without_gap_or_overlap(limit: int, requests: int) -> None:
    """Bybit gives a thousand candles at once."""
    async with bybit({KLINE: klines(0, OPEN_MS)}) as world:
        bars = await world.venue.bars(BTC, 60, limit)
        assert len(world.asked()) == requests
    assert len(bars) == limit
    assert all(after.open_ns == before.close_ns for before, after in pairwise(bars))


async def test_a_young_market_has_fewer_bars() -> None:
    """All that there are, and no endless asking for more."""
    async with bybit({KLINE: klines(OPEN_MS - 5 * MINUTE_MS, OPEN_MS)}) as world:
        assert len(await world.venue.bars(BTC, 60, 100)) == 5
        assert len(world.asked()) == 1


async def test_a_venue_that_gives_one_page_for_ever_is_not_asked_for_ever() -> None:
    """What has come so far is all that there is."""
    async with bybit({KLINE: lambda request: klines(0, OPEN_MS)(_endless(request))}) as world:
        assert len(await world.venue.bars(BTC, 60, 2500)) == 999
        assert len(world.asked()) == 2


def _endless(request: Request) -> Request:
    request.query.pop("end", None)
    request.query["limit"] = "1000"
    return request


ODD = ["0", "-1", "NaN", "sNaN", "Infinity", "1E+400"]


@pytest.mark.parametrize("odd", ODD)
async def test_candles_trades_and_books_of_impossible_numbers_are_not_believed(odd: str) -> None:
    """They would fall where they are used, in the middle of a market's turn; asked again they may be whole."""
    candle = [str(OPEN_MS - MINUTE_MS), "1", "3", odd, "2", "10.5", "20"]
    trade = {"execId": "b", "price": odd, "size": "0.1", "side": "Sell", "time": str(NOW_MS)}
    book = {"s": "BTCUSDT", "b": [[odd, "2"]], "a": [["3", "4"]], "ts": NOW_MS, "u": 1}
    answers = {KLINE: lambda _: rows(candle), TRADES: lambda _: rows(trade), "/v5/market/orderbook": lambda _: book}
    async with bybit(answers) as world:
        for question in (world.venue.bars(BTC, 60, 1), world.venue.trades(BTC, 1), world.venue.quote(BTC)):
            with pytest.raises(Retryable):
                await question


@pytest.mark.parametrize("timeframe_s", [1, 15, 45, 120, 3 * 86_400])
async def test_a_timeframe_that_bybit_has_not_is_refused(timeframe_s: int) -> None:
    """Without asking."""
    async with bybit({}) as world:
        with pytest.raises(Refused):
            await world.venue.bars(BTC, timeframe_s, 10)
        assert world.asked() == []


# -------------------------------------------------------------------------------------------------------------- quotes
@pytest.mark.parametrize("instrument", [BTC, SPOT])
async def test_a_quote_is_the_top_of_the_book(instrument: Any) -> None:
    """Of the market's category, with the venue's time and its update id."""
    book = {"s": "BTCUSDT", "b": [["65485.47", "47.08"]], "a": [["65557.7", "16.6"]], "ts": NOW_MS, "u": 230704}
    async with bybit({"/v5/market/orderbook": lambda _: book}) as world:
        quote = await world.venue.quote(instrument)
        (asked,) = world.asked()
    assert asked.query == {"category": instrument.kind.value, "symbol": "BTCUSDT", "limit": "1"}
    assert (str(quote.bid), str(quote.bid_quantity), str(quote.ask)) == ("65485.47", "47.08", "65557.7")
    assert (quote.market, quote.at_ns, quote.sequence) == (instrument.market, NOW_MS * 1_000_000, 230704)


@pytest.mark.parametrize("side", ["b", "a"])
async def test_half_a_book_is_no_quote(side: str) -> None:
    """It may be whole a moment later."""
    book = {"s": "BTCUSDT", "b": [["1", "2"]], "a": [["3", "4"]], "ts": NOW_MS, "u": 1} | {side: []}
    async with bybit({"/v5/market/orderbook": lambda _: book}) as world:
        with pytest.raises(Retryable, match="empty"):
            await world.venue.quote(BTC)


async def test_a_mark_is_a_contracts() -> None:
    """Of the one symbol that was asked for; a spot pair has none, and nobody is asked."""
    listed = {"category": "linear", "list": [{"symbol": "BTCUSDT", "lastPrice": "1", "markPrice": "65486.12"}]}
    async with bybit({"/v5/market/tickers": lambda _: listed}) as world:
        assert await world.venue.mark(BTC) == Decimal("65486.12")
        assert await world.venue.mark(SPOT) is None
        (asked,) = world.asked()
    assert asked.query == {"category": "linear", "symbol": "BTCUSDT"}
    async with bybit({"/v5/market/tickers": lambda _: {"category": "linear", "list": []}}) as world:
        assert await world.venue.mark(BTC) is None


# ------------------------------------------------------------------------------------------------------ trades, clock
@pytest.mark.parametrize(("instrument", "limit"), [(BTC, "1000"), (SPOT, "60")])
async def test_trades_are_oldest_first_and_as_many_as_bybit_gives(instrument: Any, limit: str) -> None:
    """Newest first on the wire; a thousand of a contract, sixty of a pair. A block trade is none of the market's."""
    newest = {"execId": "b", "price": "25000.50", "size": "0.1", "side": "Sell", "time": str(NOW_MS)}
    block = newest | {"execId": "c", "price": "12000", "isBlockTrade": True}
    async with bybit({TRADES: lambda _: rows(newest, block, newest | {"execId": "a", "side": "Buy"})}) as world:
        older, newer = await world.venue.trades(instrument, 5000)
        assert world.asked()[0].query["limit"] == limit
    assert (older.trade_id, older.side, newer.trade_id, newer.side) == ("a", Side.BUY, "b", Side.SELL)
    assert (newer.price, newer.at_ns, newer.market) == (Decimal("25000.50"), NOW_MS * 1_000_000, instrument.market)


async def test_the_venues_clock_is_in_nanoseconds() -> None:
    """As Bybit states it."""
    async with bybit({TIME: lambda _: {"timeSecond": "1700000000", "timeNano": "1700000000123456789"}}) as world:
        assert await world.venue.server_time_ns() == 1_700_000_000_123_456_789


@pytest.mark.parametrize("settled", [3, 200, 450])
async def test_the_rates_of_funding_are_those_that_were_settled_since(settled: int) -> None:
    """Oldest first, however many pages of the newest that takes; a spot pair has none."""
    hour_ms = 3_600_000
    newest_ms = NOW_MS // hour_ms * hour_ms
    since_ms = newest_ms - settled * hour_ms

    def history(request: Request) -> dict[str, Any]:
        assert request.query["limit"] == "200"
        last_ms = int(request.query.get("endTime", newest_ms)) // hour_ms * hour_ms
        return rows(
            *(
                {"symbol": "BTCUSDT", "fundingRate": "-0.0001", "fundingRateTimestamp": str(last_ms - age * hour_ms)}
                for age in range(200)
            )
        )

    async with bybit({"/v5/market/funding/history": history}) as world:
        rates = await world.venue.funding(BTC, since_ms * 1_000_000)
        assert len(world.asked()) == settled // 200 + 1
        assert await world.venue.funding(SPOT, 0) == []
    assert [rate.at_ns for rate in rates] == [(since_ms + age * hour_ms) * 1_000_000 for age in range(1, settled + 1)]
    assert {rate.rate for rate in rates} == {Decimal("-0.0001")}


async def test_a_venue_that_gives_the_same_rates_for_every_page_ends_all_the_same() -> None:
    """Whoever looks for older ones finds none."""
    same = [{"fundingRate": "0.0001", "fundingRateTimestamp": str(NOW_MS - age)} for age in range(200)]
    async with bybit({"/v5/market/funding/history": lambda _: rows(*same)}) as world:
        assert len(await world.venue.funding(BTC, 0)) == 200
        assert len(world.asked()) == 2
