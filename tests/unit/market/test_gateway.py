"""The way to one account: whose clock counts there, and what is asked of it under which budget."""

import asyncio

from kangbot.market.gateway import Gateway
from kangbot.market.roster import Command
from kangbot.model.events import RunState
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import MINUTE_NS, Story, bar_at, play
from tests.support.trade_words import MARKET, dec, instrument

PAUSE_NS = 9 * SECOND_NS  # less than what is taken for a ban of the address, which both budgets heed


def test_its_clock_is_the_venues() -> None:
    """As it was measured last; before that it is taken for ours."""

    async def story(told: Story) -> None:
        gateway = told.gateway(told.venue, told.feeds)
        assert not gateway.offset_ns()

        async def ahead() -> int:
            return told.venue.clock.now_ns() + 7 * SECOND_NS

        await gateway.clock.measure(ahead)
        assert gateway.offset_ns() == gateway.clock.offset_ns == 7 * SECOND_NS
        await told.open()

    play(story)


async def holds_in_silence(told: Story) -> Gateway:
    """Hold a position whose price is asked for, and one answer of which has come; return the way."""
    await told.wants_in()
    assert told.venue.net == 2
    told.feeds.tell(Channel.QUOTE, instrument(), live=False)
    await asyncio.sleep(11)
    assert told.venue.quotes == 1
    return told.floor._gateway


def test_orders_leave_while_what_only_informs_has_to_wait() -> None:
    """A start of many markets holds no exit up, nor a stop."""

    async def story(told: Story) -> None:
        gateway = await holds_in_silence(told)
        gateway.data_budget.pause(PAUSE_NS)
        told.venue.stop = None
        told.venue.push(told.venue.position())
        await asyncio.sleep(2)
        assert told.venue.position().stop is not None
        told.strategy.want(0)
        told.task.inbox.offer(bar_at(told.strategy.made[-1].opened[-1] + MINUTE_NS), 1)
        await asyncio.sleep(5)
        assert (len(told.venue.submits), told.venue.quotes) == (2, 1)
        assert told.venue.net == dec(0)
        assert gateway.data_budget.paused_until_ns > told.world.clock.now_ns()

    play(story)


def test_a_market_is_prepared_and_priced_while_orders_have_to_wait() -> None:
    """Its settings, its history, its price and its rules: none of them takes a place from an order."""

    async def story(told: Story) -> None:
        gateway = await holds_in_silence(told)
        prepared, fetches, asked = told.venue.prepared, told.venue.fetches, len(told.venue.asked)
        gateway.budget.pause(PAUSE_NS)
        told.strategy.want(0)
        told.task.inbox.offer(bar_at(told.strategy.made[-1].opened[-1] + MINUTE_NS), 1)
        told.floor.account.hurry()
        await asyncio.sleep(6)
        assert told.venue.quotes > 1
        told.roster.command(MARKET, Command.STOP, "test")
        told.roster.command(MARKET, Command.START, "test")
        await told.floor.instruments([instrument().symbol])
        await asyncio.sleep(2)
        assert gateway.budget.paused_until_ns > told.world.clock.now_ns()
        assert told.state in (RunState.WARMING, RunState.LIVE)
        assert told.venue.prepared == prepared + 1
        assert told.venue.fetches > fetches
        assert (told.venue.submits[1:], told.venue.asked[asked:]) == ([], [])

    play(story)
