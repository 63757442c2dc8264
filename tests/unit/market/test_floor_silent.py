"""A floor of one market whose streams fall silent: nothing is entered, and candles go on by REST; on virtual time."""

import asyncio
import itertools

import pytest

from kangbot.model.events import BreakerState, Lane
from kangbot.ports import Channel, Topic
from tests.support.floor_story import MINUTE_NS, Story, play
from tests.support.silent_story import fall_silent, flow, hold, seen
from tests.support.trade_words import MARKET


@pytest.mark.parametrize("channel", [Channel.QUOTE, Channel.BAR])
def test_nothing_is_entered_while_a_stream_of_the_market_is_down(channel: Channel) -> None:
    """However young the last quote is; the rule says which stream, and the entry leaves once it is back."""

    async def story(told: Story) -> None:
        await told.live()
        fall_silent(told, channel)
        told.strategy.want(1)
        await told.bar()
        await told.bar()
        assert told.venue.submits == []
        assert told.task.desk.blocked == f"stale_data: the {channel.value} stream is down: silent: the test wants it"
        told.quote()
        flow(told, channel)
        await asyncio.sleep(5)
        assert told.venue.net == 2

    play(story)


def test_candles_come_by_rest_while_their_stream_is_down() -> None:
    """Each is shown once and in order, soon after its end, and the strategy's exit leaves."""

    async def story(told: Story) -> None:
        await hold(told)
        fall_silent(told, Channel.BAR)
        before, fetches = len(seen(told)), told.venue.fetches
        told.strategy.want(0)
        await asyncio.sleep(62)
        assert told.venue.net == 0
        await asyncio.sleep(180)
        assert 4 <= len(seen(told)) - before <= 5
        assert told.venue.fetches - fetches <= 6
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen(told)))
        flow(told, Channel.BAR)
        await told.bar()
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen(told)))
        assert seen(told)[-1] == told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS

    play(story)


def test_a_socket_that_is_cut_across_two_closes_hides_no_bar() -> None:
    """Down for a minute and a quarter: both bars that closed meanwhile are shown once and in order, then the next."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        last = seen(told)[-1]
        await asyncio.sleep(45)  # 50 s into the minute
        for channel in (Channel.QUOTE, Channel.BAR):
            fall_silent(told, channel)
        told.venue.hidden_bars = 100  # REST is away as well
        await asyncio.sleep(75)  # two minutes ended meanwhile
        told.venue.hidden_bars = 0
        for channel in (Channel.QUOTE, Channel.BAR):
            flow(told, channel)
        await told.bar()
        assert seen(told)[-3:] == [last + number * MINUTE_NS for number in (1, 2, 3)]
        assert seen(told).index(last) == len(seen(told)) - 4

    play(story)


def test_candles_that_are_late_in_the_history_are_asked_for_again() -> None:
    """At the stand-in's pace."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fall_silent(told, Channel.BAR)
        told.venue.hidden_bars = 1
        await asyncio.sleep(100)
        before, fetches = len(seen(told)), told.venue.fetches
        told.venue.hidden_bars = 0
        await asyncio.sleep(12)
        assert len(seen(told)) > before
        assert fetches <= 12

    play(story)


def test_a_stream_that_falls_silent_again_and_again_opens_the_breaker_of_data() -> None:
    """Entries wait for the breaker even while the stream flows; the exit does not."""

    async def story(told: Story) -> None:
        await hold(told)
        for _ in range(10):
            fall_silent(told, Channel.QUOTE)
            await asyncio.sleep(1)
            flow(told, Channel.QUOTE)
            await asyncio.sleep(10)
        breaker = told.floor.circuits.breakers.of(MARKET, Lane.DATA)
        assert breaker.state is BreakerState.OPEN
        assert breaker.cause == "the quote stream is down: silent: the test wants it"
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == 0
        assert told.task.desk.blocked.startswith("breaker")

    play(story)


def test_the_end_of_a_connection_is_no_failure_of_its_markets() -> None:
    """Twenty-seven of them go down with one socket: that is for the connect budget and the backoff."""

    async def story(told: Story) -> None:
        await told.live()
        for _ in range(12):
            for live in (False, True):
                topic = Topic(market=MARKET, channel=Channel.QUOTE, native="quote")
                told.task.inbox.feed_changed(topic, live=live, reason="closed: cut")
                await asyncio.sleep(1)
        assert told.floor.circuits.breakers.of(MARKET, Lane.DATA).state is BreakerState.CLOSED

    play(story)
