"""What an error says of an order that was to be placed."""

import pytest

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.execution.numbers import Numbers
from kangbot.execution.outcome import learnt_from
from kangbot.machines.order_words import Duplicate, Learnt, Lost, RefusedByVenue
from kangbot.model.ids import LOST_AT_MOST
from tests.support.trade_words import MARKET


@pytest.mark.parametrize(
    ("error", "learnt"),
    [
        (DuplicateId("it exists", code="110072"), Duplicate("110072", "it exists")),
        (DuplicateId("it exists"), Duplicate("", "it exists")),
        (InsufficientFunds("no money", code="110007"), RefusedByVenue("110007", "no money", lasting=True)),
        (NotFound("no such symbol"), RefusedByVenue("NotFound", "no such symbol", lasting=True)),
        (Refused("no", code="1"), RefusedByVenue("1", "no", lasting=True)),
        (RateLimited("too many", retry_after_ns=1), RefusedByVenue("RateLimited", "too many")),
        (Retryable("maintenance", code="10016"), RefusedByVenue("10016", "maintenance")),
        (Retryable("no route to host"), Lost("no route to host")),
        (NeedsHuman("wrong key", remedy="", code="10003"), RefusedByVenue("10003", "wrong key")),
        (NeedsHuman("wrong key", remedy=""), Lost("wrong key")),
        (Ambiguous("gateway", code="504"), Lost("gateway")),
        (TimeoutError(), Lost("no answer in time")),
        (ValueError("what"), Lost("ValueError: what")),
        (ConnectionResetError("reset"), Lost("ConnectionResetError: reset")),
    ],
)
def test_only_a_definitive_code_says_that_an_order_is_not_there(error: Exception, learnt: Learnt) -> None:
    """Everything else says nothing, and a duplicate says that it is."""
    assert learnt_from(error) == learnt


def test_numbers_count_on_from_the_journal() -> None:
    """The one that comes is known before it is taken."""
    numbers = Numbers(7)
    assert (numbers.upcoming, numbers.take(MARKET), numbers.take(MARKET), numbers.upcoming) == (7, 7, 8, 9)


def test_numbers_go_on_beyond_what_the_venue_knows_of_an_older_journal() -> None:
    """A number that was given is no news; one that was not is, and so may be others after it."""
    numbers = Numbers(7)
    assert [numbers.heed(used) for used in ([], [0], [6], [6, 7, 2], [7])] == [0, 0, 0, 7, 0]
    assert numbers.take(MARKET) == 7 + LOST_AT_MOST


def test_what_leaves_before_the_venue_has_told_its_numbers_bears_none_that_it_may_know() -> None:
    """They are beyond all that an older copy of the journal would give again; which of those it knows is told once."""
    numbers = Numbers(7, unheard=True)
    far = 7 + LOST_AT_MOST
    assert (numbers.upcoming, numbers.take(MARKET), numbers.take(MARKET)) == (far, far, far + 1)
    assert not numbers.strange(far, MARKET)
    assert [numbers.heed(used) for used in ([far + 1, 9, 8], [far + 1, 9])] == [9, 0]
    assert numbers.take(MARKET) == far + 2
    heard = Numbers(7, unheard=True)
    assert (heard.heed([6]), heard.upcoming, heard.take(MARKET)) == (0, 7, 7)
