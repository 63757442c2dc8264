"""Public REST: time, instruments, candles, tickers, trades and books."""

from typing import Any

from kangbot.model.market import InstrumentKind
from kangbot.sandbox.errors import PARAMS, ApiError
from kangbot.sandbox.exchange import Exchange, category_kind
from kangbot.sandbox.params import Params, millis, text, whole
from kangbot.sandbox.rows_market import INTERVALS, instrument_row, ticker_row
from kangbot.sandbox.rows_order import SIDES, number, short
from kangbot.sim.markets.desk import Desk
from kangbot.sim.markets.klines import Candle

Result = dict[str, Any]
EMPTY = frozenset({"inverse", "option"})  # categories that exist and list nothing here


def server_time(exchange: Exchange, _: Params) -> Result:
    """GET /v5/market/time."""
    now_ns = exchange.now_ns()
    return {"timeSecond": str(now_ns // 1_000_000_000), "timeNano": str(now_ns)}


def instruments(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/instruments-info: everything on one page."""
    category = text(params, "category")
    desks = _chosen(exchange, category, params)
    if text(params, "status", "Trading") != "Trading":
        desks = []
    rows = [instrument_row(exchange, desk) for desk in desks]
    return {"category": category, "list": rows, "nextPageCursor": ""}


def tickers(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/tickers."""
    category = text(params, "category")
    rows = [ticker_row(exchange, desk) for desk in _chosen(exchange, category, params)]
    return {"category": category, "list": rows}


def kline(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/kline, newest first, the open candle included."""
    return _kline(exchange, params, lambda candle: [short(candle.volume), short(candle.turnover)])


def price_kline(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/mark-price-kline and index-price-kline: the same candles without volume."""
    return _kline(exchange, params, lambda _: [])


def _kline(exchange: Exchange, params: Params, tail: Any) -> Result:
    category = text(params, "category", "linear")
    desk = exchange.desk(category, text(params, "symbol"))
    interval = text(params, "interval")
    if interval not in INTERVALS:
        raise ApiError(PARAMS, "Invalid period!")
    found = desk.klines.candles(
        INTERVALS[interval],
        whole(params, "limit", 200),
        millis(params, "start"),
        millis(params, "end"),
    )
    rows = [[*_candle(candle), *tail(candle)] for candle in reversed(found)]
    return {"category": category, "symbol": desk.spec.instrument.native, "list": rows}


def recent_trades(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/recent-trade, newest first."""
    category = text(params, "category")
    desk = exchange.desk(category, text(params, "symbol"))
    limit = whole(params, "limit", 60 if category == "spot" else 500, high=60 if category == "spot" else 1000)
    rows = [
        {
            "execId": trade.trade_id,
            "symbol": desk.spec.instrument.native,
            "price": number(trade.price),
            "size": number(trade.quantity),
            "side": SIDES[trade.side],
            "time": str(trade.at_ns // 1_000_000),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(trade.at_ns // 1000),
        }
        for trade in list(desk.tape)[-limit:][::-1]
    ]
    return {"category": category, "list": rows}


def orderbook(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/orderbook."""
    desk = exchange.desk(text(params, "category"), text(params, "symbol"))
    limit = whole(params, "limit", 1 if desk.spec.instrument.kind is InstrumentKind.SPOT else 25)
    quote = desk.book.quote
    bids, asks = desk.book.depth()
    return {
        "s": desk.spec.instrument.native,
        "b": [[number(price), number(quantity)] for price, quantity in bids[:limit]],
        "a": [[number(price), number(quantity)] for price, quantity in asks[:limit]],
        "ts": exchange.now_ms(),
        "u": quote.sequence,
        "seq": quote.sequence,
        "cts": quote.at_ns // 1_000_000,
    }


def funding_history(exchange: Exchange, params: Params) -> Result:
    """GET /v5/market/funding/history: the funding times that have passed since the start, up to `endTime`."""
    category = text(params, "category")
    desk = exchange.desk(category, text(params, "symbol"))
    spec = exchange.venue.spec
    interval_ns = spec.funding_interval_s * 1_000_000_000
    newest_ns = exchange.venue.funding_ns - interval_ns
    if (end_ns := millis(params, "endTime")) is not None:
        newest_ns = min(newest_ns, end_ns // interval_ns * interval_ns)
    times = range(newest_ns, spec.start_ns, -interval_ns)
    rows = [
        {
            "symbol": desk.spec.instrument.native,
            "fundingRate": number(spec.funding_rate),
            "fundingRateTimestamp": str(at_ns // 1_000_000),
        }
        for at_ns in times[: whole(params, "limit", 200, high=200)]
    ]
    return {"category": category, "list": rows}


def _chosen(exchange: Exchange, category: str, params: Params) -> list[Desk]:
    if category in EMPTY:
        return []
    category_kind(category)
    symbol = text(params, "symbol", "")
    if symbol:
        return [exchange.desk(category, symbol)]
    base = text(params, "baseCoin", "")
    return [desk for desk in exchange.desks(category) if not base or desk.spec.instrument.base == base]


def _candle(candle: Candle) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [str(candle.open_ns // 1_000_000), *map(number, prices)]
