"""Frames of Bybit's public topics: bytes in, our words out.

Each subscribed topic has one decoder that knows its market, so that a frame is decoded once, into the type that its
topic calls for. A decoder raises one of `UNREADABLE` on a frame it cannot read; the dialect makes that a Garbled.
Replies to our requests and the account's topics are read elsewhere (replies.py, account.py).

Quotes come from `orderbook.1`, not from `tickers`: spot tickers carry no bid and ask, linear tickers push at most every
100 ms and only what changed, while level 1 pushes every 10 ms, whole, and repeats an unchanged top after 3 seconds,
which also proves that the topic lives. Source: Bybit v5, "Orderbook" and "Ticker" streams.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import BEYOND, ZERO, Price, Quantity
from kangbot.model.orders import Side
from kangbot.ports import Channel, Data, Gap, Ignored, Message, Topic
from kangbot.venues.bybit.intervals import STREAMED
from kangbot.venues.reading import MILLISECOND_NS, Decode, Millis, bar_of

Levels = list[tuple[Price, Quantity]]

_TIMEFRAMES = {word: seconds for seconds, word in STREAMED.items()}

_BUY, _SELL = Side.BUY, Side.SELL  # an enum's member costs as much to look up as a comparison


def decoder_of(topic: Topic) -> Decode:
    """Return a fresh decoder for a public topic; ValueError where the topic is no public one."""
    if topic.market is None:
        raise ValueError(f"{topic.native} has no market: it is not a public topic")
    match topic.channel:
        case Channel.QUOTE:
            return TopOfBook(topic.native, topic.market).decode
        case Channel.TRADE:
            return Trades(topic.native, topic.market).decode
        case Channel.BAR:
            return Bars(topic.native, topic.market).decode
        case Channel.ACCOUNT:
            raise ValueError(f"{topic.native} is the account's: it is not a public topic")


# ------------------------------------------------------------------------------------------------------------- trades
class _TradeRow(msgspec.Struct, gc=False):
    at_ms: Millis = msgspec.field(name="T")
    side: Literal["Buy", "Sell"] = msgspec.field(name="S")  # the taker's
    quantity: Decimal = msgspec.field(name="v")
    price: Decimal = msgspec.field(name="p")
    trade_id: str = msgspec.field(name="i")
    block: bool = msgspec.field(name="BT", default=False)


class _TradeFrame(msgspec.Struct, gc=False):
    data: list[_TradeRow]


_TRADES = msgspec.json.Decoder(_TradeFrame)


class Trades:
    """`publicTrade.{symbol}`: at most 1,024 trades a frame, in the order they were matched.

    Block trades are passed over: two sides agreed on their price away from the book, and nobody else could trade at it.
    """

    __slots__ = ("_market", "_native")

    def __init__(self, native: str, market: MarketId) -> None:
        self._native = native
        self._market = market

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the trades of the frame."""
        market = self._market
        events = []
        for row in _TRADES.decode(frame).data:
            if row.block:
                continue
            price, quantity = row.price, row.quantity
            if not (ZERO < price < BEYOND and ZERO < quantity < BEYOND):
                raise ValueError("a trade without price or quantity")
            events.append(
                Trade(
                    market=market,
                    trade_id=row.trade_id,
                    side=_BUY if row.side == "Buy" else _SELL,
                    price=price,
                    quantity=quantity,
                    at_ns=row.at_ms * MILLISECOND_NS,
                )
            )
        return (Data(native=self._native, events=events),)


# ------------------------------------------------------------------------------------------------------------- quotes
class _BookLevels(msgspec.Struct, gc=False):
    bids: Levels = msgspec.field(name="b")
    asks: Levels = msgspec.field(name="a")
    update: int = msgspec.field(name="u")


class _BookFrame(msgspec.Struct, gc=False):
    kind: Literal["snapshot", "delta"] = msgspec.field(name="type")
    at_ms: Millis = msgspec.field(name="ts")
    data: _BookLevels


_BOOK = msgspec.json.Decoder(_BookFrame, strict=False)  # the documentation shows `ts` as a number and as a string


class TopOfBook:
    """`orderbook.1.{symbol}`: the best bid and ask, merged where the venue sends deltas.

    Today level 1 sends snapshots only; a delta is merged by the documented rules all the same. A quote is told only
    where both sides are known, and its time is the venue's sending time (`ts`), so that a repeated snapshot renews it.
    """

    __slots__ = ("_asks", "_bids", "_market", "_native", "_update")

    def __init__(self, native: str, market: MarketId) -> None:
        self._native = native
        self._market = market
        self._bids: Levels = []  # best first
        self._asks: Levels = []
        self._update = -1  # of the last frame; -1: no snapshot yet

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the quote after the frame; no event while a side is empty."""
        update, self._update = self._update, -1  # what fails below may have been a delta: wait for a snapshot then
        read = _BOOK.decode(frame)
        levels = read.data
        bids, asks = levels.bids, levels.asks
        if read.kind == "delta":
            if update < 0:
                return (Ignored(kind="orderbook.delta_before_snapshot"),)
            if levels.update <= update:
                self._update = update
                return (Ignored(kind="orderbook.old_delta"),)
            if levels.update > update + 1:  # what was missed may have moved the top: wait for a snapshot
                return (Gap(native=self._native, missing=levels.update - update - 1),)
            bids = _merged(self._bids, _checked(bids), descending=True)
            asks = _merged(self._asks, _checked(asks), descending=False)
        elif len(bids) != 1 or len(asks) != 1:
            bids, asks = _checked(bids), _checked(asks)
        if not bids or not asks:
            self._bids, self._asks, self._update = bids, asks, levels.update
            return (Data(native=self._native, events=()),)
        bid, bid_quantity = bids[0]
        ask, ask_quantity = asks[0]
        if not (ZERO < bid < ask < BEYOND and ZERO < bid_quantity < BEYOND and ZERO < ask_quantity < BEYOND):
            raise ValueError(f"the top of the book is {bid_quantity} at {bid}, {ask_quantity} at {ask}")
        self._bids, self._asks, self._update = bids, asks, levels.update
        quote = Quote(
            market=self._market,
            bid=bid,
            bid_quantity=bid_quantity,
            ask=ask,
            ask_quantity=ask_quantity,
            at_ns=read.at_ms * MILLISECOND_NS,
            sequence=levels.update,
        )
        return (Data(native=self._native, events=(quote,)),)


def _checked(levels: Levels) -> Levels:
    """Return the levels; ValueError or ArithmeticError where one has no price or quantity."""
    for price, quantity in levels:
        if not (ZERO < price < BEYOND and ZERO <= quantity < BEYOND):
            raise ValueError(f"a level of {quantity} at {price}")
    return levels


def _merged(side: Levels, changes: Levels, *, descending: bool) -> Levels:
    """Return the side with each changed level set, best first; quantity 0 removes a level."""
    levels = dict(side)
    for price, quantity in changes:
        if quantity:
            levels[price] = quantity
        else:
            levels.pop(price, None)
    return sorted(levels.items(), reverse=descending)


# --------------------------------------------------------------------------------------------------------------- bars
class _BarRow(msgspec.Struct, gc=False):
    start: Millis
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    confirm: bool


class _BarFrame(msgspec.Struct, gc=False):
    data: list[_BarRow]


_BARS = msgspec.json.Decoder(_BarFrame)


class Bars:
    """`kline.{interval}.{symbol}`: only a confirmed bar is an event; the others prove that the topic lives."""

    __slots__ = ("_market", "_native", "_timeframe_s")

    def __init__(self, native: str, market: MarketId) -> None:
        interval = native.split(".")[1]
        if interval not in _TIMEFRAMES:
            raise ValueError(f"{native}: no such interval")
        self._native = native
        self._market = market
        self._timeframe_s = _TIMEFRAMES[interval]

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return the closed bars of the frame."""
        events = [bar_of(row, self._market, self._timeframe_s) for row in _BARS.decode(frame).data if row.confirm]
        return (Data(native=self._native, events=events),)
