"""What a market's task is made from: the configuration's words, turned into frozen values."""

from dataclasses import dataclass, field
from typing import Any

from kangbot.machines.plan import Style
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.money import Money
from kangbot.strategy.base import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """One market as it is to be traded.

    A changed one concerns what decides from the next bar on, how much from the next entry on. `strategy` is the same
    object where the strategy stays.
    """

    market: MarketId
    symbol: Symbol
    strategy: Strategy[Any, Any]
    timeframe: str  # as configured: "1m"
    timeframe_s: int
    size: Money  # notional at full exposure, quote currency
    leverage: int
    style: Style = field(default_factory=Style)  # how its orders are placed
