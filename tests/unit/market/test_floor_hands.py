"""A floor where somebody trades by hand: told, and handled by policy."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.machines.holding import ForeignPolicy
from kangbot.market.reporting import report_of
from kangbot.market.roster import UnknownMarketError
from kangbot.model.events import Noted
from kangbot.model.ids import MarketId
from kangbot.model.orders import OrderStatus, Side
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET


def test_nothing_is_entered_beside_an_order_by_hand() -> None:
    """While it rests, and it is left alone; when it is gone, entries may."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        order = told.venue.by_hand("1", filled=False)
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert told.venue.submits == []
        assert told.task.desk.blocked == "by_hand: somebody traded this market by hand"
        assert report_of(told.task, told.roster[MARKET], 0, {}).by_hand == "order: buy 1"
        assert order.status is OrderStatus.ACKED
        told.venue.close(order, OrderStatus.CANCELED)
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_what_somebody_holds_by_hand_is_left_alone() -> None:
    """It is neither closed, nor given a stop, nor added to; our own share is managed as before."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        await told.bar()
        told.venue.by_hand("3")
        await asyncio.sleep(1)
        assert report_of(told.task, told.roster[MARKET], 0, {}).by_hand == "position: 3"
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == Decimal(3)
        told.venue.stop = None
        told.strategy.want(1)
        for _ in range(3):
            await told.bar()
        assert told.venue.net == Decimal(3)
        assert told.venue.stop is None
        told.venue.by_hand("3", side=Side.SELL)
        await told.bar()
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_a_position_that_somebody_closed_is_not_opened_again_at_once() -> None:
    """The strategy decides anew, on its next bar."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        await told.bar()
        told.venue.by_hand("2", side=Side.SELL)
        await asyncio.sleep(20)
        assert told.venue.net == 0
        assert len(told.venue.submits) == 1

    play(story)


def test_an_adopted_position_is_the_strategys() -> None:
    """It gets a stop, and is closed when the strategy wants out."""

    async def story(told: Story) -> None:
        told.foreign = ForeignPolicy.ADOPT
        await told.live()
        told.quote()
        told.venue.by_hand("3")
        await asyncio.sleep(2)
        assert told.venue.stop == Decimal("95.0")
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0

    play(story)


def test_a_quarantined_market_waits_for_a_person() -> None:
    """Also after what they did is over."""

    async def story(told: Story) -> None:
        told.foreign = ForeignPolicy.QUARANTINE
        await told.live()
        told.quote()
        told.venue.by_hand("1")
        told.venue.by_hand("1", side=Side.SELL)
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert told.venue.submits == []
        assert "by no order of ours" in told.task.desk.executor.quarantine
        with pytest.raises(UnknownMarketError):
            told.floor.release(MarketId("bybit:NO-SUCH"), "anna")
        for _ in range(2):
            told.floor.release(MARKET, "anna")
            await asyncio.sleep(1)
        released = [e.message for e in told.disk.events if isinstance(e, Noted) and e.kind == "market.released"]
        assert len(released) == 1
        assert released[0].startswith("anna lifted the quarantine: ")
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)
