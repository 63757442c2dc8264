"""A floor of one market whose streams fall silent: exits go on by REST, entries do not; on virtual time."""

import asyncio
import itertools
from dataclasses import dataclass
from decimal import Decimal

import pytest

from kangbot.errors import RateLimited, Retryable
from kangbot.market.roster import Command
from kangbot.model.data import Bar, Quote
from kangbot.model.events import BreakerState, Lane, Noted, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import Side
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import MINUTE_NS, BarVenue, FakeFeeds, Story, bar_at, play
from tests.support.trade_words import MARKET, instrument


def fall_silent(told: Story, channel: Channel) -> None:
    told.feeds.tell(channel, instrument(), live=False)


def flow(told: Story, channel: Channel) -> None:
    told.feeds.tell(channel, instrument(), live=True)


async def hold(told: Story) -> None:
    """Go live and enter."""
    await told.live()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == 2


def seen(told: Story) -> list[int]:
    """Return when the bars opened that the strategy was shown."""
    return told.strategy.made[-1].opened


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


class SilentFeeds(FakeFeeds):
    """Streams that stay silent, subscribed anew or not, once they are."""

    silent = False

    def tell(self, channel: Channel, instrument: Instrument, *, live: bool) -> None:
        super().tell(channel, instrument, live=live and not self.silent)


@dataclass(slots=True)
class SpoilingVenue(BarVenue):
    """Before its first price, something else comes that has the market's turn fall."""

    told: Story | None = None

    async def quote(self, instrument: Instrument) -> Quote:
        if self.told is not None:
            self.told.task.inbox.put(object())
            self.told = None
        return await super(SpoilingVenue, self).quote(instrument)


def test_a_price_that_was_lost_with_a_turn_is_asked_for_again() -> None:
    """A position whose price is waited for to the end of the silence is blind for as long."""

    async def story(told: Story) -> None:
        told.venue = SpoilingVenue(clock=told.world.clock, told=told)
        told.feeds = feeds = SilentFeeds()
        await hold(told)
        feeds.silent = True
        fall_silent(told, Channel.QUOTE)
        told.venue.price = Decimal(95)
        await asyncio.sleep(60)
        assert told.task.supervisor.falls == 1
        assert told.venue.quotes > 1
        assert told.task.inbox.quote is not None
        assert told.task.inbox.quote.bid == Decimal(95)

    play(story)


def test_a_position_is_left_at_prices_that_rest_tells() -> None:
    """The quotes are silent, the price falls: what REST tells is what the exit goes by, and no entry follows."""

    async def story(told: Story) -> None:
        await hold(told)
        fall_silent(told, Channel.QUOTE)
        told.venue.price = Decimal(95)
        await asyncio.sleep(12)
        quote = told.task.inbox.quote
        assert quote is not None
        assert quote.bid == 95
        told.strategy.want(0)
        told.task.inbox.offer(_bar(told), 1)
        await asyncio.sleep(5)
        assert told.venue.net == 0
        assert told.venue.orders[-1].side is Side.SELL
        told.strategy.want(1)
        told.task.inbox.offer(_bar(told), 1)
        await asyncio.sleep(60)
        assert told.venue.net == 0
        assert len(told.venue.submits) == 2

    play(story)


def test_prices_are_asked_for_slowly_and_only_while_something_is_managed() -> None:
    """Not within ten seconds, then every five; not of a flat market; not once the stream is back."""

    async def story(told: Story) -> None:
        await told.live()
        fall_silent(told, Channel.QUOTE)
        await asyncio.sleep(60)
        assert told.venue.quotes == 0
        flow(told, Channel.QUOTE)
        told.strategy.want(1)
        await told.bar()
        fall_silent(told, Channel.QUOTE)
        await asyncio.sleep(9.5)
        assert told.venue.quotes == 0
        await asyncio.sleep(31)
        assert 6 <= told.venue.quotes <= 7
        flow(told, Channel.QUOTE)
        asked = told.venue.quotes
        await asyncio.sleep(60)
        assert told.venue.quotes == asked

    play(story)


@pytest.mark.parametrize(
    ("error", "at_most"),
    [
        (Retryable("away"), 6),
        (Retryable("away for a while", retry_after_ns=90 * SECOND_NS), 2),
        (RateLimited("slow down", retry_after_ns=90 * SECOND_NS), 2),
    ],
)
def test_a_venue_that_tells_no_price_is_asked_ever_more_rarely(error: Exception, at_most: int) -> None:
    """And is left alone for as long as it asks; the market goes on."""

    async def story(told: Story) -> None:
        await hold(told)
        told.venue.no_quotes = error
        fall_silent(told, Channel.QUOTE)
        await asyncio.sleep(120)
        assert 2 <= told.venue.quotes <= at_most
        assert told.state is RunState.LIVE
        told.venue.no_quotes, told.venue.price = None, Decimal(97)
        await asyncio.sleep(95)
        quote = told.task.inbox.quote
        assert quote is not None
        assert quote.bid == 97

    play(story)


def of_prices(story: Story) -> list[tuple[str, str]]:
    """Return what people were told of the market's price, and how loud."""
    noted = [event for event in story.disk.events if isinstance(event, Noted)]
    return [(one.kind, one.severity.value) for one in noted if one.kind in {"market.no_price", "market.priced"}]


@pytest.mark.parametrize("by_stream", [True, False])
def test_people_hear_once_that_a_position_has_no_price_and_once_that_it_has_one(*, by_stream: bool) -> None:
    """Its exits wait for a price, and nobody looks: one question without an answer is no news, a minute of it is."""

    async def story(told: Story) -> None:
        await hold(told)
        told.venue.no_quotes = Retryable("away")
        fall_silent(told, Channel.QUOTE)
        await asyncio.sleep(20)
        assert of_prices(told) == []
        await asyncio.sleep(300)
        assert of_prices(told) == [("market.no_price", "error")]
        if by_stream:
            told.quote()
            flow(told, Channel.QUOTE)
        told.venue.no_quotes = None
        await asyncio.sleep(120)
        assert of_prices(told) == [("market.no_price", "error"), ("market.priced", "info")]

    play(story)


def test_a_stopped_market_whose_stop_is_missing_is_closed_at_a_price_that_rest_tells() -> None:
    """Nobody streams its price any more; while its stop rests nobody asks for one."""

    async def story(told: Story) -> None:
        await hold(told)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        await asyncio.sleep(120)
        assert told.venue.quotes == 0
        told.venue.price = Decimal(89)  # beyond the stop at 90
        told.venue.stops.extend(["lost"] * 50)
        told.venue.stop = None
        told.venue.push(told.venue.position())
        await asyncio.sleep(20)  # sooner than a stop that is not at rest is given up
        assert told.venue.quotes > 0
        assert told.venue.net == 0

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


def _bar(told: Story) -> Bar:
    """Return the minute that ended last, or the one after what the strategy knows."""
    return bar_at(seen(told)[-1] + MINUTE_NS)
