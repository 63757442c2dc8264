"""A scripted Binance USD-M on loopback: answers by endpoint, as Binance documents them, and what was asked.

The answers are those of the documentation's examples, with the fields that it lists and that we do not read left in.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.venues.binance_usdm.venue import BinanceVenue
from tests.support.instruments import instrument_of
from tests.support.loopback import Loopback, Request, http

NOW_MS = 1_700_000_030_500  # half a minute into one

BTC = instrument_of(venue="binance_usdm", tick=Decimal("0.10"), max_quantity=Decimal(120), min_notional=Decimal(100))

Answer = bytes | Callable[[Request], Any]


def contract(base: str = "BTC", **changes: Any) -> dict[str, Any]:
    """Return one contract of `exchangeInfo`."""
    plain = {
        "symbol": f"{base}USDT",
        "pair": f"{base}USDT",
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1598252400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 5,
        "quantityPrecision": 0,
        "underlyingType": "COIN",
        "underlyingSubType": ["STORAGE"],
        "settlePlan": 0,
        "triggerProtect": "0.15",
        "filters": [
            {"filterType": "PRICE_FILTER", "maxPrice": "4529764", "minPrice": "556.80", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "maxQty": "1000", "minQty": "0.001", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": "120", "minQty": "0.001", "stepSize": "0.001"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.1500",
                "multiplierDown": "0.8500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
    return plain | changes


def listing(*contracts: Mapping[str, Any]) -> dict[str, Any]:
    """Return `exchangeInfo`."""
    return {
        "exchangeFilters": [],
        "rateLimits": [{"interval": "MINUTE", "intervalNum": 1, "limit": 2400, "rateLimitType": "REQUEST_WEIGHT"}],
        "serverTime": 1565613908500,
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": list(contracts),
        "timezone": "UTC",
    }


def candle(start_ms: int, price: str = "0.01577100") -> list[Any]:
    """Return one candle of `klines`."""
    shape = ["0.01634790", "0.80000000", "0.01575800", price, "148976.11427815"]
    return [start_ms, *shape, start_ms + 59_999, "2434.19055334", 308, "1756.87402397", "28.46694368", "17928899.6"]


def candles(request: Request, *, first_ms: int = 0, now_ms: int = NOW_MS) -> list[list[Any]]:
    """Answer as Binance does: the newest minutes until `endTime`, oldest first, the unfinished one among them."""
    most, newest_ms = int(request.query["limit"]), int(request.query.get("endTime", now_ms)) // 60_000 * 60_000
    starts = range(max(first_ms, newest_ms - (most - 1) * 60_000), newest_ms + 1, 60_000)
    return [candle(start_ms) for start_ms in starts]


def trade(number: int, at_ms: int) -> dict[str, Any]:
    """Return one row of `aggTrades`."""
    return {
        "a": number,
        "p": "0.01633102",
        "q": "4.70443515",
        "f": 27781 + number,
        "l": 27781 + number,
        "T": at_ms,
        "m": number % 2 == 1,
    }


def ticker(at_ms: int, **changes: str) -> dict[str, Any]:
    """Return the top of a book as `ticker/bookTicker` tells it."""
    prices = {"bidPrice": "4000.00", "bidQty": "431.000", "askPrice": "4000.20", "askQty": "9.000"}
    return {"symbol": "BTCUSDT", **prices, **changes, "time": at_ms}


def refusal(status: int, code: int, message: str = "no", headers: dict[str, str] | None = None) -> bytes:
    """Return a refusal of Binance's own."""
    return http(msgspec.json.encode({"code": code, "msg": message}), status=status, headers=headers)


class Binance:
    """The venue under test, the server it talks to, and what the server was asked."""

    def __init__(self, venue: BinanceVenue, server: Loopback) -> None:
        self.venue = venue
        self.server = server

    def asked(self, endpoint: str = "") -> list[dict[str, str]]:
        """Return the queries to `endpoint`, or all."""
        return [request.query for request in self.server.requests if request.path.endswith(endpoint)]


@asynccontextmanager
async def binance(endpoints: Mapping[str, Answer], **settings: Any) -> AsyncIterator[Binance]:
    """Serve `endpoints` (name → an answer's bytes, or a function from the request to a value or bytes)."""
    known: dict[str, Answer] = {"time": lambda _: {"serverTime": NOW_MS}, **endpoints}

    async def respond(request: Request) -> bytes:
        endpoint = request.path.removeprefix("/fapi/v1/")
        if request.method != "GET" or endpoint not in known:
            return http(b"<html>404 Not Found</html>", status=404)
        answer = known[endpoint]
        said = answer if isinstance(answer, bytes) else answer(request)
        return said if isinstance(said, bytes) else http(msgspec.json.encode(said))

    async with Loopback(respond) as server:
        venue = BinanceVenue(rest_url=server.url, **{"timeout_s": 5.0, "connect_timeout_s": 2.0, **settings})
        try:
            yield Binance(venue, server)
        finally:
            await venue.aclose()
