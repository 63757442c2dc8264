"""Binance USD-M's public REST answers: bytes in, our words out. Money is read from its digits, never from a float.

Source: Binance, "USDⓈ-M Futures, Market Data Endpoints": Exchange Information, Kline/Candlestick Data,
Compressed/Aggregate Trades List, Symbol Order Book Ticker, Get Funding Rate History, Check Server Time.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import msgspec

from kangbot.model.data import FundingRate, Quote, Trade
from kangbot.model.ids import MarketId, Symbol, VenueName, market_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO
from kangbot.model.orders import Side
from kangbot.venues.reading import (
    MILLISECOND_NS,
    UNREADABLE,
    CandleRow,
    checked_quote,
    checked_trade,
    quoted,
    tradable,
)

VENUE = VenueName("binance_usdm")


# -------------------------------------------------------------------------------------------------------- instruments
class _Names(msgspec.Struct, frozen=True, rename="camel"):
    """What tells one contract from another."""

    symbol: str
    base_asset: str
    quote_asset: str
    margin_asset: str
    status: str = ""
    contract_type: str = ""

    @property
    def unified(self) -> Symbol:
        """The symbol in ccxt's form."""
        return Symbol(f"{self.base_asset}/{self.quote_asset}:{self.margin_asset}")

    @property
    def trades(self) -> bool:
        """Whether it is a perpetual that trades now."""
        return self.contract_type == "PERPETUAL" and self.status == "TRADING"


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    """One rule; which of the fields are there depends on its type."""

    filter_type: str
    tick_size: Decimal = ZERO
    step_size: Decimal = ZERO
    min_qty: Decimal = ZERO
    max_qty: Decimal = ZERO
    notional: Decimal = ZERO


class _Contract(_Names, frozen=True, rename="camel"):
    """One contract with its rules."""

    filters: list[_Filter] = []

    def instrument(self) -> Instrument:
        """Return the market; ValueError where a rule that an order needs is missing."""
        rules = {rule.filter_type: rule for rule in self.filters}
        try:
            price, lot = rules["PRICE_FILTER"], rules["LOT_SIZE"]
        except KeyError as missing:
            raise ValueError(f"{self.symbol} has no {missing}") from missing
        # An order may be a market order as well as a limit order: the narrower of their bounds holds for both.
        bounds = [rules[name].max_qty for name in ("LOT_SIZE", "MARKET_LOT_SIZE") if name in rules]
        notional = rules.get("MIN_NOTIONAL")
        return Instrument(
            market=market_id(VENUE, self.unified),
            venue=VENUE,
            symbol=self.unified,
            native=self.symbol,
            kind=InstrumentKind.LINEAR,
            base=self.base_asset,
            quote=self.quote_asset,
            settle=self.margin_asset,
            tick=price.tick_size,
            step=lot.step_size,
            min_quantity=lot.min_qty,
            max_quantity=min((bound for bound in bounds if bound), default=None),
            min_notional=ZERO if notional is None else notional.notional,
        )


class _Listing(msgspec.Struct, frozen=True):
    symbols: list[msgspec.Raw]


class _Name(msgspec.Struct, frozen=True):
    symbol: str = ""


_LISTING = msgspec.json.Decoder(_Listing)
_NAME = msgspec.json.Decoder(_Name)
_NAMES = msgspec.json.Decoder(_Names)
_CONTRACT = msgspec.json.Decoder(_Contract)


def read_instruments(body: bytes, wanted: Collection[Symbol]) -> Mapping[Symbol, Instrument]:
    """Return the markets of `wanted` that trade now, by rules that can be kept.

    The answer lists every contract, over a megabyte: of the others only the names are read, one at a time.
    """
    found: dict[Symbol, Instrument] = {}
    natives = frozenset(map(_native, wanted))
    for raw in _LISTING.decode(body).symbols:
        try:
            names = _NAMES.decode(raw)
        except msgspec.ValidationError:
            if _NAME.decode(raw).symbol in natives:
                raise
            continue  # one of a new kind is not to keep those that are traded from their rules
        if names.trades and names.unified in wanted:
            instrument = _CONTRACT.decode(raw).instrument()
            if tradable(instrument):
                found[names.unified] = instrument
    return found


def _native(symbol: Symbol) -> str:
    """Return Binance's name for a perpetual: "BTCUSDT"."""
    return symbol.partition(":")[0].replace("/", "")


# ------------------------------------------------------------------------------------------------------------- trades
class AggregateTrade(msgspec.Struct, frozen=True):
    """Fills of one taker order at one price; the same ids as in the stream `aggTrade`."""

    trade_id: int = msgspec.field(name="a")
    price: Decimal = msgspec.field(name="p")
    quantity: Decimal = msgspec.field(name="q")
    at_ms: int = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")

    def trade(self, market: MarketId) -> Trade:
        """Return the trade; `side` is the taker's. ValueError where it is none."""
        read = Trade(
            market=market,
            trade_id=str(self.trade_id),
            side=Side.SELL if self.buyer_is_maker else Side.BUY,
            price=self.price,
            quantity=self.quantity,
            at_ns=self.at_ms * MILLISECOND_NS,
        )
        return checked_trade(read)


class BookTicker(msgspec.Struct, frozen=True, rename="camel"):
    """The top of one book; a side that is empty has the price 0."""

    bid_price: Decimal
    bid_qty: Decimal
    ask_price: Decimal
    ask_qty: Decimal
    time: int  # of the transaction, milliseconds

    def quote(self, market: MarketId) -> Quote | None:
        """Return the top; None while a side is empty. ValueError where no book can be so."""
        if not (self.bid_price and self.ask_price):
            return None
        read = Quote(
            market=market,
            bid=self.bid_price,
            bid_quantity=self.bid_qty,
            ask=self.ask_price,
            ask_quantity=self.ask_qty,
            at_ns=self.time * MILLISECOND_NS,
        )
        return checked_quote(read)


class _FundingRow(msgspec.Struct, frozen=True, rename="camel"):
    funding_rate: Decimal
    funding_time: int  # milliseconds


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: int


class _Problem(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""


_CANDLES = msgspec.json.Decoder(list[CandleRow])
_TRADES = msgspec.json.Decoder(list[AggregateTrade])
_BOOK = msgspec.json.Decoder(BookTicker)
_FUNDING = msgspec.json.Decoder(list[_FundingRow])
_TIME = msgspec.json.Decoder(_Time)
_PROBLEM = msgspec.json.Decoder(_Problem)


def read_candles(body: bytes) -> Sequence[CandleRow]:
    """Return the candles, oldest first; the last one may be unfinished."""
    return _CANDLES.decode(body)


def read_trades(body: bytes) -> Sequence[AggregateTrade]:
    """Return the trades, oldest first."""
    return _TRADES.decode(body)


def read_book(body: bytes) -> BookTicker:
    """Return the top of the book."""
    return _BOOK.decode(body)


def read_funding(body: bytes) -> Sequence[FundingRate]:
    """Return the rates that were settled, oldest first."""
    rows = _FUNDING.decode(body)
    return [FundingRate(at_ns=row.funding_time * MILLISECOND_NS, rate=row.funding_rate) for row in rows]


def read_time_ms(body: bytes) -> int:
    """Return the venue's clock, in milliseconds since the epoch."""
    return _TIME.decode(body).server_time


def read_problem(body: bytes) -> tuple[int | None, str]:
    """Return the code and the message of a refusal; no code, and the beginning of the body, where it is none."""
    try:
        problem = _PROBLEM.decode(body)
    except UNREADABLE:
        return None, quoted(body)
    return problem.code, problem.msg
