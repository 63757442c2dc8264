"""What an operator's commands come to, where a simulated session once found that they came to nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.plan import Style
from kangbot.market.preparation import PreparationFailed
from kangbot.market.prices import Priced
from kangbot.market.roster import Command
from kangbot.model.data import Bar
from kangbot.model.events import Desired, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import OrderKind, OrderStatus, Purpose
from tests.support.floor_story import BarVenue, Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET


def test_start_lets_a_paused_market_enter_again() -> None:
    """Wanted is running: a market that stayed paused would never be as it is wanted."""

    async def story(told: Story) -> None:
        await told.live()
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        told.roster.command(MARKET, Command.START, "anna")
        await told.reach(RunState.LIVE)
        assert told.roster[MARKET].desired is Desired.RUNNING

    play(story)


def test_a_stopping_market_takes_back_an_exit_that_rests() -> None:
    """It would rest for ever, and the market with it in DRAINING; the position keeps its stop."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(exit_kind=OrderKind.LIMIT))
        told.strategy.want(0)
        await told.bar()
        resting = told.task.desk.executor.orders
        assert [order.intent.kind for order in resting] == [OrderKind.LIMIT]
        told.roster.command(MARKET, Command.STOP, "anna")
        await told.reach(RunState.STOPPED)
        assert told.task.desk.executor.position.net > Decimal(0)

    play(story)


def test_a_paused_market_takes_back_an_entry_that_rests() -> None:
    """It would be filled after all, in a market that is not to enter."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=10**15))
        (entry,) = told.venue.orders
        assert entry.status is OrderStatus.ACKED
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        await asyncio.sleep(5)
        assert entry.status.terminal
        assert told.venue.net == 0

    play(story)


def test_a_paused_market_leaves_an_exit_that_rests() -> None:
    """Its position is managed as before."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(exit_kind=OrderKind.LIMIT, patience_ns=10**15))
        told.strategy.want(0)
        await told.bar()
        (resting,) = told.task.desk.executor.orders
        assert resting.intent.purpose is Purpose.EXIT
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        await asyncio.sleep(5)
        assert [order.client_id for order in told.task.desk.executor.orders] == [resting.client_id]

    play(story)


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.WARMING, RunState.STARTING])
def test_a_market_stops_whatever_it_was_about(state: RunState) -> None:
    """And says that it was told to."""

    async def story(told: Story) -> None:
        await told.live()
        if state is RunState.PAUSED:
            told.roster.command(MARKET, Command.PAUSE, "anna")
        else:
            told.roster.command(MARKET, Command.STOP, "anna")
            await told.reach(RunState.STOPPED)
            told.venue.hidden_bars = 9
            if state is RunState.STARTING:
                told.feeds.up.clear()
            told.roster.command(MARKET, Command.START, "anna")
        await told.reach(state)
        told.roster.command(MARKET, Command.STOP, "anna")
        await told.reach(RunState.STOPPED)
        assert told.roster[MARKET].reason == "stopped"
        assert all(hold.closed for hold in told.feeds.holds)

    play(story)


def test_an_entry_may_stay_where_the_operator_has_it_so() -> None:
    """A market that is stopped withdraws nothing then, and waits for nothing of it."""

    async def story(told: Story) -> None:
        told.cancel_entries = False
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=10**15))
        told.roster.command(MARKET, Command.STOP, "anna")
        await told.reach(RunState.STOPPED)
        await asyncio.sleep(70)
        assert [order.status for order in told.venue.orders] == [OrderStatus.ACKED]

    play(story)


def test_an_answer_that_comes_to_nothing_takes_no_command_its_deed() -> None:
    """A resumed market enters at once, though the price that REST was asked for comes in the same turn, too late."""

    async def story(told: Story) -> None:
        await told.live()
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        told.strategy.want(1)
        await told.bar()
        assert told.venue.net == 0
        told.roster.command(MARKET, Command.RESUME, "anna")
        told.task.inbox.put(Priced(None, "the venue is away"))
        await asyncio.sleep(1)
        assert told.venue.net == 2

    play(story)


@pytest.mark.parametrize("command", [Command.START, Command.RESUME])
def test_a_person_who_lets_a_market_go_on_waits_for_no_refusal_of_before(command: Command) -> None:
    """They have put right at the venue what it was refused for, and look what becomes of it."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.fates.extend([Fate.REFUSED] * 12)
        told.strategy.want(1)
        for _ in range(15):
            await told.bar()
        assert told.task.desk.blocked.startswith("the last order came to nothing: the next one waits")
        assert not told.venue.net
        told.venue.fates.clear()
        told.roster.command(MARKET, Command.PAUSE, "anna")
        await told.reach(RunState.PAUSED)
        told.roster.command(MARKET, command, "anna")
        await asyncio.sleep(2)
        assert told.venue.net == 2

    play(story)


def test_what_an_earlier_start_came_to_is_no_matter_of_the_next_one() -> None:
    """It may have waited in the inbox while the market was stopped and started again."""

    async def story(told: Story) -> None:
        await told.live()
        told.roster.command(MARKET, Command.STOP, "anna")
        await told.reach(RunState.STOPPED)
        told.roster.command(MARKET, Command.START, "anna")
        await told.reach(RunState.LIVE)
        told.task.inbox.put(PreparationFailed(1, "no such topic"))
        await asyncio.sleep(5)
        assert told.state is RunState.LIVE

    play(story)


@pytest.mark.parametrize("command", [Command.STOP, Command.PAUSE])
def test_a_command_outlives_the_turn_that_falls_before_it_comes_to_it(command: Command) -> None:
    """A person says it once: a market that is to stop, and trades on after a fall, is what nobody looks for."""

    async def story(told: Story) -> None:
        await told.live()
        told.task.inbox.put(object())  # nobody takes it
        told.roster.command(MARKET, command, "anna")
        await told.reach({Command.STOP: RunState.STOPPED, Command.PAUSE: RunState.PAUSED}[command])
        await told.bar()
        assert told.task.supervisor.falls == 1
        assert told.state in (RunState.STOPPED, RunState.PAUSED)

    play(story)


def test_a_quarantine_is_lifted_by_the_turn_after_one_that_fell() -> None:
    """Whoever released it waits for that."""

    async def story(told: Story) -> None:
        await told.live()
        told.task.inbox.put(object())
        lifted = told.floor.release(MARKET, "anna")
        async with asyncio.timeout(60):
            await lifted.wait()

    play(story)


def test_a_release_lifts_the_quarantine_before_it_is_told() -> None:
    """Whoever waits for it finds the market its own again."""

    async def story(told: Story) -> None:
        told.foreign = ForeignPolicy.QUARANTINE
        await told.live()
        told.venue.by_hand("1")
        await asyncio.sleep(5)
        assert told.task.desk.executor.quarantine
        await told.floor.release(MARKET, "anna").wait()
        assert told.task.desk.executor.quarantine == ""

    play(story)


@dataclass(slots=True)
class YoungVenue(BarVenue):
    """A venue that has two bars of the market, and no more."""

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        return (await super(YoungVenue, self).bars(instrument, timeframe_s, limit))[-2:]


def test_a_market_that_has_not_seen_enough_is_not_live() -> None:
    """However well its orders and its position agree with the venue's."""

    async def story(told: Story) -> None:
        told.venue = YoungVenue(clock=told.world.clock)
        await told.open()
        told.roster.command(MARKET, Command.START, "anna")
        await asyncio.sleep(30)
        assert told.task.desk.executor.settled
        assert told.state is RunState.WARMING

    play(story)
