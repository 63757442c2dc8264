"""A floor of markets: how it opens and ends, and what it says of markets that it does not trade."""

import asyncio

import pytest

from kangbot.errors import NeedsHuman
from kangbot.model.events import Desired, Noted, RunState
from kangbot.model.ids import MarketId, Symbol
from tests.support.floor_story import Story, play, spec
from tests.support.trade_words import MARKET, instrument


def test_the_daemons_end_leaves_what_was_wanted() -> None:
    """Draining stops the market; the journal still says that it is to run, and the next life resumes it."""

    async def story(told: Story) -> None:
        await told.live()
        assert await told.floor.drain(10.0, asyncio.Event())
        assert told.state is RunState.STOPPED
        await told.floor.close()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        await again.open()
        assert again.roster[MARKET].desired is Desired.RUNNING
        await again.roster.start_all("test")
        await again.reach(RunState.LIVE)
        await again.floor.close()

    play(story)


def test_a_hurried_end_does_not_wait() -> None:
    """What is in flight is settled by the next start."""

    async def story(told: Story) -> None:
        told.venue.questions_hang = False
        await told.live()
        told.quote()
        told.venue.answer_s = 1000.0
        told.venue.deaf = True
        told.strategy.want(1)
        await told.bar()
        hurry = asyncio.Event()
        asyncio.get_running_loop().call_later(2, hurry.set)
        before = asyncio.get_running_loop().time()
        assert not await told.floor.drain(60.0, hurry)
        assert asyncio.get_running_loop().time() - before < 3
        assert not await told.floor.drain(1.0, asyncio.Event())

    play(story)


def test_a_market_the_venue_does_not_trade_leaves_the_others_alone() -> None:
    """It is told; where it is all of them, a person is called."""

    async def story(told: Story) -> None:
        other = spec(told.strategy, market="bybit:ZZZ-USDT:USDT", symbol=Symbol("ZZZ/USDT:USDT"))
        told.specs.append(other)
        await told.live()
        assert list(told.floor.markets) == [MARKET]
        empty = Story(venue=told.venue, disk=told.disk, world=told.world, specs=[other])
        with pytest.raises(NeedsHuman, match="trades none of the configured markets: ZZZ/USDT:USDT"):
            await empty.open()

    play(story)


def test_a_venue_that_is_away_at_start_is_waited_for() -> None:
    """The instruments are asked for until they come."""

    async def story(told: Story) -> None:
        told.venue.absences_of_instruments = 3
        await told.live()
        assert told.task.instrument == instrument()

    play(story)


def test_people_are_told_of_a_market_that_the_venue_does_not_list() -> None:
    """The others are traded, and nobody reads the log of a start for months."""

    async def story(told: Story) -> None:
        missing = spec(told.strategy, symbol=Symbol("NONE/USDT:USDT"), market=MarketId("v:NONE-USDT:USDT"))
        told.specs.append(missing)
        await told.live()
        (note,) = (event for event in told.disk.events if isinstance(event, Noted))
        assert (note.kind, note.severity, note.market) == ("market.unknown_at_venue", "error", missing.market)
        assert "does not list NONE/USDT:USDT" in note.message

    play(story)
