"""Bars of a market, by the stream and from history: each is shown once, in order, and none is missing."""

import asyncio
import itertools
from decimal import Decimal

from kangbot.market.roster import Command
from kangbot.model.events import RunState
from kangbot.ports import Channel, Topic
from tests.support.floor_story import MINUTE_NS, Steered, Story, bar_at, play, spec
from tests.support.trade_words import MARKET


class FarSighted(Steered):
    """Looks back further than the venue tells at once."""

    @property
    def lookback(self) -> int:
        return 1_200


def test_a_long_look_back_is_fetched_whole() -> None:
    """As that of an average of 300 bars is; the market is live with all of them."""

    async def story(told: Story) -> None:
        told.strategy = FarSighted()
        told.specs = [spec(told.strategy)]
        await told.live()
        assert len(told.strategy.made[-1].opened) >= 1_200

    play(story)


def test_bars_that_are_not_there_yet_are_asked_for_again() -> None:
    """The venue's history ends too early: the market keeps warming until it does not."""

    async def story(told: Story) -> None:
        told.venue.hidden_bars = 2
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(10)
        assert told.state is RunState.WARMING
        assert told.venue.fetches > 2
        told.venue.hidden_bars = 0
        await told.reach(RunState.LIVE)

    play(story)


def test_a_bar_that_history_may_still_change_is_not_decided_on() -> None:
    """A market that begins right after a bar's end takes it from the stream, or once the venue has made it final."""

    async def story(told: Story) -> None:
        now_ns = told.world.clock.now_ns()
        await asyncio.sleep((MINUTE_NS - now_ns % MINUTE_NS) / 1e9)
        closed_ns = told.world.clock.now_ns() - MINUTE_NS
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(1)
        assert told.state is RunState.WARMING
        await told.reach(RunState.LIVE)
        assert told.strategy.made[-1].opened[-1] == closed_ns
        assert told.world.clock.now_ns() - closed_ns - MINUTE_NS >= 5e9

    play(story)


def test_a_hole_in_the_stream_is_filled_before_the_strategy_sees_the_next_bar() -> None:
    """The topic falls silent for three minutes and comes back: the bars between are fetched."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        topic = Topic(market=MARKET, channel=Channel.BAR, native="kline")
        told.task.inbox.feed_changed(topic, live=False, reason="silent")
        await asyncio.sleep(180)
        told.task.inbox.feed_changed(topic, live=True, reason="")
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert seen[-1] == told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        assert len(told.strategy.made) == 1

    play(story)


def test_a_gap_that_nobody_announced_is_found_by_the_bars_themselves() -> None:
    """A bar that does not follow the last one sends the market to the venue's history."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        await asyncio.sleep(125)
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))

    play(story)


def test_a_bar_that_the_stream_does_not_tell_is_taken_from_history() -> None:
    """All else flows: the frame in which it closed is lost. Nothing was decided until the next bar closed: an hour."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fetches, seen = told.venue.fetches, told.strategy.made[-1].opened
        untold_ns = seen[-1] + MINUTE_NS
        told.strategy.want(1)
        told.quote()
        await asyncio.sleep((untold_ns + MINUTE_NS - told.world.clock.now_ns()) / 1e9 + 9)
        assert (seen[-1], told.venue.fetches) == (untold_ns - MINUTE_NS, fetches)
        told.quote()
        await asyncio.sleep(2)
        assert (seen[-1], told.venue.fetches) == (untold_ns, fetches + 1)
        assert told.venue.net == Decimal(2)
        told.task.inbox.offer(bar_at(untold_ns, "101"), 1)
        await told.bar()
        assert seen[-2:] == [untold_ns, untold_ns + MINUTE_NS]
        assert (told.venue.fetches, told.state, len(told.strategy.made)) == (fetches + 1, RunState.LIVE, 1)

    play(story)


def test_a_bar_that_history_has_not_either_is_asked_for_now_and_then() -> None:
    """The venue rests: that is no hole before a later bar shows it, and costs a request a minute."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fetches, made = told.venue.fetches, told.strategy.made[-1]
        told.venue.hidden_bars = 1_000
        await asyncio.sleep(300)
        assert told.venue.fetches - fetches in range(4, 6)
        assert (told.task.intake.joined, told.task.intake.lacks) == (True, "")
        told.venue.hidden_bars = 0
        await asyncio.sleep(65)
        assert made.opened[-1] > told.world.clock.now_ns() - 3 * MINUTE_NS
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(made.opened))

    play(story)


def test_a_bar_that_the_venue_never_has_does_not_keep_a_market_from_deciding() -> None:
    """It did for as long as the look-back, with but a stop for its position; and was missing then all the same."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        told.venue.untold_ns = told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS
        await asyncio.sleep(60)
        await told.bar()
        await asyncio.sleep(20)
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert told.venue.untold_ns in seen
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert seen[-1] == told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        assert told.task.intake.lacks == ""

    play(story)


def test_a_bar_that_comes_twice_is_told_once() -> None:
    """A repeat after a reconnect changes nothing."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        before = list(told.strategy.made[-1].opened)
        told.task.inbox.offer(bar_at(before[-1]), 1)
        await asyncio.sleep(1)
        assert told.strategy.made[-1].opened == before

    play(story)
