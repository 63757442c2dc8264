"""Frames of Binance USD-M's combined streams: bytes in, our words out.

Each subscribed stream has one decoder that knows its market, so that a frame is decoded once, into the type that its
stream calls for. A decoder raises one of `UNREADABLE` on a frame it cannot read; the dialect makes that a Garbled.

Source: Binance, "USDⓈ-M Futures, Websocket Market Streams". `trade` (every single trade) is not documented there any
more but still served; recordings of it exist, so it is understood beside `aggTrade`.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import BEYOND, ZERO
from kangbot.model.orders import Side
from kangbot.ports import Data, Gap, Message, Topic
from kangbot.venues.reading import MILLISECOND_NS, Decode, Millis, bar_of

INTERVALS = {  # timeframe in seconds → Binance's word; those that align with the epoch
    60: "1m",
    180: "3m",
    300: "5m",
    900: "15m",
    1800: "30m",
    3600: "1h",
    7200: "2h",
    14400: "4h",
    21600: "6h",
    28800: "8h",
    43200: "12h",
    86400: "1d",
}
_TIMEFRAMES = {word: seconds for seconds, word in INTERVALS.items()}

_BUY, _SELL = Side.BUY, Side.SELL  # an enum's member costs as much to look up as a comparison


def decoder_of(topic: Topic) -> Decode:
    """Return the decoder for a stream, by its name: `btcusdt@kline_1m`; ValueError where we decode no such stream."""
    stream = topic.native.partition("@")[2]
    if topic.market is None:
        raise ValueError(f"{topic.native} has no market")
    if stream == "bookTicker":
        return Quotes(topic.native, topic.market).decode
    if stream == "aggTrade":
        return AggregateTrades(topic.native, topic.market).decode
    if stream == "trade":
        return SingleTrades(topic.native, topic.market).decode
    kind, _, interval = stream.partition("_")
    if kind == "kline" and interval in _TIMEFRAMES:
        return Bars(topic.native, topic.market, _TIMEFRAMES[interval]).decode
    raise ValueError(f"{topic.native}: no such stream")


# ------------------------------------------------------------------------------------------------------------- quotes
class _BookTicker(msgspec.Struct, gc=False):
    update: int = msgspec.field(name="u")
    bid: Decimal = msgspec.field(name="b")
    bid_quantity: Decimal = msgspec.field(name="B")
    ask: Decimal = msgspec.field(name="a")
    ask_quantity: Decimal = msgspec.field(name="A")
    at_ms: Millis = msgspec.field(name="T")  # of the transaction


class _BookTickerFrame(msgspec.Struct, gc=False):
    data: _BookTicker


_BOOK_TICKERS = msgspec.json.Decoder(_BookTickerFrame)


class Quotes:
    """`{symbol}@bookTicker`: the top of the book, whole, at every change of it."""

    __slots__ = ("_market", "_native")

    def __init__(self, native: str, market: MarketId) -> None:
        self._native = native
        self._market = market

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the quote; no event while a side is empty."""
        row = _BOOK_TICKERS.decode(frame).data
        bid, bid_quantity, ask, ask_quantity = row.bid, row.bid_quantity, row.ask, row.ask_quantity
        if not (ZERO < bid < ask < BEYOND and ZERO < bid_quantity < BEYOND and ZERO < ask_quantity < BEYOND):
            if not (bid and ask and bid_quantity and ask_quantity):
                return (Data(native=self._native, events=()),)
            raise ValueError(f"the top of the book is {bid_quantity} at {bid}, {ask_quantity} at {ask}")
        quote = Quote(
            market=self._market,
            bid=bid,
            bid_quantity=bid_quantity,
            ask=ask,
            ask_quantity=ask_quantity,
            at_ns=row.at_ms * MILLISECOND_NS,
            sequence=row.update,
        )
        return (Data(native=self._native, events=(quote,)),)


# ------------------------------------------------------------------------------------------------------------- trades
class _AggregateTrade(msgspec.Struct, gc=False):
    trade_id: int = msgspec.field(name="a")
    price: Decimal = msgspec.field(name="p")
    quantity: Decimal = msgspec.field(name="q")
    at_ms: Millis = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")


class _SingleTrade(msgspec.Struct, gc=False):
    trade_id: int = msgspec.field(name="t")
    price: Decimal = msgspec.field(name="p")
    quantity: Decimal = msgspec.field(name="q")
    at_ms: Millis = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")


class _AggregateTradeFrame(msgspec.Struct, gc=False):
    data: _AggregateTrade


class _SingleTradeFrame(msgspec.Struct, gc=False):
    data: _SingleTrade


_AGGREGATE_TRADES = msgspec.json.Decoder(_AggregateTradeFrame)
_SINGLE_TRADES = msgspec.json.Decoder(_SingleTradeFrame)


class _Numbered:
    """A stream whose trades are numbered without a hole, so that what is missing shows."""

    __slots__ = ("_last", "_market", "_native")

    def __init__(self, native: str, market: MarketId) -> None:
        self._native = native
        self._market = market
        self._last = 0  # the number of the last trade; 0 before the first

    def _following(self, trade_id: int, data: Data) -> Sequence[Message]:
        """Return the data, after a word on what is missing before it."""
        missing = trade_id - self._last - 1 if self._last else 0
        self._last = max(self._last, trade_id)
        return (data,) if missing <= 0 else (Gap(native=self._native, missing=missing), data)


class AggregateTrades(_Numbered):
    """`{symbol}@aggTrade`: fills of one taker order at one price as one trade, at most every 100 ms."""

    __slots__ = ()

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the trade."""
        row = _AGGREGATE_TRADES.decode(frame).data
        return self._following(row.trade_id, _trade(self._native, self._market, row))


class SingleTrades(_Numbered):
    """`{symbol}@trade`: every trade. A trade of nothing (`"X":"NA"`, price 0) is a placeholder and no event."""

    __slots__ = ()

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the trade."""
        row = _SINGLE_TRADES.decode(frame).data
        if not row.price and not row.quantity:
            return self._following(row.trade_id, Data(native=self._native, events=()))
        return self._following(row.trade_id, _trade(self._native, self._market, row))


def _trade(native: str, market: MarketId, row: _AggregateTrade | _SingleTrade) -> Data:
    price, quantity = row.price, row.quantity
    if not (ZERO < price < BEYOND and ZERO < quantity < BEYOND):
        raise ValueError(f"a trade of {quantity} at {price}")
    trade = Trade(
        market=market,
        trade_id=str(row.trade_id),
        side=_SELL if row.buyer_is_maker else _BUY,  # the taker's
        price=price,
        quantity=quantity,
        at_ns=row.at_ms * MILLISECOND_NS,
    )
    return Data(native=native, events=(trade,))


# --------------------------------------------------------------------------------------------------------------- bars
class _Bar(msgspec.Struct, gc=False):
    start: Millis = msgspec.field(name="t")
    open: Decimal = msgspec.field(name="o")
    high: Decimal = msgspec.field(name="h")
    low: Decimal = msgspec.field(name="l")
    close: Decimal = msgspec.field(name="c")
    volume: Decimal = msgspec.field(name="v")
    closed: bool = msgspec.field(name="x")


class _BarEvent(msgspec.Struct, gc=False):
    bar: _Bar = msgspec.field(name="k")


class _BarFrame(msgspec.Struct, gc=False):
    data: _BarEvent


_BARS = msgspec.json.Decoder(_BarFrame)


class Bars:
    """`{symbol}@kline_{interval}`: only a closed bar is an event; the others prove that the stream lives."""

    __slots__ = ("_market", "_native", "_timeframe_s")

    def __init__(self, native: str, market: MarketId, timeframe_s: int) -> None:
        self._native = native
        self._market = market
        self._timeframe_s = timeframe_s

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the bar where it is closed."""
        row = _BARS.decode(frame).data.bar
        events = (bar_of(row, self._market, self._timeframe_s),) if row.closed else ()
        return (Data(native=self._native, events=events),)
