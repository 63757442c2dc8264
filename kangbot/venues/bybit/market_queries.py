"""Questions about markets that anybody may ask: their rules, candles, trades, the top of the book, the mark price."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.errors import Refused, Retryable
from kangbot.model.data import Bar, FundingRate, Quote, Trade
from kangbot.model.ids import Symbol
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Price
from kangbot.venues.bybit.client import Client
from kangbot.venues.bybit.intervals import FETCHED
from kangbot.venues.bybit.public import VENUE, BookRow, InstrumentRow, KlineRows, TradeRows
from kangbot.venues.bybit.rows import moment
from kangbot.venues.reading import MILLISECOND_NS, CandleRow, bar_of, read_as, readable

_BULK = 8  # from so many symbols of a category on, its whole list costs less than one request each
_INSTRUMENTS_A_PAGE = (
    500  # half of what Bybit allows: a page is some 400 KB of JSON, and all of it is in memory at once
)
_KLINES_A_REQUEST = 1000
_RATES_A_REQUEST = 200
_TRADES_A_REQUEST = {InstrumentKind.LINEAR: 1000, InstrumentKind.SPOT: 60}


class _Ticker(msgspec.Struct, frozen=True, rename="camel"):
    mark_price: Decimal


class _Tickers(msgspec.Struct, frozen=True):
    list: tuple[_Ticker, ...]


class _FundingRow(msgspec.Struct, frozen=True, rename="camel"):
    funding_rate: Decimal
    funding_rate_timestamp: str

    @property
    def at_ns(self) -> int:
        return moment(self.funding_rate_timestamp)

    @property
    def settled(self) -> FundingRate:
        return FundingRate(at_ns=self.at_ns, rate=self.funding_rate)


class _FundingRows(msgspec.Struct, frozen=True):
    rows: list[_FundingRow] = msgspec.field(name="list")


async def instruments(client: Client, symbols: Iterable[Symbol]) -> dict[Symbol, Instrument]:
    """Return the rules of those `symbols` (ccxt's unified form) that trade at Bybit now."""
    wanted: dict[str, list[Symbol]] = {"linear": [], "spot": []}
    for symbol in dict.fromkeys(symbols):
        wanted["linear" if ":" in symbol else "spot"].append(symbol)
    found: dict[Symbol, Instrument] = {}
    for category, names in wanted.items():
        rows = await _every(client, category) if len(names) >= _BULK else await _each(client, category, names)
        natives = frozenset(map(_native, names))
        for told in rows:
            if told.get("symbol") not in natives:
                continue  # unread: a market of a new kind is not to keep those that are traded from their rules
            with readable(VENUE):
                row = read_as(told, InstrumentRow)
            instrument = row.instrument()
            if instrument is not None and instrument.symbol in names:
                found[instrument.symbol] = instrument
    return found


async def _every(client: Client, category: str) -> list[dict[str, Any]]:
    params: dict[str, str | int] = {"category": category}
    if category == "linear":  # the list of spot pairs has one page, whatever is asked
        params["limit"] = _INSTRUMENTS_A_PAGE
    return (await client.pages("publicGetV5MarketInstrumentsInfo", params, dict[str, Any])).result


async def _each(client: Client, category: str, symbols: Sequence[Symbol]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for symbol in symbols:
        try:
            params = {"category": category, "symbol": _native(symbol)}
            rows += (await client.pages("publicGetV5MarketInstrumentsInfo", params, dict[str, Any])).result
        except Refused as refusal:  # Bybit answers a symbol that it does not know with a parameter error
            if refusal.code != "10001":
                raise
    return rows


def _native(symbol: Symbol) -> str:
    """Return Bybit's name for the symbol: "BTCUSDT", and "BTCPERP" for what settles in USDC."""
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return f"{base}PERP" if settle == "USDC" else base + quote


async def bars(client: Client, instrument: Instrument, timeframe_s: int, limit: int) -> list[Bar]:
    """Return at most `limit` newest closed bars, oldest first. Refused: Bybit has no such timeframe."""
    interval = FETCHED.get(timeframe_s)
    if interval is None:
        raise Refused(f"bybit has no candles of {timeframe_s} s")
    params: dict[str, str | int] = {
        "category": instrument.kind.value,
        "symbol": instrument.native,
        "interval": interval,
    }
    closed: dict[int, CandleRow] = {}  # by start, newest first
    while len(closed) < limit:
        # One more than is missing: the newest candle is not finished.
        asked = min(limit - len(closed) + 1, _KLINES_A_REQUEST)
        answer = await client.ask("publicGetV5MarketKline", params | {"limit": asked}, KlineRows)
        rows = answer.result.rows
        older = {row.start: row for row in rows if row.start + timeframe_s * 1000 <= answer.at_ns // MILLISECOND_NS}
        known = len(closed)
        closed |= older
        if len(rows) < asked or len(closed) == known:  # that was the market's first day; or no page is an older one
            break
        params["end"] = rows[-1].start - 1
    newest = list(closed.values())[:limit]
    with readable(VENUE):
        return [bar_of(row, instrument.market, timeframe_s) for row in reversed(newest)]


async def trades(client: Client, instrument: Instrument, limit: int) -> list[Trade]:
    """Return the newest public trades, oldest first: at most `limit`, and at most what Bybit gives (60 of spot).

    Block trades are none of them, as in the stream.
    """
    params = {
        "category": instrument.kind.value,
        "symbol": instrument.native,
        "limit": min(limit, _TRADES_A_REQUEST[instrument.kind]),
    }
    rows = (await client.ask("publicGetV5MarketRecentTrade", params, TradeRows)).result.rows
    with readable(VENUE):
        return [row.trade(instrument.market) for row in reversed(rows) if not row.is_block_trade]


async def mark(client: Client, instrument: Instrument) -> Price | None:
    """Return the mark price of a contract; None for a spot pair, which has none."""
    if instrument.kind is InstrumentKind.SPOT:
        return None
    params = {"category": instrument.kind.value, "symbol": instrument.native}
    rows = (await client.ask("publicGetV5MarketTickers", params, _Tickers)).result.list
    return rows[0].mark_price if rows else None


async def funding(client: Client, instrument: Instrument, since_ns: int) -> list[FundingRate]:
    """Return the rates that were settled after that time, oldest first; none of a spot pair."""
    if instrument.kind is InstrumentKind.SPOT:
        return []
    params: dict[str, str | int] = {
        "category": instrument.kind.value,
        "symbol": instrument.native,
        "limit": _RATES_A_REQUEST,
    }
    found: dict[int, FundingRate] = {}
    while True:
        rows = (await client.ask("publicGetV5MarketFundingHistory", params, _FundingRows)).result.rows  # newest first
        known = len(found)
        with readable(VENUE):
            found.update({row.at_ns: row.settled for row in rows if row.at_ns > since_ns})
        if len(rows) < _RATES_A_REQUEST or len(found) < known + len(rows):  # older than asked for, or the same again
            return [found[at_ns] for at_ns in sorted(found)]
        params["endTime"] = rows[-1].at_ns // MILLISECOND_NS - 1


async def quote(client: Client, instrument: Instrument) -> Quote:
    """Return the top of the book. Retryable while a side of it is empty."""
    params: dict[str, str | int] = {"category": instrument.kind.value, "symbol": instrument.native, "limit": 1}
    book = (await client.ask("publicGetV5MarketOrderbook", params, BookRow)).result
    with readable(VENUE):
        found = book.quote(instrument.market)
    if found is None:
        raise Retryable(f"a side of {instrument.symbol}'s book is empty")
    return found
