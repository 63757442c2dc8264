"""Errors named for the response they ask for.

Whoever meets an outside world (a venue, a database, a file) translates what it says into one of these at the edge, so
that nobody further in has to know a venue's codes or a driver's classes::

    KangbotError
    ├── Retryable     nothing happened; the same call may be made again, not before `retry_after_ns`
    │                 (RateLimited, Misstamped, PartlyRead below it)
    ├── Ambiguous     it may have happened; ask before trying again
    ├── Refused       a definitive no; trying again changes nothing
    │                 (DuplicateId, InsufficientFunds, NotFound below it)
    └── NeedsHuman    only a person can put it right; carries the remedy
        └── ConfigInvalid   every mistake of a configuration at once (exit code 78)
                            (ConfigUnread below it: none is known, for nothing could read it)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_LONGEST = 1000  # of the words of an error: they stand in the journal, in every report and in messages


class KangbotError(Exception):
    """The root; never raised itself.

    `code` is the outside's own code where it has one (a venue's `retCode`, a MySQL errno), kept for logs and tables.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Retryable(KangbotError):
    """Nothing happened: the same call may be made again.

    `retry_after_ns` is how long the other side asked to be left alone, in nanoseconds; 0 where it did not say.
    """

    def __init__(self, message: str, *, code: str | None = None, retry_after_ns: int = 0) -> None:
        super().__init__(message, code=code)
        self.retry_after_ns = retry_after_ns


class RateLimited(Retryable):
    """The venue counts too many requests; `retry_after_ns` is when it listens again."""


class Misstamped(Retryable):
    """The venue refused the time that the request was stamped with: its clock is to be measured before the next one."""


class PartlyRead(Retryable):
    """An answer about many markets in which something cannot be read: the whole for every market but those.

    `unread` says why, by market; `rest` is what could be read of the others. Whoever looks at neither has no answer.
    """

    def __init__(self, message: str, *, unread: Mapping[str, str], rest: Sequence[Any]) -> None:
        super().__init__(message, code="unreadable")
        self.unread = unread
        self.rest = rest


class Ambiguous(KangbotError):
    """It may have happened: timeouts, broken connections, 5xx, and every answer that no table names."""


class Refused(KangbotError):
    """A definitive no with a code from the venue's table: it did not happen and will not."""


class DuplicateId(Refused):
    """The venue already has an order under this client id: proof that the order exists, never that it failed."""


class InsufficientFunds(Refused):
    """The account cannot pay for it: a matter of the account, not of the venue's health or of the request's form."""


class NotFound(Refused):
    """The venue answered that it knows no such order, position or symbol. A transport error is never this."""


class NeedsHuman(KangbotError):
    """Only a person can put it right. `remedy` says in one sentence what to do.

    `of_account`: it is a matter of the account's as a whole (its key, its address), whichever market met it.
    """

    def __init__(self, message: str, *, remedy: str, code: str | None = None, of_account: bool = False) -> None:
        super().__init__(message, code=code)
        self.remedy = remedy
        self.of_account = of_account


def words(error: BaseException) -> str:
    """Return an error in one line, whoever raised it.

    A time that was up cancelled what was going on, which has noted on its cancellation what that was.
    """
    if isinstance(error, KangbotError):
        return _writable(error.message)
    if isinstance(error, TimeoutError):
        return next(iter(getattr(error.__cause__, "__notes__", ())), "no answer in time")
    return named(error)


def named(error: BaseException) -> str:
    """Return an error's class and its words. It may be of code that is not ours, whose words fail or do not end."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 -- whatever it is, there is an error to be told
        said = "it cannot be put into words"
    if not said:  # as of one for want of memory
        return type(error).__name__
    told = f"{type(error).__name__}: {said}" if len(said) <= _LONGEST else f"{type(error).__name__}: {said[:_LONGEST]}…"
    return _writable(told)


def _writable(text: str) -> str:
    """Return the text without what no encoder takes: the journal gets it where nobody is left to catch that."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a configuration: what, where, and what to do."""

    message: str
    key: str = ""
    file: str = ""
    line: int = 0  # 1-based; 0 where it cannot be known
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{head}. {self.remedy}" if self.remedy else head


class ConfigInvalid(NeedsHuman):
    """Every mistake of a configuration at once; nothing has been started."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), remedy="correct these and try again")
        self.problems = problems


class ConfigUnread(ConfigInvalid):
    """Whether it is right is not known, for what reads it could not do so: the same file may be read a moment later."""
