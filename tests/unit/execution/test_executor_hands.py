"""What the executor knows of those who trade beside it, and the market that is theirs until it is released."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.model.events import Noted, Severity
from kangbot.model.orders import OrderKind, OrderStatus, Side
from tests.support.order_story import Story, told
from tests.support.trade_words import dec, proposal

S = OrderStatus


@told
async def test_an_order_by_hand_is_known_for_as_long_as_it_rests() -> None:
    """By the stream, and by a round where the stream did not say."""
    for deaf in (False, True):
        story = Story()
        market = await story.live()
        story.venue.deaf = deaf
        order = story.venue.by_hand("1", filled=False)
        await asyncio.sleep(70)
        assert list(market.executor.foreign_orders) == ["buy 1"]
        story.venue.close(order, S.CANCELED)
        await asyncio.sleep(70)
        assert not market.executor.foreign_orders
        assert "is not ours and is left alone" in market.executor.touched
        await market.end()


@told
async def test_a_share_by_hand_is_remembered_over_a_restart() -> None:
    """By the fills in the journal."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(2, kind=OrderKind.MARKET, stop="90"))
    await market.settled()
    story.venue.by_hand("3")
    await asyncio.sleep(1)
    for _ in range(2):
        assert (market.executor.holding.by_hand, market.executor.holding.stop) == (dec(3), dec(90))
        assert market.executor.holding.ours(market.executor.position.net) == dec(2)
        await market.end()
        market = await story.live()
    await market.end()


@told
async def test_a_quarantine_for_hands_lasts_until_it_is_released() -> None:
    """A trade, or an order; over restarts too, and after a release none of it comes back."""
    for filled in (True, False):
        story = Story(quarantine_hands=True)
        market = await story.live()
        order = story.venue.by_hand("1", filled=filled)
        await asyncio.sleep(1)
        if filled:
            story.venue.by_hand("1", side=Side.SELL)
        else:
            story.venue.close(order, S.CANCELED)
        await asyncio.sleep(70)
        with pytest.raises(Refused, match="ours"):
            market.executor.place(proposal())
        assert "ours" in (reason := market.executor.quarantine)
        await market.end()
        market = await story.live()
        assert market.executor.quarantine == reason
        market.executor.release("ann")
        for _ in range(2):
            assert (market.executor.quarantine, market.executor.entries_blocked) == ("", None)
            await asyncio.sleep(1)
            await market.end()
            market = await story.live()
        await market.end()


@told
async def test_an_order_by_hand_that_rests_is_told_once_over_restarts() -> None:
    """And holds nothing any more once a person has released the market; the next thing by hand takes it again."""
    story = Story(quarantine_hands=True)
    market = await story.live()
    story.venue.by_hand("1", filled=False)
    await asyncio.sleep(1)
    reason = market.executor.quarantine
    for _ in range(3):
        await market.end()
        market = await story.live()
        assert (market.executor.quarantine, market.executor.foreign_orders) == (reason, ("buy 1",))
    for _ in range(2):
        market.executor.release("ann")  # the second one finds nothing to lift
    await asyncio.sleep(1)
    for _ in range(2):
        await market.end()
        market = await story.live()
        assert (market.executor.quarantine, market.executor.foreign_orders) == ("", ("buy 1",))
    assert market.notes() == ["order.foreign", "market.quarantine", "market.released"]
    story.venue.by_hand("1")
    await asyncio.sleep(1)
    assert market.executor.quarantine not in ("", reason)
    await market.end()


@told
async def test_a_market_can_be_told_of() -> None:
    """In the journal, with its market."""
    story = Story()
    market = await story.live()
    market.executor.tell("stop.closing", Severity.CRITICAL, "why")
    await asyncio.sleep(1)
    (note,) = [event for event in story.disk.events if isinstance(event, Noted)]
    assert (note.kind, note.severity, note.message) == ("stop.closing", Severity.CRITICAL, "why")
    await market.end()
