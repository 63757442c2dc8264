"""A floor whose venue answers with errors: what each kind does to its market, and what it never does."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.errors import NotFound
from kangbot.machines.faults import Kind, Operation
from kangbot.market.reporting import error_reports, report_of
from kangbot.market.roster import Command
from kangbot.model.events import BreakerState, Lane, Noted
from kangbot.model.target import Target
from tests.support.floor_story import Story, play, spec
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET


def test_a_market_without_money_pauses_its_entries_and_goes_on_by_itself() -> None:
    """One entry is refused, none leaves for five minutes, then the target is reached after all. No breaker opens."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        told.venue.fates.append(Fate.BROKE)
        await told.bar()
        sent = len(told.venue.submits)
        for _ in range(4):
            await told.bar()
        assert len(told.venue.submits) == sent
        assert told.task.desk.blocked == "insufficient_balance: too little"
        report = report_of(told.task, told.roster[MARKET], 0, {}, told.floor.faults.hold(MARKET))
        assert report.paused == told.task.desk.blocked
        assert report.paused_until_ns > told.world.clock.now_ns()
        assert told.floor.circuits.breakers.of(MARKET, Lane.ENTRY).state is BreakerState.CLOSED
        await told.bar()
        await told.bar()
        assert told.venue.net == Decimal(2)
        notes = [record.event for record in told.disk.records if isinstance(record.event, Noted)]
        assert [note.kind for note in notes].count("entries.paused") == 1

    play(story)


def test_an_exit_leaves_while_entries_are_paused() -> None:
    """Whatever kind of error paused them."""

    async def story(told: Story) -> None:
        await told.wants_in()
        assert told.venue.net == Decimal(2)
        for kind in (Kind.AUTHENTICATION, Kind.RATE_LIMIT, Kind.INSUFFICIENT_BALANCE):
            told.floor.faults.met(kind, Operation.ENTRY, MARKET, "whatever")
        assert told.floor.faults.held(MARKET)
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0

    play(story)


def test_what_is_not_found_has_the_account_asked_at_once() -> None:
    """Not on the next beat."""

    async def story(told: Story) -> None:
        await told.live()
        await asyncio.sleep(10)
        rounds = told.floor.account.tries
        told.floor.faults.ended(MARKET, Operation.PROTECT, NotFound("no position"))
        await asyncio.sleep(2)
        assert told.floor.account.tries == rounds + 1

    play(story)


def test_a_fall_and_a_venue_that_is_away_are_in_the_report() -> None:
    """By kind, market and severity; the account's rounds belong to no market."""

    async def story(told: Story) -> None:
        await told.live()
        told.strategy.error, told.strategy.once = ValueError("a fault of the strategy"), True
        await told.bar()
        told.venue.unreachable = True
        told.floor.account.hurry()
        await asyncio.sleep(20)
        reports = {(report.kind, report.market): report for report in error_reports(told.floor.faults.tallies())}
        fall = reports[Kind.FALL.value, MARKET]
        assert (fall.severity, fall.total, fall.recent) == ("high", 1, 1)
        assert "a fault of the strategy" in fall.message
        assert any(market is None and report.total > 1 for (_, market), report in reports.items())

    play(story)


async def refused(told: Story, hours: int) -> int:
    """Have every entry refused for so long, each with the code of before; return how many left."""
    await told.live()
    told.quote()
    told.strategy.want(1)
    told.venue.fates.extend([Fate.REFUSED] * 10_000)
    await told.bar()
    for _ in range(hours * 60):
        await told.bar()
    return len(told.venue.submits)


def test_an_entry_that_is_refused_for_a_day_leaves_a_few_dozen_times() -> None:
    """It was once a minute, in the journal and in the history each time."""

    async def story(told: Story) -> None:
        assert 20 < await refused(told, hours=24) < 50

    play(story)


@pytest.mark.parametrize("news", ["resume", "start", "release", "target", "side", "size"])
def test_what_may_change_the_answer_has_a_refused_entry_tried_within_a_minute(news: str) -> None:
    """A person's word, another target, another size. It does not wait for the hour to pass."""

    async def story(told: Story) -> None:
        before = await refused(told, hours=2)
        while len(told.venue.submits) == before:  # the next hour begins
            await told.bar()
        told.venue.fates.clear()
        if news in ("resume", "start"):
            told.roster.command(MARKET, Command(news), "test")
        elif news == "release":
            told.floor.release(MARKET, "test")
        elif news == "size":
            told.floor.change(joins=(), leaves=(), changes=[spec(told.strategy, size=Decimal(100))], caller="test")
        else:
            exposure, stop = ("0.5", 90) if news == "target" else ("-1", 110)
            told.strategy.target = Target(exposure=Decimal(exposure), stop=Decimal(stop), reason="news")
        await told.bar()
        await told.bar()
        assert told.venue.net

    play(story)


def test_a_forced_retry_has_an_entry_that_the_venue_refuses_tried_soon() -> None:
    """Money was paid in: whoever says so does not wait for the rest of an hour."""

    async def story(told: Story) -> None:
        before = await refused(told, hours=3)
        while (sent := len(told.venue.submits)) == before:  # the next hour begins
            await told.bar()
        for _ in range(10):
            await told.bar()
        assert len(told.venue.submits) == sent
        assert "the venue refused it with 110007" in told.task.desk.blocked
        told.venue.fates.clear()
        told.floor.force_retry(MARKET, "ann")
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)
