"""What a strategy wants of a market; `machines/plan.py` turns the difference to the position into orders."""

from decimal import Decimal

import msgspec

from kangbot.model.money import BEYOND, Price


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The exposure wanted, with its stop and its reason. Wanting it twice changes nothing.

    `exposure` is a share of the market's configured size in [-1, 1]: 1 is fully long, 0 flat, -1 fully short.
    `stop` is the price at which the position must end; None leaves a resting stop as it is. `reason` is for a reader
    of the log: it names the figures that decided. ValueError where a value is outside its range.
    """

    exposure: Decimal
    stop: Price | None = None
    reason: str

    def __post_init__(self) -> None:
        if not self.exposure.is_finite() or abs(self.exposure) > 1:
            raise ValueError(f"exposure must be a share of the configured size in [-1, 1], not {self.exposure}")
        if self.stop is not None and not (self.stop.is_finite() and 0 < self.stop < BEYOND):
            raise ValueError(f"stop must be a price above zero, not {self.stop}")
