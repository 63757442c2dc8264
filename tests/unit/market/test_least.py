"""A size that is too little for any order."""

import asyncio
from decimal import Decimal

from kangbot.market.least import too_small
from kangbot.market.roster import Command
from kangbot.model.data import Quote
from kangbot.model.events import Noted, RunState
from tests.support.floor_story import Story, play, spec
from tests.support.trade_words import MARKET, START, instrument


def test_what_no_order_is_small_enough_for_is_said() -> None:
    """With what it would buy; a book without a price says nothing."""
    one = Decimal(1)
    quote = Quote(market=MARKET, bid=Decimal(100), bid_quantity=one, ask=Decimal(101), ask_quantity=one, at_ns=START)
    empty = Quote(market=MARKET, bid=Decimal(0), bid_quantity=one, ask=Decimal(101), ask_quantity=one, at_ns=START)
    assert too_small(Decimal("0.05"), instrument(), quote).startswith(
        "nothing can be entered: a size of 0.05 buys 0.000"
    )
    assert [too_small(Decimal("0.05"), instrument(), none) for none in (None, empty)] == ["", ""]
    assert too_small(Decimal(200), instrument(), quote) == ""


def test_a_market_of_such_a_size_says_so_where_it_goes_live() -> None:
    """Once, before its strategy wants anything."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, size=Decimal("0.05"))]
        await told.open()
        told.quote()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        for _ in range(2):
            await told.bar()
        await asyncio.sleep(1)
        kinds = [event.kind for event in told.disk.events if isinstance(event, Noted)]
        assert kinds == ["market.too_small"]

    play(story)
