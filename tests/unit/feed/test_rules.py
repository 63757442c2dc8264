"""The defaults of feeds."""

import pytest

from kangbot.feed.failure import FailureKind
from kangbot.feed.rules import Budgets, StreamRules
from kangbot.modes import budgets
from kangbot.ports import Channel
from kangbot.settings.feeds import FeedSettings

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


def test_the_settings_say_what_the_defaults_say_and_each_of_them_counts() -> None:
    """An absent section changes nothing."""
    assert budgets(FeedSettings()) == Budgets()
    asked = budgets(FeedSettings(quote_first_s=1, quote_least_s=2, quote_most_s=3, trade_most_s=1800, bar_grace_s=5))
    quote, trade, bar = (asked.of(channel, 60).patience for channel in (Channel.QUOTE, Channel.TRADE, Channel.BAR))
    assert quote is not None
    assert (quote.early_ns, quote.least_ns, quote.most_ns) == (1 * SECOND, 2 * SECOND, 3 * SECOND)
    assert trade is not None
    assert (trade.early_ns, trade.least_ns, trade.most_ns) == (300 * SECOND, 60 * SECOND, 1800 * SECOND)
    assert bar is not None
    assert bar.least_ns == 65 * SECOND
    assert not asked.trade.witness
