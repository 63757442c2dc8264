"""What may not be exceeded: the parameters of the rules, each with its unit and what its absence means."""

from decimal import Decimal

import msgspec

from kangbot.model.money import ZERO, Money

HOUR_NS = 3_600_000_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one account. None: that rule is off. ValueError where a value makes no sense.

    Money is in the account's settle currency, shares are in percent. All of them hold entries back, never exits.
    """

    # -- how much
    market_notional: Money | None = None  # of one market: its position and its open entries at their worst
    total_notional: Money | None = None  # the same over all markets
    open_positions: int | None = None  # markets with a position or an open entry
    leverage: Decimal | None = Decimal(3)  # total notional by equity; an unknown equity admits no entry
    slippage_percent: Decimal = Decimal("0.5")  # by which a market order may fill worse than its reference: its worst

    # -- how much of it may be lost
    daily_loss: Money | None = None  # since 00:00 UTC: by equity (open profit, fees, funding) or realised, the worse
    drawdown_percent: Decimal | None = None  # of the highest equity in memory, since a person had it counted anew
    consecutive_losses: int | None = None  # closed round trips of one market, fees included, without a gain between
    losses_pause_ns: int = 4 * HOUR_NS  # how long a market rests after so many; then one entry is let through
    stop_pause_ns: int | None = None  # how long a market rests after a stop or a liquidation
    entries_an_hour: int | None = None  # of one market, over the last 60 minutes

    # -- under which conditions
    require_stop: bool = True  # an entry brings its stop
    beside_hand: bool = False  # whether to enter where somebody traded by hand
    stale_data_ns: int | None = 30_000_000_000  # the newest quote's age; venues repeat a quiet book every few seconds
    spread_percent: Decimal | None = Decimal(1)  # of the mid
    mark_distance_percent: Decimal | None = Decimal(3)  # between the order's price and the venue's mark price

    def __post_init__(self) -> None:
        wrong = [
            f"{name} must be above zero, not {value}"
            for name in self.__struct_fields__
            if not isinstance(value := getattr(self, name), bool) and value is not None and _wrong(name, value)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    def day_lost(self, loss: Money) -> str:
        """Return why a day that lost so much takes no more entries; "" where it does."""
        if self.daily_loss is not None and loss >= self.daily_loss:
            return f"the day has lost {loss:.2f}, the limit is {self.daily_loss:f}; entries resume at 00:00 UTC"
        return ""

    def peak_lost(self, percent: Decimal) -> str:
        """Return why an account that is so far below its peak takes no more entries; "" where it does."""
        if self.drawdown_percent is not None and percent >= self.drawdown_percent:
            fallen = f"equity is {percent:.2f} % below its peak, the limit is {self.drawdown_percent:f} %"
            return f"{fallen}; entries resume once equity is back, or after `kangbot reset-drawdown`"
        return ""


def _wrong(name: str, value: Decimal | int) -> bool:
    if isinstance(value, Decimal) and not value.is_finite():
        return True
    return value < ZERO if name == "slippage_percent" else value <= ZERO
