"""The limit of a day's loss around 00:00 UTC: it ends by itself, over a restart too."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.model.events import RoundTripClosed
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.risk.record import DAY_NS
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import MINUTE_NS, Story, play
from tests.support.trade_words import START

MIDNIGHT_NS = (START // DAY_NS + 1) * DAY_NS


async def until(told: Story, at_ns: int) -> None:
    """Let the bars go by up to then."""
    while told.world.clock.now_ns() + MINUTE_NS < at_ns:
        await told.bar()


async def lost_just_before_midnight(told: Story) -> None:
    """Lose more than a day may, a few minutes before its end, and be kept from the next entry by it."""
    told.risk = AccountRisk(Limits(leverage=None, daily_loss=Decimal(5)))
    await told.live()
    await until(told, MIDNIGHT_NS - 6 * MINUTE_NS)
    told.strategy.want(1, stop="80")
    await told.bar()
    told.venue.price = Decimal(90)
    told.strategy.want(0)
    await told.bar()
    (closed,) = [event for event in told.disk.events if isinstance(event, RoundTripClosed)]
    assert closed.trip.net_profit < -5
    told.risk.observe(closed)
    told.strategy.want(1, stop="80")
    await told.bar()
    assert told.world.clock.now_ns() < MIDNIGHT_NS
    assert told.venue.net == 0
    assert told.task.desk.blocked.startswith("daily_loss: the day has lost")


def test_entries_go_on_at_midnight_by_themselves() -> None:
    """Not a moment before, and with no bar in between: not even a strategy of long bars waits for its next one."""

    async def story(told: Story) -> None:
        await lost_just_before_midnight(told)
        await asyncio.sleep((MIDNIGHT_NS - told.world.clock.now_ns()) / SECOND_NS - 0.1)
        assert told.venue.net == 0
        told.quote("90")
        await asyncio.sleep(61)
        assert told.venue.net != 0

    play(story)


@pytest.mark.parametrize("past_midnight", [False, True])
def test_a_restart_neither_forgets_the_days_loss_nor_takes_it_into_the_next(*, past_midnight: bool) -> None:
    """Whether it comes before midnight or after it."""

    async def story(told: Story) -> None:
        await lost_just_before_midnight(told)
        await told.floor.close()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        again.risk = AccountRisk(told.risk.limits)
        again.strategy.want(1, stop="80")
        left_s = (MIDNIGHT_NS - told.world.clock.now_ns()) / SECOND_NS
        if past_midnight:
            await asyncio.sleep(left_s + 1)
        await again.live()
        await again.bar()
        assert (again.venue.net != 0) is past_midnight
        if not past_midnight:
            assert again.task.desk.blocked.startswith("daily_loss: the day has lost")
            await until(again, MIDNIGHT_NS + 2 * MINUTE_NS)
            assert again.venue.net != 0
        await again.floor.close()

    play(story)
