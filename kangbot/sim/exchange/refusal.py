"""Why the simulated venue says no: its own reasons, which a wire protocol translates into its codes."""

from enum import StrEnum

from kangbot.errors import Refused


class Reason(StrEnum):
    """A definitive refusal. The value is also the error's `code`."""

    UNKNOWN_MARKET = "unknown_market"
    UNKNOWN_ORDER = "unknown_order"  # no open order of that id
    DUPLICATE_ID = "duplicate_id"  # the client id was used before, whatever became of that order
    QUANTITY_INVALID = "quantity_invalid"  # not a positive multiple of the step
    QUANTITY_SMALL = "quantity_small"
    QUANTITY_LARGE = "quantity_large"
    PRICE_INVALID = "price_invalid"  # missing, not positive, or not a multiple of the tick
    NOTIONAL_SMALL = "notional_small"
    BALANCE = "balance"  # not enough available margin, or not enough of the coin
    REDUCE_ONLY_FLAT = "reduce_only_flat"  # there is no position to reduce
    REDUCE_ONLY_SIDE = "reduce_only_side"  # the order would increase the position
    TRIGGER_PASSED = "trigger_passed"  # the price is already beyond the trigger
    STOP_SIDE = "stop_side"  # a stop on the wrong side of the price
    NO_POSITION = "no_position"  # a stop for a position that is flat
    NOT_MODIFIED = "not_modified"  # the setting already has that value
    LEVERAGE = "leverage"  # out of the market's range
    AMEND_FILLED = "amend_filled"  # the new quantity is not above what is filled
    NOT_QUOTED = "not_quoted"  # the market has no price yet
    NOT_SUPPORTED = "not_supported"  # the market's kind does not know this


class RequestRefused(Refused):
    """Nothing changed at the venue, and asking again changes nothing."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message, code=reason.value)
        self.reason = reason
