"""What an operator's commands come to, where a simulated session once found that they came to nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.data import Bar
from kangbot.model.events import Desired, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import OrderKind, OrderStatus
from tests.support.floor_story import BarVenue, Story, play
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
