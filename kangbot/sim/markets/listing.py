"""The markets that a simulated venue lists by default: plausible prices, ticks and steps under native names.

The rules are of the size of Bybit's for the same markets in 2025 (prices rounded, minimum order value 5 USDT); nothing
here has to be exact, but nothing may be so different that an order of a few hundred USDT could not be placed.
"""

from decimal import Decimal

from kangbot.model.ids import Symbol, VenueName, market_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.sim.markets.arithmetic import exact
from kangbot.sim.markets.spec import MarketSpec

# base: price, tick, step and minimum quantity
_TABLE: dict[str, tuple[str, str, str]] = {
    "BTC": ("96000", "0.10", "0.001"),
    "ETH": ("3400", "0.01", "0.01"),
    "SOL": ("190", "0.010", "0.1"),
    "XRP": ("2.4", "0.0001", "0.1"),
    "BNB": ("690", "0.10", "0.01"),
    "DOGE": ("0.34", "0.00001", "1"),
    "ADA": ("0.95", "0.0001", "1"),
    "TRX": ("0.25", "0.00001", "1"),
    "AVAX": ("38", "0.001", "0.1"),
    "LINK": ("22", "0.001", "0.1"),
    "DOT": ("7.1", "0.001", "0.1"),
    "LTC": ("105", "0.01", "0.1"),
    "BCH": ("450", "0.10", "0.01"),
    "UNI": ("13", "0.001", "0.1"),
    "ATOM": ("6.6", "0.001", "0.1"),
    "ETC": ("27", "0.001", "0.1"),
    "XLM": ("0.41", "0.00001", "1"),
    "FIL": ("5.2", "0.001", "0.1"),
    "APT": ("9.1", "0.001", "0.01"),
    "ARB": ("0.76", "0.0001", "0.1"),
    "OP": ("1.9", "0.0001", "0.1"),
    "NEAR": ("5.3", "0.001", "0.1"),
    "INJ": ("22", "0.001", "0.1"),
    "SUI": ("4.4", "0.0001", "10"),
    "AAVE": ("310", "0.01", "0.01"),
    "ICP": ("10.5", "0.001", "0.1"),
    "ALGO": ("0.36", "0.0001", "0.1"),
}
_LEVEL_VALUE = Decimal(20_000)  # what one level of the book is worth, in USDT
_MAX_ORDERS = Decimal(1_000_000)  # what the largest order is worth

DEFAULT_LINEAR: tuple[str, ...] = tuple(f"{base}USDT" for base in _TABLE)
DEFAULT_SPOT: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")


def linear(native: str, venue: str = "bybit") -> MarketSpec:
    """Return the USDT perpetual `native` ("BTCUSDT"). A base that the table does not know costs 1 USDT."""
    return _spec(native, venue, InstrumentKind.LINEAR)


def spot(native: str, venue: str = "bybit") -> MarketSpec:
    """Return the spot market `native`. A base that the table does not know costs 1 USDT."""
    return _spec(native, venue, InstrumentKind.SPOT)


@exact
def _spec(native: str, venue: str, kind: InstrumentKind) -> MarketSpec:
    quote = "USDT"
    base = native.removesuffix(quote)
    if base == native or not base.isalnum():
        raise ValueError(f"{native!r} is not the name of a USDT market, such as BTCUSDT")
    price_text, tick_text, step_text = _TABLE.get(base, ("1", "0.0001", "1"))
    price, step = Decimal(price_text), Decimal(step_text)
    name = VenueName(venue)
    symbol = Symbol(f"{base}/{quote}:{quote}" if kind is InstrumentKind.LINEAR else f"{base}/{quote}")
    instrument = Instrument(
        market=market_id(name, symbol),
        venue=name,
        symbol=symbol,
        native=native,
        kind=kind,
        base=base,
        quote=quote,
        settle=quote,
        tick=Decimal(tick_text),
        step=step,
        min_quantity=step,
        max_quantity=max(step, (_MAX_ORDERS / price / step).to_integral_value() * step),
        min_notional=Decimal(5),
    )
    level = max(step, (_LEVEL_VALUE / price / step).to_integral_value() * step)
    return MarketSpec(instrument=instrument, price=price, level=level)
