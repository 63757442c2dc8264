"""Refusals in Bybit v5's codes (https://bybit-exchange.github.io/docs/v5/error)."""

from kangbot.sim.exchange.refusal import Reason, RequestRefused


class ApiError(Exception):
    """An answer with a `retCode` other than 0; HTTP status 200 unless said otherwise."""

    def __init__(self, code: int, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


PARAMS = 10001
TIMESTAMP = 10002
API_KEY = 10003
SIGNATURE = 10004
RATE_LIMIT = 10006
SERVER = 10016
PATH = 10017

_LINEAR = {
    Reason.UNKNOWN_MARKET: (PARAMS, "params error: Symbol Invalid"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.QUANTITY_INVALID: (PARAMS, "Qty invalid"),
    Reason.QUANTITY_SMALL: (PARAMS, "The number of contracts exceeds minimum limit allowed"),
    Reason.QUANTITY_LARGE: (PARAMS, "The number of contracts exceeds maximum limit allowed: too large"),
    Reason.PRICE_INVALID: (PARAMS, "params error: Price Invalid"),
    Reason.NOTIONAL_SMALL: (110094, "Order does not meet minimum order value 5USDT"),
    Reason.BALANCE: (110007, "ab not enough for new order"),
    Reason.REDUCE_ONLY_FLAT: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.REDUCE_ONLY_SIDE: (110017, "orderQty will be truncated to zero."),
    Reason.TRIGGER_PASSED: (110092, ""),
    Reason.STOP_SIDE: (PARAMS, ""),
    Reason.NO_POSITION: (PARAMS, "can not set tp/sl/ts for zero position"),
    Reason.NOT_MODIFIED: (34040, "not modified"),
    Reason.LEVERAGE: (110013, "cannot set leverage gt maxLeverage by risk limit"),
    Reason.AMEND_FILLED: (110064, "The number of contracts modified cannot be less than or equal to the filled qty"),
    Reason.NOT_SUPPORTED: (PARAMS, ""),
    Reason.NOT_QUOTED: (110066, "No trading is allowed at the current time"),
}
_SPOT = {
    **_LINEAR,
    Reason.UNKNOWN_MARKET: (170121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reason.DUPLICATE_ID: (170141, "Duplicate clientOrderId"),
    Reason.QUANTITY_INVALID: (170137, "Order quantity has too many decimals."),
    Reason.QUANTITY_SMALL: (170136, "Order quantity exceeded lower limit."),
    Reason.QUANTITY_LARGE: (170135, "Order quantity exceeded upper limit."),
    Reason.PRICE_INVALID: (170134, "Order price has too many decimals."),
    Reason.NOTIONAL_SMALL: (170140, "Order value exceeded lower limit."),
    Reason.BALANCE: (170131, "Insufficient balance."),
}
_FALLING = 110093  # the code of a passed trigger depends on the direction that was expected


def translate(refusal: RequestRefused, category: str) -> ApiError:
    """Return the refusal as the venue would answer it; where the venue names values, so does the message."""
    code, message = (_SPOT if category == "spot" else _LINEAR)[refusal.reason]
    if refusal.reason is Reason.TRIGGER_PASSED and refusal.message.startswith("expect Falling"):
        code = _FALLING
    return ApiError(code, message or refusal.message)
