"""An account of paper trading in a daemon that runs for years."""

import asyncio
from decimal import Decimal

import msgspec

from kangbot.model.orders import Fill, OrderKind
from tests.support.paper_story import PaperStory, play_on_paper
from tests.support.trade_words import instrument, intent


def test_an_account_that_trades_for_years_keeps_a_day_of_it() -> None:
    """Fills and orders that are over: whoever asks is told of the last day, and the memory does not grow."""

    async def story(told: PaperStory) -> None:
        await told.live()
        market, at_ns = instrument(), told.world.clock.now_ns()
        first, second = (
            msgspec.structs.replace(intent(number, "0.5", at_ns=at_ns), kind=OrderKind.MARKET, price=None)
            for number in (70, 71)
        )
        told.quote()
        await told.paper.submit(market, first)
        assert (await told.paper.find(market, first.client_id)).report is not None
        await asyncio.sleep(25 * 3600)
        told.quote()
        await told.paper.submit(market, second)
        assert (await told.paper.find(market, first.client_id)).report is None
        fills = [event.client_id for event in await told.paper.executions(0) if isinstance(event, Fill)]
        assert fills == [second.client_id]
        assert told.net == Decimal(1), "what was bought is held all the same"

    play_on_paper(story)
