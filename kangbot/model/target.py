"""What a strategy wants of a market; `machines/plan.py` turns the difference to the position into orders."""

from decimal import Decimal

import msgspec

from kangbot.model.money import BEYOND, Price


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The exposure wanted, with its stop and its reason. Wanting it twice changes nothing.

    `exposure` is a share of the market's configured size in [-1, 1]: 1 is fully long, 0 flat, -1 fully short.
    `stop` is the price at which the position must end; None leaves a resting stop as it is. `reason` is for a reader
    of the log: it names the figures that decided. TypeError where a value is of another kind, ValueError where it is
    outside its range.
    """

    exposure: Decimal
    stop: Price | None = None
    reason: str

    def __post_init__(self) -> None:
        _is("exposure", self.exposure, Decimal)
        _is("reason", self.reason, str)
        if not self.exposure.is_finite() or abs(self.exposure) > 1:
            raise ValueError(f"exposure must be a share of the configured size in [-1, 1], not {self.exposure}")
        try:
            self.reason.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"reason must be text that can be written down: {error}") from error
        if self.stop is None:
            return
        _is("stop", self.stop, Decimal)
        if not (self.stop.is_finite() and 0 < self.stop < BEYOND):
            raise ValueError(f"stop must be a price above zero, not {self.stop}")


def _is(name: str, value: object, kind: type) -> None:
    """Raise TypeError where it is none of that kind: strategies are not checked as this is, and orders carry it on.

    A reason that is no text would go into the journal with its order, and no start could read that order again.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {value!r:.100}")
