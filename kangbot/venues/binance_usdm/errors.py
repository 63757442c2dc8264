"""What Binance's refusals of questions mean for who asked. Nothing here changes anything at the venue.

Source: Binance, "USDⓈ-M Futures, General Info" (HTTP return codes, limits) and "Error Codes".
"""

from kangbot.errors import KangbotError, NeedsHuman, NotFound, RateLimited, Refused, Retryable
from kangbot.runtime.world import SECOND_NS

WINDOW_NS = 60 * SECOND_NS  # weight is counted by the minute; for a 429 that does not say when
BAN_NS = 120 * SECOND_NS  # "from 2 minutes to 3 days"; for a 418 or a 403 that does not say until when

_LIMITED, _BANNED, _COUNTRY = 429, (403, 418), 451  # 403 is the firewall's word for too many requests
_NO_ROUTE = 404
_ABSENT = (-1121, -1122)  # invalid symbol, invalid symbol status
_TOO_MANY = (-1003, -1015)
_LATER = (  # disconnected, unknown, timeout, busy, shutting down
    -1000,
    -1001,
    -1006,
    -1007,
    -1008,
    -1016,
)


def refusal(status: int, code: int | None, message: str, retry_after_ns: int) -> KangbotError:
    """Return what an answer without success asks its caller to do.

    `code` is Binance's own, None where the body was not Binance's (a proxy's page); `retry_after_ns` is 0 where the
    answer did not say.
    """
    told = str(status) if code is None else str(code)
    text = f"binance_usdm HTTP {status}: {message}" if code is None else f"binance_usdm {code}: {message}"
    if status in _BANNED:
        return RateLimited(text, code=told, retry_after_ns=retry_after_ns or BAN_NS)
    if status == _LIMITED or code in _TOO_MANY:
        return RateLimited(text, code=told, retry_after_ns=retry_after_ns or WINDOW_NS)
    if status == _COUNTRY:
        remedy = "Binance does not serve this address' country: run the daemon where it does."
        return NeedsHuman(text, remedy=remedy, code=told)
    if status == _NO_ROUTE and code is None:
        return NeedsHuman(text, remedy="Check the venue's rest_url: Binance knows no such route.", code=told)
    if code in _ABSENT:
        return NotFound(text, code=told)
    if status >= 500 or code in _LATER or code is None:
        return Retryable(text, code=told, retry_after_ns=retry_after_ns)
    return Refused(text, code=told)
