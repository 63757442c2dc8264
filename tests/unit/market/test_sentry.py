"""What the sentry of a market looks at before it asks for a stop that is gone."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.market.roster import Command
from kangbot.model.data import Quote
from kangbot.model.events import RunState
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET


def book(told: Story, bid: str, ask: str) -> None:
    """Move both sides of the book."""
    one, now_ns = Decimal(1), told.world.clock.now_ns()
    told.task.inbox.offer(
        Quote(market=MARKET, bid=Decimal(bid), bid_quantity=one, ask=Decimal(ask), ask_quantity=one, at_ns=now_ns), 1
    )


async def unprotected(told: Story, exposure: int, stop: str) -> None:
    """Hold 2, long or short, in a stopped market, and have somebody take its stop; nobody has heard of it yet."""
    await told.live()
    told.quote()
    told.strategy.want(exposure, stop)
    await told.bar()
    assert (told.venue.net, told.venue.stop) == (Decimal(2 * exposure), Decimal(stop))
    told.roster.command(MARKET, Command.STOP, "test")  # so no target has it closed
    await told.reach(RunState.STOPPED)
    told.venue.stop = None


@pytest.mark.parametrize(
    ("exposure", "stop", "bid", "ask", "net"),
    [
        (1, "90", "90", "91", 0),
        (1, "90", "90.1", "91", 2),
        (-1, "110", "109", "110", 0),
        (-1, "110", "109", "109.9", -2),
    ],
)
def test_a_position_is_closed_where_the_side_that_it_would_trade_at_is_beyond_its_stop(
    exposure: int, stop: str, bid: str, ask: str, net: int
) -> None:
    """A long one sells at the bid, a short one buys at the ask; a stop that was not reached is put back."""

    async def story(told: Story) -> None:
        await unprotected(told, exposure, stop)
        book(told, bid, ask)
        told.venue.push(told.venue.position())
        await asyncio.sleep(2)
        assert (told.venue.net, told.venue.stop) == (Decimal(net), Decimal(stop) if net else None)

    play(story)
