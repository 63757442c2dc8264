"""What `ports.Feeds` promises of a subscription that the venue refuses, asked of every adapter whose venue does so."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.ports import Channel
from tests.support.feed_bench import Bench, unlisted
from tests.support.feed_words import Told, flowing, until

BOTH = {Channel.QUOTE: None, Channel.TRADE: None}


async def test_a_denial_is_told_with_the_venues_words_and_harms_nobody_else(denying: Bench) -> None:
    """Asked for in one breath with two good markets, in the middle of them; they go live as ever, and stay."""
    before, denied, after = Told(), Told(), Told()
    good = denying.feeds.subscribe(denying.one, BOTH, before)
    bad = denying.feeds.subscribe(unlisted(denying), BOTH, denied)
    late = denying.feeds.subscribe(denying.other, BOTH, after)
    with pytest.raises(Refused, match=r"NOPEUSDT.*handler not found"):
        async with asyncio.timeout(120):
            await bad.live()
    async with asyncio.timeout(120):
        await good.live()
        await late.live()
    for told in (before, after):
        await flowing(told, 2)
        assert all(live for _, live in told.changes)
    assert denied.events == []
    assert not any(live for _, live in denied.changes)
    for hold in (good, bad, late):
        await hold.aclose()


async def test_a_denied_market_may_be_let_go_at_any_time(denying: Bench) -> None:
    """Before the venue's answer and after it; what flows goes on flowing."""
    told, denied = Told(), Told()
    good = denying.feeds.subscribe(denying.one, BOTH, told)
    await denying.feeds.subscribe(unlisted(denying), BOTH, denied).aclose()
    bad = denying.feeds.subscribe(unlisted(denying), BOTH, denied)
    with pytest.raises(Refused):
        async with asyncio.timeout(120):
            await bad.live()
    await bad.aclose()
    await bad.aclose()
    count = len(told.events)
    await until(lambda: len(told.events) > count + 5)
    assert all(live for _, live in told.changes)
    assert (denied.events, denied.changes) == ([], [])
    await good.aclose()
