"""The margin mode of an account: what is news of it, and how it is told."""

import pytest

from kangbot.machines.margin import CHANGED, CROSS, ISOLATED, KNOWN, PORTFOLIO, Margin
from kangbot.model.events import Noted, Severity


def told(margin: Margin, mode: str) -> Noted | None:
    """Return the news, which the journal tells whoever remembers."""
    news = margin.seen(mode, 7)
    if news is not None:
        margin.observe(news)
    return news


def test_the_first_look_is_journalled_and_no_matter_for_a_person() -> None:
    """It is what it is, and what a later one is held against."""
    margin = Margin()
    news = told(margin, ISOLATED)
    assert news is not None
    assert (news.kind, news.severity, news.market, news.at_ns) == (KNOWN, Severity.INFO, None, 7)
    assert margin.mode == ISOLATED
    assert told(margin, ISOLATED) is None


@pytest.mark.parametrize(
    ("mode", "means"),
    [(ISOLATED, "liquidated by itself"), (PORTFOLIO, "no leverage of its own"), ("NEW_MARGIN", "")],
)
def test_a_change_is_told_once_with_what_it_means_and_so_is_the_way_back(mode: str, means: str) -> None:
    """Of a mode that is not known, its name at least. A phone shows no more than 300 characters."""
    margin = Margin()
    told(margin, CROSS)
    news = told(margin, mode)
    assert news is not None
    assert (news.kind, news.severity) == (CHANGED, Severity.WARNING)
    assert f"from cross to {mode}" in news.message
    assert all(word in news.message for word in means.split())
    assert "Set it back at the venue" in news.message
    assert len(news.message) <= 300
    assert told(margin, mode) is None
    back = told(margin, CROSS)
    assert back is not None
    assert f"from {mode} to cross" in back.message


def test_what_was_changed_while_nobody_looked_is_told_at_the_next_start() -> None:
    """The journal knows what it was, old records or none."""
    before, after = Margin(), Margin()
    told(before, CROSS)
    after.resume(before.checkpoint())
    after.observe(Noted(kind="feed.up", severity=Severity.INFO, market=None, message="", at_ns=1))
    news = told(after, ISOLATED)
    assert news is not None
    assert news.kind == CHANGED
