"""What Bybit's refusals mean for who asked: raw codes first.

The order is: the code of the answer, then its HTTP status, then the class that ccxt gives to a code that is not in the
table, and what is still unknown may have happened. ccxt comes last because it names codes for what they speak of, not
for what they prove: a duplicate client id, which proves that the order exists, is its `InvalidOrder`, and so is a
timeout of the matching engine.
"""

from collections.abc import Mapping

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    KangbotError,
    Misstamped,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.venues.bybit.codes import CLASSES, CODES, MESSAGES, OF_A_MARKET, STATUSES, Meaning
from kangbot.venues.http import NoAnswer, NotSent, believed, retry_after_ns, whole

SECOND_NS = 1_000_000_000
# Source of both: https://bybit-exchange.github.io/docs/v5/rate-limit
BAN_NS = 600 * SECOND_NS  # "terminate all HTTP sessions and wait for at least 10 minutes"
WINDOW_NS = SECOND_NS  # limits count "per second and per UID"; for answers that do not say when


class Answered(Exception):
    """Bybit answered, and it was not a success. Raised by the client, read by `classify`.

    `code` is the retCode, "" where the body was not Bybit's (a proxy's page). `retry_after_ns` is 0 where the answer
    did not say. ccxt's own reading of the answer, where it has one, is the `__cause__`.
    """

    def __init__(self, *, status: int, code: str, message: str, retry_after_ns: int = 0) -> None:
        super().__init__(f"{code or f'HTTP {status}'}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_ns = retry_after_ns


class NotModified(Refused):
    """What was asked for is so already: success for every caller that sets something."""


def classify(error: Exception, *, changes: bool) -> KangbotError:
    """Return what `error`, raised by a call to Bybit, asks its caller to do.

    `changes` says whether the call could have changed something: only then is what is unknown Ambiguous, and
    otherwise Retryable.
    """
    if isinstance(error, KangbotError):
        return error
    if isinstance(error, NotSent):
        return Retryable(f"bybit was not reached: {error}")
    if isinstance(error, Answered):
        return _answered(error, changes=changes)
    if isinstance(error, NoAnswer):
        return _unknown(f"bybit did not answer: {error}", changes=changes)
    if _ccxt_names(error):  # raised by ccxt itself, which has no transport here: the request was never made
        found = _by_class(error)
        meaning = found if isinstance(found, str) else Meaning.REFUSED
        return _error(meaning, f"ccxt refused: {error}", code=None, changes=changes, retry_after_ns=0)
    return _unknown(f"bybit's answer could not be read: {error!r}", changes=changes)


def _answered(answer: Answered, *, changes: bool) -> KangbotError:
    meaning = _by_message(answer)
    if meaning is None:
        meaning = CODES.get(answer.code) if answer.code else STATUSES.get(answer.status)
    if meaning is None and answer.__cause__ is not None:
        meaning = _by_class(answer.__cause__)
    return _error(
        meaning or Meaning.UNKNOWN,
        f"bybit {answer}",
        code=answer.code or str(answer.status),
        changes=changes,
        retry_after_ns=answer.retry_after_ns,
    )


def _by_message(answer: Answered) -> Meaning | str | None:
    text = answer.message.lower()
    for code, part, meaning in MESSAGES:
        if answer.code == code and part in text:
            return meaning
    return None


def _ccxt_names(error: BaseException) -> list[str]:
    """Return the names of the error's ccxt classes, nearest first. By name: ccxt is loaded where it is needed only."""
    return [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "ccxt.base.errors"]


def _by_class(error: BaseException) -> Meaning | str | None:
    return next((CLASSES[name] for name in _ccxt_names(error) if name in CLASSES), None)


def _unknown(message: str, *, changes: bool, code: str | None = None) -> KangbotError:
    return Ambiguous(message, code=code) if changes else Retryable(message, code=code)


def _error(
    meaning: Meaning | str, message: str, *, code: str | None, changes: bool, retry_after_ns: int
) -> KangbotError:
    if isinstance(meaning, str):
        return NeedsHuman(message, remedy=meaning, code=code, of_account=meaning not in OF_A_MARKET)
    match meaning:
        case Meaning.REFUSED:
            return Refused(message, code=code)
        case Meaning.FUNDS:
            return InsufficientFunds(message, code=code)
        case Meaning.DUPLICATE:
            return DuplicateId(message, code=code)
        case Meaning.ABSENT:
            return NotFound(message, code=code)
        case Meaning.UNCHANGED:
            return NotModified(message, code=code)
        case Meaning.LATER:
            return Retryable(message, code=code, retry_after_ns=retry_after_ns or WINDOW_NS)
        case Meaning.LIMITED:
            return RateLimited(message, code=code, retry_after_ns=retry_after_ns or WINDOW_NS)
        case Meaning.BANNED:
            return RateLimited(message, code=code, retry_after_ns=max(retry_after_ns, BAN_NS))
        case Meaning.CLOCK:
            return Misstamped(message, code=code)
        case Meaning.UNKNOWN:
            return _unknown(message, changes=changes, code=code)


def retry_after(headers: Mapping[str, str], venue_now_ms: int) -> int:
    """Return for how long an answer asks to be left alone, in nanoseconds; 0 where it does not say.

    `X-Bapi-Limit-Reset-Timestamp` is in the venue's milliseconds, and is simply now where no limit was exceeded.
    """
    if asked_ns := retry_after_ns(headers):
        return asked_ns
    if reset_ms := whole(headers.get("X-Bapi-Limit-Reset-Timestamp", "")):
        return believed(max(0, reset_ms - venue_now_ms) * 1_000_000)
    return 0
