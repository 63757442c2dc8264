"""What holds the entries of a whole account: the kill switch, above all."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.model.ids import client_id
from kangbot.model.orders import OrderKind, OrderStatus, Purpose, Side
from kangbot.runtime.world import SECOND_NS
from kangbot.sim.world.loop import run
from tests.support.order_story import Story, told
from tests.support.order_venue import Fate
from tests.support.trade_words import TAG, dec, proposal

FIRST = client_id(TAG, 1)


@told
async def test_a_held_account_enters_nowhere_and_exits_everywhere() -> None:
    """An entry is refused with the reason; the way out stays open."""
    why = ""
    story = Story(hold=lambda: why)
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    why = "kill_switch: news"
    with pytest.raises(Refused, match="kill_switch: news"):
        market.executor.place(proposal())
    market.executor.place(proposal(purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
    await market.settled()
    assert market.executor.position.net == dec(0)
    await market.end()


@told
async def test_an_entry_on_its_way_to_the_disk_is_held_too() -> None:
    """The reason is asked for again the moment before it leaves."""
    why = ""
    story = Story(hold=lambda: why)
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    why = "kill_switch: news"
    await asyncio.sleep(1)
    assert story.venue.submits == []
    assert market.status(FIRST) is OrderStatus.NOT_ACCEPTED
    await market.end()


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_second_copy_of_a_held_entry_stays_here(purpose: Purpose) -> None:
    """It is asked about until it is proved absent; an exit is sent again all the same."""

    async def story_of() -> None:
        why = ""
        story = Story(hold=lambda: why)
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await market.settled()
        story.venue.fates.append(Fate.LOST_BEFORE)
        entry = purpose is Purpose.ENTRY
        side = Side.BUY if entry else Side.SELL
        order = market.executor.place(proposal(purpose=purpose, side=side, kind=OrderKind.MARKET))
        while order.client_id not in story.venue.submits:
            await asyncio.sleep(0.001)
        why = "breaker: the entry lane is open"
        await market.settled()
        sent = story.venue.submits.count(order.client_id)
        assert sent == (1 if entry else 2)
        assert market.status(order.client_id) is (OrderStatus.NOT_ACCEPTED if entry else OrderStatus.FILLED)
        assert any(name == f"find {order.client_id}" for name, _ in story.venue.asked)
        story.check(market)
        await market.end()

    run(story_of())


@told
async def test_a_second_copy_that_waits_for_its_turn_is_held_too() -> None:
    """The breaker opened while the copy stood in the queue of the budget."""
    why = ""
    story = Story(hold=lambda: why)
    market = await story.live()
    story.venue.fates.append(Fate.LOST_BEFORE)
    order = market.executor.place(proposal(kind=OrderKind.MARKET))
    found = f"find {order.client_id}"
    while not any(name == found for name, _ in story.venue.asked):
        await asyncio.sleep(0.01)
    market.budget.pause(2 * SECOND_NS)
    await asyncio.sleep(1.5)
    why = "breaker: the entry lane is open"
    await market.settled()
    assert story.venue.submits == [order.client_id]
    assert market.status(order.client_id) is OrderStatus.NOT_ACCEPTED
    await market.end()
