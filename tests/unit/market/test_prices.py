"""A market whose quotes fell silent: what REST tells of its price, who asks, and how often."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import RateLimited, Retryable
from kangbot.market.prices import Priced
from kangbot.market.roster import Command
from kangbot.model.data import Bar, Quote
from kangbot.model.events import Lane, Noted, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import Side
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import MINUTE_NS, BarVenue, FakeFeeds, Story, bar_at, play
from tests.support.silent_story import fall_silent, flow, hold, seen
from tests.support.trade_words import MARKET, instrument


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


def _bar(told: Story) -> Bar:
    """Return the minute that ended last, or the one after what the strategy knows."""
    return bar_at(seen(told)[-1] + MINUTE_NS)


def test_an_answer_that_comes_after_the_stream_is_not_needed() -> None:
    """The stream's own quote is younger, and good enough to enter by."""

    async def story(told: Story) -> None:
        await hold(told)
        told.quote("101")
        late = await told.venue.quote(instrument())
        told.task.inbox.put(Priced(msgspec.structs.replace(late, bid=Decimal(50))))
        await asyncio.sleep(1)
        assert told.task.inbox.quote is not None
        assert told.task.inbox.quote.bid == Decimal(101)

    play(story)


def test_a_question_that_failed_is_told_to_the_breaker_and_obeyed_by_the_budget() -> None:
    """One that went well as well: the failures in a row begin anew."""

    async def story(told: Story) -> None:
        await hold(told)
        told.venue.no_quotes = RateLimited("slow down", retry_after_ns=5 * SECOND_NS)
        fall_silent(told, Channel.QUOTE)
        await asyncio.sleep(1)
        before = told.floor.circuits.breakers.of(MARKET, Lane.DATA).row  # that it fell silent is one
        await asyncio.sleep(9.5)
        assert told.venue.quotes == 1
        assert told.floor.circuits.breakers.of(MARKET, Lane.DATA).row == before + 1
        assert told.floor._gateway.data_budget.paused_until_ns > told.world.clock.now_ns() + 4 * SECOND_NS
        told.venue.no_quotes = None
        await asyncio.sleep(10)
        assert told.venue.quotes > 1
        assert told.floor.circuits.breakers.of(MARKET, Lane.DATA).row == 0

    play(story)
