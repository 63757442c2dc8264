"""One market's executor: place, fill, cancel, close."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.execution.executor import Pulse
from kangbot.machines.reconcile import EXPLAIN_NS
from kangbot.model.events import FillApplied, OrderChanged, OrderIntended, RoundTripClosed, StopSet
from kangbot.model.ids import client_id
from kangbot.model.orders import Evidence, OrderKind, OrderStatus
from kangbot.sim.world.loop import run
from tests.support.order_story import Story, exits, told
from tests.support.order_venue import Fate
from tests.support.trade_words import SECOND, START, TAG, WINDOW, dec, proposal, report

S = OrderStatus
FIRST = client_id(TAG, 1)


@told
async def test_a_market_order_is_journalled_sent_and_filled() -> None:
    """Intent on disk, then the send, then what the venue says; the round trip is closed by the exit."""
    story = Story()
    market = await story.live()
    order = market.executor.place(proposal(kind=OrderKind.MARKET), decided_perf_ns=1)
    assert (order.status, order.intent.reduce_only, story.venue.submits) == (S.INTENT, False, [])
    assert order.intent.deadline_ns == market.now_ns + WINDOW
    await market.settled()
    assert (market.status(FIRST), market.executor.position.net) == (S.FILLED, dec(1))
    assert len(market.latencies) == 1
    story.venue.price = dec(110)
    await exits(market, 1)
    kinds = [type(event).__name__ for event in story.disk.events]
    assert kinds == [
        "EquityMarked",
        "OrderIntended",
        "OrderChanged",  # acknowledged, by the answer
        "FillApplied",
        "OrderChanged",
        "OrderIntended",
        "OrderChanged",
        "FillApplied",
        "OrderChanged",
        "RoundTripClosed",
    ]
    trip = market.executor.last_trip
    assert trip is not None
    assert trip.net_profit == dec(10)
    assert list(market.executor.realised_by_day.values()) == [dec(10)]
    intents = [event.intent for event in story.disk.events if isinstance(event, OrderIntended)]
    assert [one.reduce_only for one in intents] == [False, True]
    counts = market.executor.counts
    assert (counts.sent, counts.acked, counts.filled, counts.not_accepted) == (2, 2, 2, 0)
    story.check(market)
    await market.end()


@told
async def test_fills_that_were_reported_and_do_not_come_are_asked_for_from_the_orders_beginning() -> None:
    """Rounds overlap by a minute, and a venue's list may be further behind; of one that rested long, the last hour."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(2, kind=OrderKind.LIMIT))
    await market.settled()
    (order,) = market.executor.orders
    assert market.executor.pulse().executions_since_ns is None
    assert order.venue_order_id is not None
    market.executor.handle(report(S.PARTIAL, 1, quantity=2, venue_order_id=order.venue_order_id))
    assert market.executor.pulse().executions_since_ns == order.intent.at_ns
    story.venue.trade(story.venue.orders[-1], dec(1))
    await asyncio.sleep(2 * 3600)
    assert market.executor.pulse().executions_since_ns is None
    market.executor.handle(report(S.FILLED, 2, quantity=2, venue_order_id=order.venue_order_id))
    assert market.executor.pulse().executions_since_ns == market.now_ns - EXPLAIN_NS
    await asyncio.sleep(0.1)
    deadline_ns = market.executor.deadline_ns()
    assert deadline_ns is not None
    assert 29 * SECOND < deadline_ns - market.now_ns < 30 * SECOND
    await asyncio.sleep(90)
    assert market.notes().count("order.fills_missing") == 1
    await market.end()


@told
async def test_ids_are_given_in_the_journals_order() -> None:
    """The next id is known before it is given; two placed at once get two."""
    story = Story()
    market = await story.live()
    upcoming = market.executor.upcoming_id
    first = market.executor.place(proposal())
    second = market.executor.place(proposal())
    assert (first.client_id, second.client_id) == (upcoming, client_id(TAG, 2))
    await market.settled()
    assert story.venue.submits == [first.client_id, second.client_id]
    await market.end()


@told
async def test_each_group_is_atomic_and_what_handle_returns_is_on_disk() -> None:
    """Nothing is told that is not journalled."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    await asyncio.sleep(1)
    learnt = (OrderChanged, FillApplied, StopSet, RoundTripClosed)
    assert [event for event in story.disk.events if isinstance(event, learnt)] == market.told
    await market.end()


@told
async def test_a_cancel_is_asked_for_and_reported() -> None:
    """By the stream; a second wish changes nothing."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    market.executor.cancel(FIRST)
    market.executor.cancel(FIRST)
    await asyncio.sleep(0.5)
    assert (market.status(FIRST), story.venue.canceled) == (S.CANCELED, [FIRST])
    market.executor.cancel(FIRST)
    market.executor.cancel(client_id(TAG, 99))
    await asyncio.sleep(5)
    assert story.venue.canceled == [FIRST]
    await market.end()


@told
async def test_an_order_cancelled_before_it_leaves_stays() -> None:
    """It is withheld, with our own evidence."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    market.executor.cancel(FIRST)
    await market.settled()
    (order,) = market.executor.memory().orders
    assert (order.status, order.evidence, order.message) == (
        S.NOT_ACCEPTED,
        Evidence.UNSENT,
        "cancelled before it left",
    )
    assert story.venue.submits == []
    await market.end()


@pytest.mark.parametrize("how", ["lost", "hang", "denied", "limited"])
def test_a_cancel_that_fails_is_tried_again_until_the_order_is_over(how: str) -> None:
    """Whatever became of the first request."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal())
        await market.settled()
        story.venue.cancels.append(how)
        market.executor.cancel(FIRST)
        await asyncio.sleep(20)
        assert market.status(FIRST) is S.CANCELED
        assert len(story.venue.canceled) == 2
        await market.end()

    run(story_of())


@told
async def test_a_cancel_that_loses_to_the_fill_ends_as_filled() -> None:
    """The venue denies the cancel; the order is asked for by name."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    story.venue.deaf = True
    story.venue.trade(story.venue.of(FIRST), dec(1))
    market.executor.cancel(FIRST)
    await asyncio.sleep(0.2)
    assert f"find {FIRST}" in [name for name, _ in story.venue.asked]
    await market.settled()
    assert (market.status(FIRST), market.executor.position.net) == (S.FILLED, dec(1))
    story.check(market)
    await market.end()


@told
async def test_entries_wait_for_the_first_comparison() -> None:
    """Before we know how things stand nothing may be added."""
    story = Story()
    market = await story.live(account=False)
    assert not market.executor.settled
    assert market.executor.reconciled_ns == 0
    assert market.executor.pulse().in_flight
    with pytest.raises(Refused, match="have not been compared with the venue yet"):
        market.executor.place(proposal())
    await market.end()


@told
async def test_a_market_that_missed_news_asks_for_executions_from_then_on() -> None:
    """At once, though nothing of its own is in flight."""
    story = Story()
    market = await story.live()
    assert market.executor.pulse() == Pulse(in_flight=False, executions_since_ns=None)
    assert market.executor.pulse(START) == Pulse(in_flight=True, executions_since_ns=START)
    await market.end()


@told
async def test_what_an_earlier_life_left_in_flight_is_asked_for_from_its_beginning() -> None:
    """However long nobody looked, and whatever was missed since."""
    story = Story()
    market = await story.live()
    order = market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(0.04)
    await market.end()
    await asyncio.sleep(2 * 3600)
    market = await story.live(account=False)
    for missed_since_ns in (0, market.now_ns):
        assert market.executor.pulse(missed_since_ns).executions_since_ns == order.intent.at_ns
    await market.end()


@told
async def test_one_order_in_flight_is_enough_to_ask_soon() -> None:
    """Beside one that rests, and is in no hurry."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    await asyncio.sleep(40)
    assert not market.executor.pulse().in_flight
    story.venue.fates.append(Fate.HANGS_BEFORE)
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(0.5)
    assert market.executor.pulse().in_flight
    await market.end()


@told
async def test_a_round_trip_is_of_the_strategy_that_trades_when_it_closes() -> None:
    """A market may be given another strategy while it holds a position."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    market.executor.traded_by("another")
    await exits(market, 1)
    assert [event.strategy for event in story.disk.events if isinstance(event, RoundTripClosed)] == ["another"]
    story.check(market)
    await market.end()


@told
async def test_what_cannot_be_blocks_entries_and_never_crashes() -> None:
    """Somebody else sends under our ids."""
    story = Story()
    market = await story.live()
    story.disk._commit_s = 2.0
    market.executor.place(proposal())
    order = story.venue.by_hand("1", client=FIRST, filled=False)
    await asyncio.sleep(0.5)
    assert "cannot be acked" in market.executor.quarantine
    assert market.executor.entries_blocked == market.executor.quarantine
    await asyncio.sleep(3)
    assert story.venue.submits == []
    assert order.status is S.ACKED
    reason = market.executor.quarantine
    await asyncio.sleep(5)  # the alarm is on disk
    for _ in range(2):
        await market.end()
        market = await story.live()
        assert market.executor.quarantine == reason  # a restart explains nothing
    market.executor.release("ann")
    assert market.executor.quarantine == ""
    await asyncio.sleep(5)
    await market.end()
    market = await story.live()
    assert market.executor.quarantine == ""
    await market.end()


@told
async def test_closing_ends_the_errands() -> None:
    """An order that the venue does not answer for holds up no end."""
    story = Story()
    market = await story.live()
    story.venue.fates.extend([Fate.NORMAL, Fate.HANGS_AFTER])
    market.executor.place(proposal())
    await market.settled()
    market.executor.place(proposal())
    await asyncio.sleep(2)
    async with asyncio.timeout(1):
        await market.executor.aclose()
    await asyncio.sleep(0.1)
    assert market.status(client_id(TAG, 2)) in (S.UNKNOWN, S.ACKED)
    await market.end()


@told
async def test_an_order_that_leaves_after_an_earlier_life_keeps_its_number_apart() -> None:
    """A second life begins with the next number."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    await market.end()
    again = await story.live()
    assert again.executor.place(proposal()).client_id == client_id(TAG, 2)
    await again.settled()
    story.check(again)
    await again.end()
