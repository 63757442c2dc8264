"""A market that waits after a fall: what it holds is looked after all the same."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from kangbot.market.roster import Command
from kangbot.model.events import FillApplied, RunState
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument
from kangbot.model.orders import Intent, OrderReport, Side
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import MINUTE_NS, BarVenue, Closes, Steered, Story, bar_at, play, spec
from tests.support.order_disk import Disk
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET


def broken() -> Closes:
    """Indicators that cannot be made."""
    raise ZeroDivisionError("a fault of the strategy")


async def falls(told: Story) -> None:
    """Have a market that holds two fall, and fall again whenever it begins anew."""
    await told.wants_in()
    told.strategy.closes = broken  # type: ignore[assignment]  # what makes them
    told.strategy.error = ZeroDivisionError("a fault of the strategy")
    falling = asyncio.ensure_future(told.bar())
    await told.reach(RunState.STARTING)
    falling.cancel()


@pytest.mark.parametrize("state", [RunState.STARTING, RunState.FAILED])
def test_the_kill_switch_closes_what_a_market_holds_that_waits_after_a_fall(state: RunState) -> None:
    """At once: neither the wait that grows nor the long one after too many falls is a reason to go on holding it."""

    async def story(told: Story) -> None:
        await falls(told)
        await told.reach(state)
        told.risk.kill("news", flatten=True)
        told.floor.look_again()
        await asyncio.sleep(1)
        assert told.venue.net == told.task.desk.position.net == 0

    play(story)


def test_what_is_due_while_a_market_waits_after_a_fall_is_done_then() -> None:
    """The venue refuses the exit once: it leaves again in its own time, not at the end of the wait."""

    async def story(told: Story) -> None:
        await falls(told)
        await told.reach(RunState.FAILED)
        told.venue.fates.append(Fate.REFUSED)
        told.risk.kill("news", flatten=True)
        told.floor.look_again()
        await asyncio.sleep(2)
        assert told.venue.net == told.task.desk.position.net == 0

    play(story)


def test_a_start_in_a_wait_is_begun_once() -> None:
    """It goes on where the wait ends, however long its venue takes over it."""

    async def story(told: Story) -> None:
        await falls(told)
        await told.reach(RunState.FAILED)
        told.strategy.closes, told.strategy.error = Closes, None
        told.feeds.up.clear()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(1)
        begun = len(told.strategy.made), told.venue.prepared
        await asyncio.sleep(60)
        assert told.state is RunState.STARTING
        assert (len(told.strategy.made), told.venue.prepared) == begun

    play(story)


def test_what_was_due_in_the_turn_that_fell_is_done_by_the_next_one() -> None:
    """The strategy gives up in the very turn that has to close its position: nobody waits for the end of the wait."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.strategy.once = True
        for falls_so_far in (1, 2):
            told.strategy.error = ZeroDivisionError("a fault of the strategy")
            await told.bar()
            await told.reach(RunState.LIVE)
            assert told.task.supervisor.falls == falls_so_far
        told.strategy.error = ZeroDivisionError("a fault of the strategy")
        close_ns = (told.venue.clock.now_ns() // MINUTE_NS + 1) * MINUTE_NS
        await asyncio.sleep((close_ns - told.venue.clock.now_ns()) / SECOND_NS)
        told.risk.kill("news", flatten=True)
        told.floor.look_again()
        told.task.inbox.offer(bar_at(close_ns - MINUTE_NS), 1)  # both are there when the turn begins
        await told.reach(RunState.FAILED)
        assert told.venue.net == 2
        await asyncio.sleep(1)
        assert told.venue.net == told.task.desk.position.net == 0

    play(story)


def test_a_start_that_falls_at_once_holds_the_kill_switch_up_for_moments() -> None:
    """Both come while the market lies failed, in one turn; who presses start again and again closes no position."""

    async def story(told: Story) -> None:
        await falls(told)
        await told.reach(RunState.FAILED)
        told.risk.kill("news", flatten=True)
        told.roster.command(MARKET, Command.START, "test")
        told.floor.look_again()
        await asyncio.sleep(5)
        assert told.venue.net == told.task.desk.position.net == 0

    play(story)


def test_a_market_that_waits_after_a_fall_hears_of_its_fills_and_its_commands() -> None:
    """They are no matter of the strategy, which falls."""

    async def story(told: Story) -> None:
        await falls(told)
        await told.reach(RunState.FAILED)
        told.venue.by_hand("2", side=Side.SELL)
        await asyncio.sleep(1)
        assert told.task.desk.executor.position.net == 0
        told.strategy.closes, told.strategy.error = Closes, None
        told.roster.command(MARKET, Command.START, "test")
        async with asyncio.timeout(20):
            await told.reach(RunState.LIVE)
        begun = len(told.strategy.made)
        await asyncio.sleep(120)
        assert len(told.strategy.made) == begun, "the end of the wait begins nothing anew"

    play(story)


def test_an_edit_cures_a_market_that_falls_as_it_begins() -> None:
    """By another strategy, which nobody would come to while the old one is tried first."""

    async def story(told: Story) -> None:
        await falls(told)
        told.floor.change(joins=(), leaves=(), changes=[spec(Steered())], caller="edit")
        await told.reach(RunState.LIVE)
        assert told.task.supervisor.falls <= 3

    play(story)


def nothing() -> None:
    """Happen."""


@dataclass(slots=True)
class TimelyVenue(BarVenue):
    """Something happens right before each of its answers reaches the market, in the very same turn."""

    before: Callable[[], None] = nothing

    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        try:
            return await super(TimelyVenue, self).submit(instrument, intent, sent_ns=sent_ns)
        finally:
            self.before()

    async def protect(self, instrument: Instrument, stop: Decimal | None) -> None:
        try:
            await super(TimelyVenue, self).protect(instrument, stop)
        finally:
            self.before()


def timely(told: Story) -> Callable[[], None]:
    """Give the story such a venue; return what has the next of its answers come to a turn that falls before it."""
    told.venue = venue = TimelyVenue(clock=told.world.clock)

    def fall() -> None:
        venue.before = nothing
        told.task.inbox.put(object())  # nobody takes it

    def next_answer() -> None:
        venue.before = fall

    return next_answer


def test_what_became_of_an_order_outlives_the_turn_that_fell_before_it_came_to_it() -> None:
    """Nobody tells it again: an order that was refused would be on its way for ever, and no other would follow it."""

    async def story(told: Story) -> None:
        answer_falls = timely(told)
        await told.live()
        told.venue.fates.append(Fate.REFUSED)
        answer_falls()
        told.strategy.want(1)
        await told.bar()
        assert told.task.supervisor.falls == 1
        assert not told.task.desk.executor.orders
        await told.reach(RunState.LIVE)
        await told.bar()
        assert told.venue.net == 2

    play(story)


def test_what_became_of_a_stop_outlives_the_turn_that_fell_before_it_came_to_it() -> None:
    """Its request would be under way for ever, and no other stop would ever be asked for."""

    async def story(told: Story) -> None:
        answer_falls = timely(told)
        await told.wants_in()
        told.strategy.want(1, stop="92")
        answer_falls()
        await told.bar()
        assert told.task.supervisor.falls == 1
        await told.reach(RunState.LIVE)
        told.strategy.want(1, stop="95")
        await told.bar()
        assert told.venue.stop == Decimal(95)

    play(story)


class TimelyDisk(Disk):
    """Something happens right before the market hears what its disk did not take, in the very same turn."""

    refused: Callable[[], None] = staticmethod(nothing)

    def _commit(self, life: int) -> None:
        if self.dead:
            asyncio.get_running_loop().call_soon(self.refused)
        super()._commit(life)


def test_what_the_disk_did_not_take_outlives_the_turn_that_fell_before_it_came_to_it() -> None:
    """It is written once the disk is back: without it the journal would have another position than the venue."""

    async def story(told: Story) -> None:
        told.disk = disk = TimelyDisk()
        await told.wants_in()

        def fall() -> None:
            disk.refused = nothing
            told.task.inbox.put(object())

        disk.refused = fall
        disk.dead = True
        told.venue.by_hand("1", client=ClientId("theirs"))
        await asyncio.sleep(1)
        assert told.task.supervisor.falls == 1
        disk.dead = False
        await asyncio.sleep(10)
        applied = [event.fill.quantity for event in disk.events if isinstance(event, FillApplied)]
        assert applied == [Decimal(2), Decimal(1)]

    play(story)
