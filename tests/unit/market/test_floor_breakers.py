"""A floor whose venue takes no entries: its breaker holds them back, and lets everything else through."""

import asyncio
from decimal import Decimal

from kangbot.machines.breakers import Breakers
from kangbot.market.reporting import breaker_reports
from kangbot.model.events import BreakerState, Lane
from kangbot.model.ids import MarketId
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET


def test_entries_that_get_no_answer_open_the_breaker_and_no_more_of_them_leave() -> None:
    """Until one question was answered; then the target is reached after all, without a new bar."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        told.venue.fates.extend([Fate.UNREACHED] * 50)
        breakers = told.floor.circuits.breakers
        for _ in range(12):
            if breakers.of(MARKET, Lane.ENTRY).state is BreakerState.OPEN:
                break
            await told.bar()
        assert breakers.of(MARKET, Lane.ENTRY).state is BreakerState.OPEN
        assert told.task.desk.blocked.startswith("breaker: the entry lane is open")
        sent = len(told.venue.submits)
        await told.bar()
        assert len(told.venue.submits) == sent
        (report,) = breaker_reports(breakers)
        assert (report.market, report.lane, report.state, report.trips) == (MARKET, "entry", "open", 1)
        told.venue.fates.clear()
        told.floor.circuits.force_retry(MARKET, "test")
        await asyncio.sleep(1)
        told.quote()
        await asyncio.sleep(5)
        assert told.venue.net == Decimal(2)

    play(story)


def test_an_exit_leaves_through_open_breakers() -> None:
    """The position is closed while entry, data and exit lanes are all open."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == Decimal(2)
        for lane in Lane:
            told.floor.circuits.isolate(MARKET, lane, "test")
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0

    play(story)


def test_a_report_leaves_out_breakers_that_never_had_trouble() -> None:
    """Twenty-seven markets that are well are no list to read."""
    breakers = Breakers()
    assert breaker_reports(breakers) == []
    breakers.isolate(MarketId("v:A"), Lane.DATA, "ann", 5)
    assert [report.cause for report in breaker_reports(breakers)] == ["isolated by ann"]
