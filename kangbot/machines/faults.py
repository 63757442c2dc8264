"""What each kind of error means: how grave it is, and what is done about it. One table, for every shell that meets one.

::

    error ── kind_of ──▶ Kind ── policy ──▶ Rule(severity, action, wait, tries)

    RETRY     whoever called tries again, as it does anyway; after `tries` in a row a person is told
    BACKOFF   no entry of that market leaves for `wait_ns`
    RESET     the books are compared with the venue's, at most once in `wait_ns`
    ALERT     a person is told, once until it works again
    PAUSE     BACKOFF, and a person is told
    SHUTDOWN  the daemon ends in order

No action holds back an exit, a cancellation or a stop: these obey the venue's own Retry-After and nothing else.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    Misstamped,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.model.events import Lane

_SECOND_NS = 1_000_000_000


class Kind(StrEnum):
    """Kinds of errors, as the configuration names them: `[errors.rate_limit]`."""

    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"  # no answer in time to a question
    CONNECTION = "connection"  # not reached, or asked to come back later: nothing happened
    AMBIGUOUS = "ambiguous"  # it may have happened
    INSUFFICIENT_BALANCE = "insufficient_balance"
    NOT_FOUND = "not_found"  # no such order or position: our books may be behind
    DUPLICATE_ID = "duplicate_id"  # the order exists
    REFUSED = "refused"
    AUTHENTICATION = "authentication"  # the key, its permissions, the account's settings
    NEEDS_HUMAN = "needs_human"  # the same away from a venue
    FEED = "feed"
    HISTORY = "history"  # the database
    JOURNAL = "journal"  # the disk
    FALL = "fall"  # a market's task, or the account's, raised
    CRITICAL = "critical"  # a task without which the daemon cannot go on
    UNKNOWN = "unknown"


ANSWERS = frozenset({Kind.INSUFFICIENT_BALANCE, Kind.NOT_FOUND, Kind.DUPLICATE_ID, Kind.REFUSED})
"""Refusals: the venue answered as it should. How well the daemon is does not suffer from them."""


class Gravity(StrEnum):
    """How grave an error is, from what heals by itself to what ends the daemon."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Action(StrEnum):
    """What is done about it: see the module."""

    RETRY = "retry"
    BACKOFF = "backoff"
    RESET = "reset"
    ALERT = "alert"
    PAUSE = "pause"
    SHUTDOWN = "shutdown"


class Operation(StrEnum):
    """What was being done."""

    ENTRY = "entry"
    EXIT = "exit"
    CANCEL = "cancel"
    PROTECT = "protect"
    ASK = "ask"  # what became of an order
    DATA = "data"
    RECONCILE = "reconcile"
    FEED = "feed"
    HISTORY = "history"
    JOURNAL = "journal"
    TURN = "turn"  # of a market's task
    TASK = "task"  # of the daemon


LANES: Mapping[Operation, Lane] = {
    Operation.ENTRY: Lane.ENTRY,
    Operation.EXIT: Lane.EXIT,
    Operation.CANCEL: Lane.EXIT,
    Operation.PROTECT: Lane.EXIT,
    Operation.DATA: Lane.DATA,
}
"""The breaker that an operation counts for. A question about an order counts for none, and is held back by none."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind means."""

    severity: Gravity
    action: Action
    wait_ns: int = 0
    tries: int = 5


Policy = Mapping[Kind, Rule]

DEFAULTS: Policy = {
    Kind.RATE_LIMIT: Rule(severity=Gravity.MEDIUM, action=Action.BACKOFF, wait_ns=30 * _SECOND_NS),
    Kind.TIMEOUT: Rule(severity=Gravity.MEDIUM, action=Action.RETRY),
    Kind.CONNECTION: Rule(severity=Gravity.MEDIUM, action=Action.RETRY),
    Kind.AMBIGUOUS: Rule(severity=Gravity.MEDIUM, action=Action.RETRY),
    Kind.INSUFFICIENT_BALANCE: Rule(severity=Gravity.HIGH, action=Action.PAUSE, wait_ns=300 * _SECOND_NS),
    Kind.NOT_FOUND: Rule(severity=Gravity.LOW, action=Action.RESET, wait_ns=10 * _SECOND_NS),
    Kind.DUPLICATE_ID: Rule(severity=Gravity.LOW, action=Action.RESET, wait_ns=10 * _SECOND_NS),
    Kind.REFUSED: Rule(severity=Gravity.LOW, action=Action.RETRY),
    Kind.AUTHENTICATION: Rule(severity=Gravity.HIGH, action=Action.PAUSE, wait_ns=600 * _SECOND_NS),
    Kind.NEEDS_HUMAN: Rule(severity=Gravity.HIGH, action=Action.ALERT),
    Kind.FEED: Rule(severity=Gravity.LOW, action=Action.RETRY),
    Kind.HISTORY: Rule(severity=Gravity.MEDIUM, action=Action.RETRY),
    Kind.JOURNAL: Rule(severity=Gravity.HIGH, action=Action.ALERT),
    Kind.FALL: Rule(severity=Gravity.HIGH, action=Action.ALERT),
    Kind.CRITICAL: Rule(severity=Gravity.CRITICAL, action=Action.SHUTDOWN),
    Kind.UNKNOWN: Rule(severity=Gravity.HIGH, action=Action.ALERT),
}

_BY_OPERATION: Mapping[Operation, Kind] = {
    Operation.FEED: Kind.FEED,
    Operation.JOURNAL: Kind.JOURNAL,
    Operation.TURN: Kind.FALL,
    Operation.TASK: Kind.CRITICAL,
}
_BY_CLASS: tuple[tuple[type[BaseException], Kind], ...] = (  # the first that fits: the narrow before the wide
    (RateLimited, Kind.RATE_LIMIT),
    (Misstamped, Kind.REFUSED),
    (Retryable, Kind.CONNECTION),
    (TimeoutError, Kind.TIMEOUT),
    (Ambiguous, Kind.AMBIGUOUS),
    (InsufficientFunds, Kind.INSUFFICIENT_BALANCE),
    (NotFound, Kind.NOT_FOUND),
    (DuplicateId, Kind.DUPLICATE_ID),
    (Refused, Kind.REFUSED),
    (NeedsHuman, Kind.AUTHENTICATION),
)


def kind_of(error: BaseException, operation: Operation) -> Kind:
    """Return the kind of an error that was met in that operation; UNKNOWN where no table names it."""
    if (kind := _BY_OPERATION.get(operation)) is not None:
        return kind
    if operation is Operation.HISTORY:
        return Kind.NEEDS_HUMAN if isinstance(error, NeedsHuman) else Kind.HISTORY
    return next((kind for among, kind in _BY_CLASS if isinstance(error, among)), Kind.UNKNOWN)
