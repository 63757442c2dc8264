"""Rows of Bybit's public REST answers: instruments, candles, trades, books. Those of the account are in rows.py.

Source: Bybit v5, "Get Instruments Info", "Get Kline", "Get Recent Public Trades", "Get Orderbook".
"""

from decimal import Decimal
from typing import Literal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId, Symbol, VenueName, market_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO
from kangbot.model.orders import Side
from kangbot.venues.reading import MILLISECOND_NS, CandleRow, checked_quote, checked_trade, tradable

VENUE = VenueName("bybit")


class LotRow(msgspec.Struct, frozen=True, rename="camel"):
    """What quantities are allowed. Contracts state `qtyStep`, spot `basePrecision`."""

    min_order_qty: Decimal = ZERO
    qty_step: Decimal | None = None
    base_precision: Decimal | None = None
    max_order_qty: Decimal | None = None
    max_mkt_order_qty: Decimal | None = None
    max_limit_order_qty: Decimal | None = None
    max_market_order_qty: Decimal | None = None
    min_notional_value: Decimal | None = None  # contracts
    min_order_amt: Decimal | None = None  # spot


class PriceRow(msgspec.Struct, frozen=True, rename="camel"):
    """What prices are allowed."""

    tick_size: Decimal


class InstrumentRow(msgspec.Struct, frozen=True, rename="camel"):
    """One market as `/v5/market/instruments-info` states it."""

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    lot_size_filter: LotRow
    price_filter: PriceRow
    settle_coin: str = ""
    contract_type: str = ""

    def instrument(self) -> Instrument | None:
        """Return the market; None for what does not trade now, by rules that can be kept, as a pair or perpetual."""
        if self.status != "Trading" or self.contract_type not in {"", "LinearPerpetual"}:
            return None
        linear = bool(self.contract_type)
        settle = self.settle_coin if linear else self.quote_coin
        symbol = Symbol(f"{self.base_coin}/{self.quote_coin}" + (f":{settle}" if linear else ""))
        lot = self.lot_size_filter
        step = lot.qty_step if linear else lot.base_precision
        # An order may be a market order as well as a limit order: the narrower of their bounds holds for both.
        told = (lot.max_order_qty, lot.max_mkt_order_qty, lot.max_limit_order_qty, lot.max_market_order_qty)
        bounds = [bound for bound in told if bound is not None and not bound.is_zero()]
        if step is None or not all(bound.is_finite() for bound in bounds):  # NaN is not to be compared
            return None
        found = Instrument(
            market=market_id(VENUE, symbol),
            venue=VENUE,
            symbol=symbol,
            native=self.symbol,
            kind=InstrumentKind.LINEAR if linear else InstrumentKind.SPOT,
            base=self.base_coin,
            quote=self.quote_coin,
            settle=settle,
            tick=self.price_filter.tick_size,
            step=step,
            min_quantity=lot.min_order_qty,
            max_quantity=min(bounds, default=None),
            min_notional=(lot.min_notional_value if linear else lot.min_order_amt) or ZERO,
        )
        return found if tradable(found) else None


class TradeRow(msgspec.Struct, frozen=True, rename="camel"):
    """One public trade of `/v5/market/recent-trade`."""

    exec_id: str
    price: Decimal
    size: Decimal
    side: Literal["Buy", "Sell"]  # the taker's
    time: int
    is_block_trade: bool = False

    def trade(self, market: MarketId) -> Trade:
        """Return the trade; `side` is the taker's. ValueError where it is none."""
        read = Trade(
            market=market,
            trade_id=self.exec_id,
            side=Side.BUY if self.side == "Buy" else Side.SELL,
            price=self.price,
            quantity=self.size,
            at_ns=self.time * MILLISECOND_NS,
        )
        return checked_trade(read)


class TradeRows(msgspec.Struct, frozen=True):
    """Trades, newest first."""

    rows: list[TradeRow] = msgspec.field(name="list")


class BookRow(msgspec.Struct, frozen=True):
    """A book of `/v5/market/orderbook`, best levels first: price and quantity."""

    bids: list[tuple[Decimal, Decimal]] = msgspec.field(name="b")
    asks: list[tuple[Decimal, Decimal]] = msgspec.field(name="a")
    at_ms: int = msgspec.field(name="ts")
    update: int = msgspec.field(name="u")

    def quote(self, market: MarketId) -> Quote | None:
        """Return the top; None while a side is empty. ValueError where no book can be so."""
        if not self.bids or not self.asks:
            return None
        (bid, bid_quantity), (ask, ask_quantity) = self.bids[0], self.asks[0]
        read = Quote(
            market=market,
            bid=bid,
            bid_quantity=bid_quantity,
            ask=ask,
            ask_quantity=ask_quantity,
            at_ns=self.at_ms * MILLISECOND_NS,
            sequence=self.update,
        )
        return checked_quote(read)


class KlineRows(msgspec.Struct, frozen=True):
    """Candles of `/v5/market/kline`, newest first; the last, unfinished one is among them."""

    rows: list[CandleRow] = msgspec.field(name="list")


class TimeRow(msgspec.Struct, frozen=True, rename="camel"):
    """The venue's clock."""

    time_nano: int
