"""A market for whoever needs one, and of its rules only those that matter there."""

from decimal import Decimal

import msgspec

from kangbot.model.ids import Symbol, VenueName, market_id
from kangbot.model.market import Instrument, InstrumentKind


def instrument_of(
    base: str = "BTC",
    kind: InstrumentKind = InstrumentKind.LINEAR,
    *,
    venue: str = "bybit",
    **rules: Decimal | None,
) -> Instrument:
    """Return the market of `base` against Tether: a tick of 0.1, a step of 0.001, five Tether at least."""
    name, pair = VenueName(venue), f"{base}/USDT"
    symbol = Symbol(pair if kind is InstrumentKind.SPOT else f"{pair}:USDT")
    usual = Instrument(
        market=market_id(name, symbol),
        venue=name,
        symbol=symbol,
        native=f"{base}USDT",
        kind=kind,
        base=base,
        quote="USDT",
        settle="USDT",
        tick=Decimal("0.1"),
        step=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        min_notional=Decimal(5),
    )
    return msgspec.structs.replace(usual, **rules)
