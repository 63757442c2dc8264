"""What a venue says about a market."""

from decimal import Decimal

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import Side
from kangbot.model.written import Written


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="trade"):
    """One public trade. `side` is the taker's."""

    market: MarketId
    trade_id: str
    side: Side
    price: Price
    quantity: Quantity
    at_ns: int  # venue time


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="quote"):
    """The top of the book, whole: an adapter merges the venue's deltas before it tells anyone."""

    market: MarketId
    bid: Price
    bid_quantity: Quantity
    ask: Price
    ask_quantity: Quantity
    at_ns: int  # venue time
    sequence: int = 0  # the venue's update id; 0 where it has none

    @property
    def mid(self) -> Price:
        """The middle of the spread."""
        return (self.bid + self.ask) / 2


class Bar(Written, frozen=True, kw_only=True, gc=False, tag="bar"):
    """Open, high, low, close and volume of [open_ns, open_ns + timeframe_s). Only closed bars travel."""

    market: MarketId
    timeframe_s: int
    open_ns: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity

    @property
    def close_ns(self) -> int:
        """The first instant after the bar."""
        return self.open_ns + self.timeframe_s * 1_000_000_000


class FundingRate(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue has settled for a perpetual: then the longs paid this share of their positions to the shorts."""

    at_ns: int
    rate: Decimal  # negative: the shorts paid


MarketData = Trade | Quote | Bar
