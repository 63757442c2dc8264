"""The position's stop: with the entry, set afterwards, refused, triggered."""

import asyncio

from kangbot.model.events import StopSet
from kangbot.model.ids import client_id
from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Side, VenuePosition
from tests.support.order_story import Story, exits, told
from tests.support.trade_words import SECOND, TAG, dec, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)


@told
async def test_the_stop_of_an_entry_rests_with_its_first_fill() -> None:
    """Believed with the fill, confirmed by the venue, gone with the position."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await market.settled()
    assert (market.executor.stop, market.executor.unprotected) == (dec(90), False)
    await asyncio.sleep(6)
    await exits(market, 1)
    assert market.executor.stop is None
    assert [event.price for event in story.disk.events if isinstance(event, StopSet)] == [dec(90), None]
    await market.end()


@told
async def test_a_stop_that_the_venue_did_not_take_is_noticed_and_can_be_set() -> None:
    """The position push says so; `protect` sets it."""
    story = Story()
    story.venue.takes_stop = False
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await asyncio.sleep(6)
    assert market.executor.unprotected
    market.executor.protect(dec(90))
    market.executor.protect(dec(90))
    assert not market.executor.stop_coming  # it was to ride with the entry, and does not
    await asyncio.sleep(1)
    assert (story.venue.stop, market.executor.stop, market.executor.unprotected) == (dec(90), dec(90), False)
    market.executor.protect(dec(90))
    await asyncio.sleep(1)
    assert [name for name, _ in story.venue.asked if name.startswith("protect")] == ["protect 90"]
    await market.end()


@told
async def test_the_stop_of_a_second_entry_is_confirmed_within_seconds() -> None:
    """Which of the two rests is the venue's to say; its push was dropped, so it is asked."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await asyncio.sleep(10)
    story.venue.unsaid = (VenuePosition,)
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="95"))
    await market.settled()
    await asyncio.sleep(12)
    assert (story.venue.stop, market.executor.stop) == (dec(95), dec(95))
    await market.end()


@told
async def test_a_stop_that_fails_is_tried_again_and_a_refused_one_is_told() -> None:
    """Lost, not there yet, then set, less and less soon; the next one is refused and not tried again."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    story.venue.stops.extend(["lost", "none", "ok", "refused"])
    market.executor.protect(dec(90))
    asked_ns = market.now_ns
    await asyncio.sleep(10)
    assert story.venue.stop == dec(90)
    tried = [at_ns - asked_ns for name, at_ns in story.venue.asked if name == "protect 90"]
    assert [round(after_ns / SECOND, 1) for after_ns in tried] == [0, 0.5, 1.5]
    assert market.notes() == ["stop.failed"]
    market.executor.protect(dec(120))
    await asyncio.sleep(10)
    assert market.executor.protection.refused == "the stop would trigger at once"
    assert market.notes() == ["stop.failed", "stop.failed"]
    await market.end()


@told
async def test_the_stop_that_rests_is_wanted_again_while_another_one_fails() -> None:
    """The strategy has thought better of it: what was on its way must not arrive later."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await market.settled()
    story.venue.stops.append("lost")
    market.executor.protect(dec(95))
    await asyncio.sleep(0.1)
    market.executor.protect(dec(90))
    await asyncio.sleep(10)
    assert (story.venue.stop, market.executor.stop) == (dec(90), dec(90))
    assert not market.executor.pulse().in_flight
    await market.end()


@told
async def test_stops_that_fail_one_after_another_are_told_once() -> None:
    """A strategy moves its stop with each bar, and a key that is not taken any more fails each of them."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="80"))
    await market.settled()
    for stop, ends in ((90, 3), (94, 1)):
        story.venue.stops.extend(["lost"] * ends)
        for higher in range(ends):
            market.executor.protect(dec(stop + higher))
            await asyncio.sleep(0.3)
        await asyncio.sleep(10)
        assert story.venue.stop == dec(stop + ends - 1)
    assert market.notes() == ["stop.failed", "stop.failed"]
    await market.end()


@told
async def test_a_stop_of_what_is_no_longer_held_is_not_asked_for() -> None:
    """Neither before an entry nor after the exit."""
    story = Story()
    market = await story.live()
    market.executor.protect(dec(90))
    await asyncio.sleep(1)
    assert not market.executor.protection.asked_ns
    assert not [name for name, _ in story.venue.asked if name.startswith("protect")]
    await market.end()


@told
async def test_a_triggered_stop_flattens_us() -> None:
    """The venue's own order, by no id of ours."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await market.settled()
    stop = story.venue.by_hand("1", side=Side.SELL, filled=False)
    story.venue.trade(stop, dec(1), cause=FillCause.STOP)
    await asyncio.sleep(1)
    assert (market.executor.position.net, market.executor.stop) == (dec(0), None)
    assert "position.stopped" in market.notes()
    await market.end()


@told
async def test_a_stop_that_somebody_moves_is_told_and_one_that_we_move_is_not() -> None:
    """Whatever becomes of our requests: the one that is lost on its way arrives, and the venue shows it first."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await market.settled()
    await asyncio.sleep(10)
    for stop, how in ((91, "ok"), (92, "lost"), (93, "ok")):
        story.venue.stops.append(how)
        market.executor.protect(dec(stop))
        await asyncio.sleep(0.01)
        story.venue.stop = dec(stop)
        story.venue.push(story.venue.position())
        await asyncio.sleep(10)
    assert market.notes() == ["stop.failed"]
    story.venue.stop = dec(85)
    story.venue.push(story.venue.position())
    await asyncio.sleep(1)
    assert market.notes() == ["stop.failed", "stop.moved"]
    market.executor.protect(dec(93))
    await asyncio.sleep(10)
    assert (story.venue.stop, market.executor.stop) == (dec(93), dec(93))
    assert market.notes() == ["stop.failed", "stop.moved", "stop.settled"]
    await market.end()


@told
async def test_a_stop_that_somebody_moves_is_told_at_once_in_a_first_life() -> None:
    """Who never held anything asked for no stop; after a restart what a former life asked for may still arrive."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
    await market.settled()

    async def moved(stop: int) -> int:
        story.venue.stop = dec(stop)
        story.venue.push(story.venue.position())
        await asyncio.sleep(1)
        assert market.executor.stop == dec(stop)
        return market.notes().count("stop.moved")

    await asyncio.sleep(1)
    assert await moved(85) == 1
    await market.end()
    market = await story.live()
    await asyncio.sleep(1)
    assert await moved(80) == 1
    await asyncio.sleep(8)
    assert await moved(75) == 2
    await market.end()


@told
async def test_a_refused_stop_can_be_insisted_on() -> None:
    """The same price once more, where the caller says so."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    story.venue.stops.append("refused")
    for again in (False, False, True):
        market.executor.protect(dec(90), again=again)
        await asyncio.sleep(1)
    assert [name for name, _ in story.venue.asked if name.startswith("protect")] == ["protect 90"] * 2
    assert story.venue.stop == dec(90)
    await market.end()


@told
async def test_no_two_requests_for_a_stop_are_under_way() -> None:
    """The position that the first was for is closed, and another one entered, before its answer: the later counts."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    story.venue.answer_s = 5.0
    market.executor.protect(dec(90))
    await asyncio.sleep(0.1)
    story.venue.answer_s = 0.05
    story.venue.by_hand("1", side=Side.SELL)
    await asyncio.sleep(0.1)
    assert market.executor.position.net == 0
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(1)
    market.executor.protect(dec(85))
    await asyncio.sleep(1)
    asked = [name for name, _ in story.venue.asked if name.startswith("protect")]
    assert asked == ["protect 90"]
    await asyncio.sleep(5)
    asked = [name for name, _ in story.venue.asked if name.startswith("protect")]
    assert (asked, story.venue.stop, market.executor.stop) == (["protect 90", "protect 85"], dec(85), dec(85))
    await market.end()
