"""What each refusal of Binance's asks its caller to do, by its status and its code."""

import pytest

from kangbot.errors import KangbotError, NeedsHuman, NotFound, RateLimited, Refused, Retryable
from kangbot.runtime.world import SECOND_NS
from kangbot.venues.binance_usdm.errors import BAN_NS, WINDOW_NS, refusal


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, -1121, NotFound),  # invalid symbol
        (400, -1122, NotFound),  # invalid symbol status
        (400, -1100, Refused),  # illegal characters
        (400, -1130, Refused),  # invalid parameter
        (400, -1000, Retryable),
        (400, -1001, Retryable),
        (400, -1006, Retryable),
        (400, -1007, Retryable),
        (400, -1008, Retryable),
        (400, -1016, Retryable),
        (500, -1100, Retryable),  # whatever it says besides, the fault is theirs
        (503, None, Retryable),
        (502, None, Retryable),  # a proxy's page
        (400, None, Retryable),
        (404, -1100, Refused),
        (404, None, NeedsHuman),  # no such route
        (451, 0, NeedsHuman),
        (451, None, NeedsHuman),
        (429, -1003, RateLimited),
        (400, -1003, RateLimited),
        (400, -1015, RateLimited),
        (429, None, RateLimited),
        (418, -1003, RateLimited),
        (403, None, RateLimited),
    ],
)
def test_each_refusal_is_what_it_asks_for(status: int, code: int | None, kind: type[KangbotError]) -> None:
    """With Binance's own code where it has one, else the status; and with its words."""
    error = refusal(status, code, "so it is", 0)
    assert type(error) is kind
    assert error.code == (str(status) if code is None else str(code))
    assert error.message == f"binance_usdm {f'HTTP {status}' if code is None else code}: so it is"


@pytest.mark.parametrize(
    ("status", "code", "asked_ns", "wait_ns"),
    [
        (429, -1003, 0, WINDOW_NS),
        (400, -1015, 0, WINDOW_NS),
        (429, -1003, 7 * SECOND_NS, 7 * SECOND_NS),
        (418, -1003, 0, BAN_NS),
        (403, None, 0, BAN_NS),
        (418, None, 3600 * SECOND_NS, 3600 * SECOND_NS),
        (503, None, 30 * SECOND_NS, 30 * SECOND_NS),
        (503, None, 0, 0),
    ],
)
def test_how_long_it_wants_to_be_left_alone_is_as_it_says_and_else_as_it_counts(
    status: int, code: int | None, asked_ns: int, wait_ns: int
) -> None:
    """A minute of weight, or the shortest ban."""
    error = refusal(status, code, "", asked_ns)
    assert isinstance(error, Retryable)
    assert error.retry_after_ns == wait_ns


def test_what_only_a_person_can_put_right_says_where() -> None:
    """Another country, and another address."""
    for status, words in ((451, "run the daemon where it does"), (404, "rest_url")):
        error = refusal(status, None, "", 0)
        assert isinstance(error, NeedsHuman)
        assert words in error.remedy
