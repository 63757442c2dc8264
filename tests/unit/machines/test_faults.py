"""What each kind of error means."""

import pytest

from kangbot.errors import (
    Ambiguous,
    ConfigInvalid,
    DuplicateId,
    InsufficientFunds,
    Misstamped,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.machines.faults import ANSWERS, DEFAULTS, LANES, Action, Gravity, Kind, Operation, kind_of
from kangbot.model.events import Lane


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RateLimited("too many"), Kind.RATE_LIMIT),
        (Retryable("not reached"), Kind.CONNECTION),
        (TimeoutError(), Kind.TIMEOUT),
        (Ambiguous("broke off"), Kind.AMBIGUOUS),
        (InsufficientFunds("no money"), Kind.INSUFFICIENT_BALANCE),
        (NotFound("no such order"), Kind.NOT_FOUND),
        (DuplicateId("again"), Kind.DUPLICATE_ID),
        (Refused("a filter"), Kind.REFUSED),
        (Misstamped("stamped too late"), Kind.REFUSED),
        (NeedsHuman("wrong key", remedy="mend it"), Kind.AUTHENTICATION),
        (ValueError("whatever"), Kind.UNKNOWN),
    ],
)
def test_an_error_of_a_call_to_the_venue_is_named_by_its_class(error: Exception, kind: Kind) -> None:
    """The narrow class before the wide one."""
    assert kind_of(error, Operation.ENTRY) is kind


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (Operation.FEED, Kind.FEED),
        (Operation.JOURNAL, Kind.JOURNAL),
        (Operation.TURN, Kind.FALL),
        (Operation.TASK, Kind.CRITICAL),
        (Operation.HISTORY, Kind.HISTORY),
    ],
)
def test_away_from_the_venue_the_place_names_the_kind(operation: Operation, kind: Kind) -> None:
    """The same class means another thing where a disk or a database raised it."""
    assert kind_of(Retryable("away"), operation) is kind


def test_a_database_that_only_a_person_can_mend_is_no_matter_of_a_key() -> None:
    """NeedsHuman of the history is not an authentication at the venue."""
    assert kind_of(ConfigInvalid(()), Operation.HISTORY) is Kind.NEEDS_HUMAN


def test_every_kind_has_a_rule_and_what_nobody_knows_is_grave() -> None:
    """A kind without a rule would raise where an error is met."""
    assert set(DEFAULTS) == set(Kind)
    assert DEFAULTS[Kind.UNKNOWN].severity is Gravity.HIGH
    assert DEFAULTS[Kind.CRITICAL].action is Action.SHUTDOWN
    assert DEFAULTS[Kind.RATE_LIMIT].wait_ns == 30_000_000_000
    assert DEFAULTS[Kind.CONNECTION].tries == 5


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (InsufficientFunds("no money"), True),
        (NotFound("no such order"), True),
        (DuplicateId("again"), True),
        (Refused("a filter"), True),
        (RateLimited("too many"), False),
        (Retryable("not reached"), False),
        (Ambiguous("broke off"), False),
        (NeedsHuman("wrong key", remedy="mend it"), False),
        (ValueError("whatever"), False),
    ],
)
def test_a_venue_that_refuses_has_answered(error: Exception, *, answers: bool) -> None:
    """The daemon is no worse for it; for what keeps it from asking it is."""
    assert (kind_of(error, Operation.ENTRY) in ANSWERS) is answers


def test_a_question_about_an_order_counts_for_no_breaker() -> None:
    """It has to be asked whatever is open."""
    assert Operation.ASK not in LANES
    assert LANES[Operation.EXIT] is LANES[Operation.CANCEL] is LANES[Operation.PROTECT] is Lane.EXIT
    assert (LANES[Operation.ENTRY], LANES[Operation.DATA]) == (Lane.ENTRY, Lane.DATA)
