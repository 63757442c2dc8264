"""What holds the entries of a whole account: the kill switch, above all."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.model.ids import client_id
from kangbot.model.orders import OrderKind, OrderStatus, Purpose, Side
from tests.support.order_story import Story, told
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
