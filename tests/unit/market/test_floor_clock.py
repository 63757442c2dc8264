"""A floor at a venue that has another idea of the time."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.execution.venue_clock import FIRST_SAMPLES
from kangbot.model.events import RoundTripClosed, RunState
from kangbot.model.orders import FillCause, Side
from kangbot.runtime.world import SECOND_NS, World
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate


@pytest.mark.parametrize("ahead_s", [-100, 100])
def test_a_venue_is_traded_by_its_own_clock(ahead_s: int) -> None:
    """Measured before anything else is asked of the account; executions are asked for by the venue's clock."""

    async def story(told: Story) -> None:
        told.venue.clock = told.world.clock.shifted(ahead_s * SECOND_NS)
        await told.live()
        assert told.venue.times >= FIRST_SAMPLES
        assert told.venue_clock.offset_ns == ahead_s * SECOND_NS
        told.quote()
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == told.task.desk.executor.position.net == Decimal(2)
        assert max(told.venue.since) < told.venue.clock.now_ns()

    play(story)


@pytest.mark.parametrize("set_right", [False, True])
def test_a_stop_is_booked_where_our_clock_was_ahead_at_the_first_start(*, set_right: bool) -> None:
    """By the venue's clock it is from before the journal; so it is in the next life, whose clock is right."""

    async def story(told: Story) -> None:
        told.venue.clock = told.world.clock.shifted(-3600 * SECOND_NS)
        await told.wants_in()
        if set_right:
            await told.floor.close()
            world = World(clock=told.venue.clock, seed=b"story")
            told = Story(venue=told.venue, disk=told.disk, world=world)
            await told.open()
        stop = told.venue.by_hand("2", side=Side.SELL, filled=False)
        stop.trigger = Decimal(90)
        told.venue.trade(stop, Decimal(2), cause=FillCause.STOP)
        await asyncio.sleep(120)
        executor = told.task.desk.executor
        assert (executor.position.net, executor.quarantine) == (Decimal(0), "")
        (trip,) = [event.trip for event in told.disk.events if isinstance(event, RoundTripClosed)]
        assert trip.quantity == Decimal(2)
        if set_right:
            await told.floor.close()

    play(story)


def test_a_venue_whose_clock_is_set_back_is_followed_at_once() -> None:
    """It refuses our stamps: entries wait with a reason, and leave by the next bar, not after the minute's beat."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        asked = told.venue.times
        told.venue.clock = told.world.clock.shifted(-10 * SECOND_NS)
        told.venue.fates.append(Fate.MISSTAMPED)
        told.venue.tells_time = False
        told.strategy.want(1)
        await told.bar()
        told.quote()
        await told.bar()
        assert told.venue.net == 0
        assert told.task.desk.blocked.startswith("clock: the venue refused the time of a request")
        assert [order.code for order in told.task.desk.executor.memory().orders] == ["10002"]
        assert told.venue.times > asked
        told.venue.tells_time = True
        await asyncio.sleep(10)
        assert told.venue_clock.offset_ns == -10 * SECOND_NS
        told.quote()
        await told.bar()
        assert told.venue.net == told.task.desk.executor.position.net == Decimal(2)

    play(story)


def test_the_accounts_questions_notice_a_clock_that_was_set_as_well() -> None:
    """Nothing is placed meanwhile: the round that is refused has it measured."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.clock = told.world.clock.shifted(-10 * SECOND_NS)
        told.venue.misstamps = True
        told.floor.account.hurry()
        await asyncio.sleep(3)
        assert told.venue_clock.offset_ns == -10 * SECOND_NS

    play(story)


def test_a_clock_that_is_known_too_badly_holds_entries_and_no_exits() -> None:
    """The venue has not told its time for hours."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.tells_time = False
        await asyncio.sleep(3 * 3600)
        told.strategy.want(-1, "110")
        await told.bar()
        assert told.state is RunState.LIVE
        assert told.venue.net == 0
        assert told.task.desk.blocked.startswith("clock: the venue's clock is known to ")
        told.venue.tells_time = True
        await told.bar()
        await told.bar()
        assert told.venue.net == Decimal(-2)

    play(story)
