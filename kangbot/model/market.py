"""What a market is at its venue."""

from enum import StrEnum

import msgspec

from kangbot.model.ids import MarketId, Symbol, VenueName
from kangbot.model.money import Money, Price, Quantity


class InstrumentKind(StrEnum):
    """How a position in the instrument is held."""

    SPOT = "spot"
    LINEAR = "linear"  # perpetual settled in its quote currency


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's rules for one market; what an order must satisfy before it may leave."""

    market: MarketId
    venue: VenueName
    symbol: Symbol
    native: str  # the venue's own name: "BTCUSDT"
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    tick: Price  # smallest price difference
    step: Quantity  # smallest quantity difference
    min_quantity: Quantity
    max_quantity: Quantity | None = None
    min_notional: Money


def timeframe_seconds(text: str) -> int:
    """Return the length of a timeframe such as "1s", "15s", "1m", "4h", "1d" in seconds; ValueError otherwise."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    count, unit = text[:-1], text[-1:]
    if unit not in units or not count.isdecimal() or int(count) < 1:
        raise ValueError(f"{text!r} is not a timeframe: a whole number and one of s, m, h, d, such as 1m")
    return int(count) * units[unit]
