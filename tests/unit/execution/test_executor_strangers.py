"""What happened past us at the venue: orders and trades by hand, orphans, drift, dropped pushes."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.model.ids import client_id
from kangbot.model.orders import Evidence, OrderKind, OrderStatus, Purpose, Side
from tests.support.order_story import Story, told
from tests.support.order_venue import Fate
from tests.support.trade_words import TAG, dec, funding, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)


@told
async def test_an_orphan_is_cancelled_and_told() -> None:
    """An order with our prefix that the journal does not know."""
    story = Story()
    market = await story.live()
    story.venue.by_hand("1", client="kbanother09", filled=False)
    await asyncio.sleep(10)
    assert story.venue.orders[0].status is S.CANCELED
    assert market.notes() == ["order.orphan"]
    await market.end()


@told
async def test_an_orphan_is_asked_to_be_cancelled_once_at_a_time() -> None:
    """The next round finds the request still on its way."""
    story = Story()
    market = await story.live()
    story.venue.cancels.append("hang")
    story.venue.by_hand("1", client="kbanother09", filled=False)
    await asyncio.sleep(1)
    market.account.hurry()
    await asyncio.sleep(1)
    assert story.venue.canceled == ["kbanother09"]
    await asyncio.sleep(70)
    assert story.venue.canceled == ["kbanother09"] * 2
    assert story.venue.orders[0].status is S.CANCELED
    await market.end()


@told
async def test_an_orphan_is_left_where_that_is_the_policy() -> None:
    """Told all the same."""
    story = Story(cancel_orphans=False)
    market = await story.live()
    story.venue.deaf = True
    story.venue.by_hand("1", client="kbanother09", filled=False)
    await asyncio.sleep(130)
    assert (story.venue.orders[0].status, market.notes()) == (S.ACKED, ["order.orphan"])
    await market.end()


@told
async def test_an_order_by_hand_is_left_alone_and_told_once() -> None:
    """Within 60 s even where the stream did not say."""
    story = Story()
    market = await story.live()
    story.venue.deaf = True
    order = story.venue.by_hand("1", filled=False)
    await asyncio.sleep(70)
    assert (order.status, market.notes(), story.venue.canceled) == (S.ACKED, ["order.foreign"], [])
    story.venue.deaf = False
    story.venue.close(order, S.CANCELED)
    await asyncio.sleep(70)
    assert market.notes() == ["order.foreign"]
    await market.end()


@told
async def test_an_order_of_another_program_is_left_alone() -> None:
    """It has an id of its own, and it is not ours: by the stream and by the list."""
    story = Story()
    market = await story.live()
    order = story.venue.by_hand("1", client="grid-bot-7", filled=False)
    await asyncio.sleep(70)
    assert (order.status, market.notes(), story.venue.canceled) == (S.ACKED, ["order.foreign"], [])
    await market.end()


@told
async def test_a_trade_by_hand_enters_the_position_and_is_told() -> None:
    """From the stream, or from the executions of the next round."""
    for deaf in (False, True):
        story = Story()
        market = await story.live()
        story.venue.deaf = deaf
        story.venue.by_hand("1")
        await asyncio.sleep(70)
        assert market.executor.position.net == dec(1)
        assert market.notes() == ["position.by_hand"]
        await market.end()


@told
async def test_a_drift_that_no_execution_explains_is_a_persons() -> None:
    """Quarantined: no entries until a person has looked, or both agree again."""
    story = Story()
    market = await story.live()
    story.venue.hidden = dec(3)
    await asyncio.sleep(100)
    assert "the venue says 3" in market.executor.quarantine
    with pytest.raises(Refused, match="the venue says 3"):
        market.executor.place(proposal())
    assert market.notes() == ["position.drift", "position.quarantine"]
    market.executor.release("ann")
    assert market.executor.quarantine == ""
    story.venue.hidden = dec(0)
    await asyncio.sleep(100)
    assert market.executor.entries_blocked is None
    await market.end()


@told
async def test_exits_that_the_venue_refuses_do_not_hide_a_position_that_is_gone() -> None:
    """They are tried every few seconds, and move nothing."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(10)
    story.venue.hidden = -story.venue.net
    for _ in range(20):
        if not market.executor.quarantine:
            story.venue.fates.append(Fate.REFUSED)
            market.executor.place(proposal(1, purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
        await asyncio.sleep(5)
    assert "the venue says 0" in market.executor.quarantine
    assert market.notes() == ["position.drift", "position.quarantine"]
    await market.end()


@told
async def test_a_stop_that_no_position_takes_does_not_hide_that_it_is_gone() -> None:
    """It is tried every four seconds for as long as we count a position, and moves nothing."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await asyncio.sleep(10)
    story.venue.hidden = -story.venue.net
    market.executor.protect(dec(95))
    await asyncio.sleep(100)
    assert "the venue says 0" in market.executor.quarantine
    assert [note for note in market.notes() if note.startswith("position")] == ["position.drift", "position.quarantine"]
    await market.end()


@told
async def test_a_fill_that_the_stream_dropped_is_found_within_seconds() -> None:
    """While anything is in flight the account is asked every five."""
    story = Story()
    market = await story.live()
    story.venue.deaf = True
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(0.2)
    assert market.executor.position.net == 0
    took_s = await market.settled()
    assert took_s < 12
    story.check(market)
    await market.end()


@told
async def test_an_execution_that_shows_late_is_found_by_the_overlap() -> None:
    """The rounds that came before it showed have moved on; they ask again from a minute before."""
    story = Story()
    market = await story.live()
    story.venue.deaf, story.venue.lag_s = True, 20.0
    story.venue.by_hand("1")
    for _ in range(3):
        market.account.hurry()
        await asyncio.sleep(5)
    assert market.executor.position.net == 0
    await asyncio.sleep(60)
    assert market.executor.position.net == dec(1)
    assert "position.drift" not in market.notes()
    story.check(market)
    await market.end()


@told
async def test_an_order_that_ended_unheard_is_asked_for_by_name() -> None:
    """It is missing from the list of open orders, which is a reason to ask and no evidence."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    story.venue.deaf = True
    story.venue.close(story.venue.orders[0], S.CANCELED)
    await asyncio.sleep(12)
    (order,) = market.executor.memory().orders
    assert (order.status, order.evidence) == (S.CANCELED, Evidence.QUERY)
    await market.end()


@told
async def test_everything_said_twice_counts_once() -> None:
    """Reports, fills and positions."""
    story = Story()
    market = await story.live()
    story.venue.twice = True
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    await asyncio.sleep(1)
    assert (market.status(FIRST), market.executor.position.net) == (S.FILLED, proposal().quantity)
    story.check(market)
    await market.end()


@told
async def test_funding_is_booked_once() -> None:
    """Pushed twice: one record, no change of position."""
    story = Story()
    market = await story.live()
    for _ in range(2):
        market.executor.handle(funding("f1", "-1", at_ns=market.now_ns))
    assert list(market.executor.realised_by_day.values()) == [dec(-1)]
    assert market.executor.funding == dec(-1)
    await market.end()
