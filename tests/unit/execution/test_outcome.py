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
from kangbot.execution.outcome import learnt_from
from kangbot.machines.order_words import Duplicate, Learnt, Lost, RefusedByVenue


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
        (OSError("no file \udcff"), Lost(r"OSError: no file \udcff")),  # which no journal takes as it is
        (ConnectionResetError("reset"), Lost("ConnectionResetError: reset")),
    ],
)
def test_only_a_definitive_code_says_that_an_order_is_not_there(error: Exception, learnt: Learnt) -> None:
    """Everything else says nothing, and a duplicate says that it is."""
    assert learnt_from(error) == learnt
