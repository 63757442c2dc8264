"""What `ports.Feeds` promises of public data, asked of every adapter.

The simulation takes a topic for live by its acknowledgement, without waiting for data: it stands for a hub that is told
of both, so no order between the first event and the change is asked for here.
"""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.model.data import Quote, Trade
from kangbot.ports import Channel
from tests.support.feed_bench import Bench
from tests.support.feed_words import Told, until

BOTH = {Channel.QUOTE: None, Channel.TRADE: None}
QUIET_S = 0.4  # some frames of a market


async def test_a_subscription_is_pending_until_it_is_acknowledged(bench: Bench) -> None:
    """Nothing in the breath of asking; then each topic goes live once, and its events come."""
    told = Told()
    hold = bench.feeds.subscribe(bench.one, BOTH, told)
    assert (told.events, told.changes) == ([], [])
    async with asyncio.timeout(120):
        await hold.live()
    await until(lambda: told.heard(Quote, 5) and told.heard(Trade) and len(told.changes) == 2)
    assert len(set(told.changes)) == 2
    assert all(live for _, live in told.changes)
    await hold.aclose()


async def test_a_sink_hears_the_channels_and_the_market_it_asked_for(bench: Bench) -> None:
    """No trade where quotes were asked for, no quote where trades were, and nothing of another market."""
    quotes, trades = Told(), Told()
    holds = [
        bench.feeds.subscribe(bench.one, {Channel.QUOTE: None}, quotes),
        bench.feeds.subscribe(bench.other, {Channel.TRADE: None}, trades),
    ]
    await until(lambda: quotes.heard(Quote, 20) and trades.heard(Trade, 2))
    assert {(type(event), getattr(event, "market", None)) for event in quotes.events} == {(Quote, bench.one.market)}
    assert {(type(event), getattr(event, "market", None)) for event in trades.events} == {(Trade, bench.other.market)}
    for hold in holds:
        await hold.aclose()


async def test_what_was_let_go_is_silent(bench: Bench) -> None:
    """From the moment of letting go, however often; asked for again, it comes again."""
    told = Told()
    hold = bench.feeds.subscribe(bench.one, BOTH, told)
    await until(lambda: told.heard(Quote))
    await hold.aclose()
    count = len(told.events)
    await asyncio.sleep(QUIET_S)
    await hold.aclose()
    assert len(told.events) == count
    again = bench.feeds.subscribe(bench.one, BOTH, told)
    await until(lambda: len(told.events) > count)
    await again.aclose()


async def test_a_market_may_be_held_twice_and_let_go_once(bench: Bench) -> None:
    """Both sinks hear it, and the one that stays goes on hearing it."""
    first, second = Told(), Told()
    leaving = bench.feeds.subscribe(bench.one, BOTH, first)
    staying = bench.feeds.subscribe(bench.one, BOTH, second)
    await until(lambda: first.heard(Quote) and second.heard(Quote))
    await leaving.aclose()
    count = len(second.events)
    await until(lambda: len(second.events) > count + 5)
    await staying.aclose()


async def test_letting_go_before_the_acknowledgement_is_safe(bench: Bench) -> None:
    """Nothing comes afterwards."""
    told = Told()
    await bench.feeds.subscribe(bench.one, BOTH, told).aclose()
    await asyncio.sleep(QUIET_S)
    assert told.events == []


async def test_a_channel_that_nobody_carries_is_refused_at_once(bench: Bench) -> None:
    """With nothing subscribed: what was asked for beside it does not come either."""
    told = Told()
    with pytest.raises(Refused):
        bench.feeds.subscribe(bench.one, {Channel.QUOTE: None, Channel.BAR: 7}, told)
    await asyncio.sleep(QUIET_S)
    assert (told.events, told.changes) == ([], [])
