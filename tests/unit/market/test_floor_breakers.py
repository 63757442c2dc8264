"""A floor whose venue takes no entries: its breaker holds them back, and lets everything else through."""

import asyncio
from decimal import Decimal

from kangbot.machines.breakers import Breakers
from kangbot.market.reporting import breaker_reports
from kangbot.market.roster import Command
from kangbot.model.events import BreakerState, Lane, RunState
from kangbot.model.ids import MarketId
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET, instrument


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
        await told.wants_in()
        assert told.venue.net == Decimal(2)
        for lane in Lane:
            told.floor.circuits.isolate(MARKET, lane, "test")
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0

    play(story)


def test_exits_that_come_to_nothing_are_five_seconds_apart_while_their_lane_is_open() -> None:
    """Each is tried, none is refused; the one that is taken closes the position."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.floor.circuits.isolate(MARKET, Lane.EXIT, "test")
        told.venue.fates.extend([Fate.REFUSED] * 4)
        before = len(told.venue.submits)
        told.strategy.want(0)
        await told.bar()
        began_ns = told.world.clock.now_ns()
        while told.venue.net:
            told.quote()
            await asyncio.sleep(0.1)
        assert len(told.venue.submits) == before + 5
        assert (told.world.clock.now_ns() - began_ns) / SECOND_NS < 21

    play(story)


def test_an_open_data_lane_asks_for_no_candles_of_a_flat_market() -> None:
    """Once it closes the hole is filled; a market with a position goes on asking."""

    async def story(told: Story) -> None:
        await told.live()
        told.floor.circuits.isolate(MARKET, Lane.DATA, "test")
        asked = told.venue.fetches
        told.feeds.tell(Channel.BAR, instrument(), live=False)
        await asyncio.sleep(150)
        assert told.venue.fetches == asked
        told.floor.circuits.reset(MARKET, Lane.DATA, "test")
        await asyncio.sleep(60)
        assert told.venue.fetches > asked

    play(story)


def test_an_open_data_lane_keeps_the_candles_of_a_position() -> None:
    """Its exit is decided by them."""

    async def story(told: Story) -> None:
        await told.wants_in()
        assert told.venue.net == Decimal(2)
        told.floor.circuits.isolate(MARKET, Lane.DATA, "test")
        asked = told.venue.fetches
        told.feeds.tell(Channel.BAR, instrument(), live=False)
        await asyncio.sleep(150)
        assert told.venue.fetches > asked

    play(story)


def test_an_open_data_lane_keeps_no_market_from_going_live() -> None:
    """What its history lacked at first is asked for again: it would be warming for ever, and nobody would be told."""

    async def story(told: Story) -> None:
        told.venue.hidden_bars = 9
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.WARMING)
        told.floor.circuits.isolate(MARKET, Lane.DATA, "test")
        await asyncio.sleep(5)
        told.venue.hidden_bars = 0
        await told.reach(RunState.LIVE)

    play(story)


def test_a_report_leaves_out_breakers_that_never_had_trouble() -> None:
    """Twenty-seven markets that are well are no list to read."""
    breakers = Breakers()
    assert breaker_reports(breakers) == []
    breakers.isolate(MarketId("v:A"), Lane.DATA, "ann", 5)
    assert [report.cause for report in breaker_reports(breakers)] == ["isolated by ann"]
