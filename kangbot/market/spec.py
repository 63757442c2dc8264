"""What a market's task is made from: the configuration's words, turned into frozen values."""

from typing import Any

import msgspec

from kangbot.machines.plan import Style
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.money import Money
from kangbot.strategy.base import Strategy

_MINUTE_S = 60


class MarketSpec(msgspec.Struct, frozen=True, kw_only=True):
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
    style: Style = msgspec.field(default_factory=Style)  # how its orders are placed

    @property
    def eager(self) -> bool:
        """Whether it may decide at any moment, not only when a bar of minutes closes."""
        return self.timeframe_s < _MINUTE_S or self.strategy.decides_on_quotes

    def decides_as(self, other: "MarketSpec") -> bool:
        """Whether both have one strategy, on bars of one length."""
        return self.strategy is other.strategy and self.timeframe_s == other.timeframe_s

    def with_some_of(self, other: "MarketSpec", *, deciding: bool, ordering: bool) -> "MarketSpec":
        """Return this one with what `other` says of `deciding`, its strategy and bars, or of `ordering`: the rest."""
        spec = self
        if deciding:
            spec = msgspec.structs.replace(
                spec, strategy=other.strategy, timeframe=other.timeframe, timeframe_s=other.timeframe_s
            )
        if ordering:
            spec = msgspec.structs.replace(spec, size=other.size, leverage=other.leverage, style=other.style)
        return spec
