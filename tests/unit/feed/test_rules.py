"""The defaults of feeds."""

import pytest

from kangbot.feed.failure import FailureKind
from kangbot.feed.rules import Budgets, StreamRules
from kangbot.ports import Channel

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("channel", "timeframe_s", "least_s", "early_s", "most_s"),
    [
        (Channel.QUOTE, None, 4, 10, 30),
        (Channel.TRADE, None, 60, 300, 900),
        (Channel.BAR, 60, 90, 90, 150),
        (Channel.BAR, 3600, 3630, 3630, 7230),
    ],
)
def test_each_channel_has_its_own_budget_of_silence(
    channel: Channel, timeframe_s: int | None, least_s: int, early_s: int, most_s: int
) -> None:
    """A stale quote is noticed in seconds, known or new; a bar is not late before it closes."""
    patience = Budgets().of(channel, timeframe_s).patience
    assert patience is not None
    assert patience.least_ns == least_s * SECOND
    assert patience.early_ns == early_s * SECOND
    assert patience.most_ns == most_s * SECOND


def test_an_account_is_never_judged_by_silence() -> None:
    """It is silent by right."""
    assert Budgets().of(Channel.ACCOUNT, None).patience is None


def test_timeouts_wait_longer_than_refusals() -> None:
    """A link that swallows packets does not get better by more of them."""
    rules = StreamRules()
    assert rules.wait(FailureKind.TIMEOUT).most_s == 30
    assert rules.wait(FailureKind.UNREACHABLE).most_s == 15
