"""Somebody changes a market's leverage in the venue's app while the daemon trades there."""

import asyncio

import msgspec

from kangbot.machines.leverage import QUIET_NS
from kangbot.machines.plan import Style
from kangbot.machines.reconcile import Reconciled
from kangbot.market.levered import Levered
from kangbot.market.roster import Command
from kangbot.model.events import Noted, RunState
from kangbot.model.orders import OrderKind
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET, dec

_ROUND_S = 70  # in which the venue is asked for its positions


def told_of(told: Story) -> list[str]:
    """Return what was noted of leverage."""
    return [
        f"{event.kind}: {event.message}"
        for event in told.disk.events
        if isinstance(event, Noted) and event.kind.startswith("leverage.")
    ]


CHANGED = "leverage.changed: its leverage at the venue is 10, and 1 was set: somebody changed it"
SETTLED = "leverage.settled: its leverage at the venue is 1, as it was set"


def test_a_change_in_a_flat_market_is_told_and_put_back_at_once() -> None:
    """The venue pushes the position, which is none, with its leverage; the market is prepared anew and lives on."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        told.venue.leverage = 10
        told.venue.push(told.venue.position())
        await asyncio.sleep(5)
        assert told.venue.leverage == 1
        assert told_of(told) == [CHANGED, SETTLED]
        assert told.state is RunState.LIVE
        told.quote()
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.position.net == 2

    play(story)


def test_a_position_keeps_its_leverage_until_it_is_closed() -> None:
    """It is told of by the round that finds it, once however often it is found, and set once nothing is held."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.leverage = 10
        await asyncio.sleep(2 * _ROUND_S)
        assert told_of(told) == [CHANGED]
        assert (told.venue.leverage, told.venue.prepared, told.state) == (10, 1, RunState.LIVE)
        told.strategy.want(0)
        await told.bar()
        await asyncio.sleep(5)
        assert told.task.desk.position.net == 0
        assert (told.venue.leverage, told.venue.prepared) == (1, 2)
        assert told_of(told) == [CHANGED, SETTLED]

    play(story)


def test_an_order_under_way_is_waited_for() -> None:
    """It was placed, and its risk reserved, with the leverage that it found."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=10**15))
        told.venue.leverage = 10
        told.venue.push(told.venue.position())
        await asyncio.sleep(30)
        assert told_of(told) == [CHANGED]
        assert (told.venue.leverage, told.venue.prepared, told.state) == (10, 1, RunState.LIVE)
        told.strategy.want(0)
        await told.bar()
        await asyncio.sleep(5)
        assert (told.venue.leverage, told.venue.prepared) == (1, 2)

    play(story)


def test_who_changes_it_back_ends_it() -> None:
    """Nothing is prepared anew for that."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.leverage = 10
        await asyncio.sleep(_ROUND_S)
        told.venue.leverage = 1
        await asyncio.sleep(_ROUND_S)
        assert told_of(told) == [CHANGED, SETTLED]
        assert told.venue.prepared == 1

    play(story)


def test_a_stopped_market_has_it_set_by_its_next_start() -> None:
    """Told while it is stopped as well: a position may be left there."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        told.venue.leverage = 10
        told.venue.push(told.venue.position())
        await asyncio.sleep(_ROUND_S)
        assert (told.venue.leverage, told_of(told)) == (10, [CHANGED])
        assert (told.state, told.task.supervisor.falls) == (RunState.STOPPED, 0)
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        await asyncio.sleep(1)
        assert (told.venue.leverage, told_of(told)) == (1, [CHANGED, SETTLED])

    play(story)


def test_who_keeps_changing_it_has_it_told_and_put_back_once_an_hour() -> None:
    """Another daemon on the account that wants another leverage keeps no market from trading."""

    async def story(told: Story) -> None:
        await told.live()
        for _ in range(20):
            await told.bar()
            told.venue.leverage = 10
            told.venue.push(told.venue.position())
            await asyncio.sleep(5)
        assert (told.venue.leverage, told.venue.prepared) == (10, 2)
        assert told_of(told) == [CHANGED, SETTLED, CHANGED]
        assert told.state is RunState.LIVE

    play(story)


def test_a_comparison_that_was_asked_for_before_it_was_set_says_nothing() -> None:
    """Its answer may come long after: what counts is when it was asked for."""

    async def story(told: Story) -> None:
        await told.live()
        levered = Levered(told.task.desk.executor, told.world.clock)
        levered.placed(1)
        set_ns = told.world.clock.now_ns()
        await asyncio.sleep(30)
        stated = msgspec.structs.replace(told.venue.position(), leverage=dec(10))
        for asked_ns, notes in ((set_ns + QUIET_NS - 1, []), (set_ns + QUIET_NS, [CHANGED])):
            answers = Reconciled(
                market=MARKET,
                open_orders=(),
                executions=(),
                executions_since_ns=0,
                position=stated,
                asked_ns=asked_ns,
                answered_ns=told.world.clock.now_ns(),
            )
            levered.heard(answers)
            await asyncio.sleep(1)
            assert told_of(told) == notes

    play(story)
