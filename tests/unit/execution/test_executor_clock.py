"""A venue whose clock is set while an order is in question: what it still accepts is not believed dead."""

import asyncio

import pytest

from kangbot.execution.venue_clock import VenueClock
from kangbot.model.ids import client_id
from kangbot.model.orders import Evidence, OrderKind, OrderStatus
from kangbot.ports import IdRule
from kangbot.runtime.world import SECOND_NS
from kangbot.sim.world.loop import run
from tests.support.order_story import Market, Story, told
from tests.support.order_venue import Fate
from tests.support.trade_words import TAG, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)
BACK_NS = 10 * SECOND_NS


class Clocked:
    """A story at a venue that tells its time; `ahead_ns` is how far its clock is ahead of ours."""

    def __init__(self) -> None:
        self.story = Story(id_rule=IdRule.WHILE_OPEN)
        self.ahead_ns = 30 * SECOND_NS
        self.story.venue.told_ns = self.now_ns

    def now_ns(self) -> int:
        return self.story.world.clock.now_ns() + self.ahead_ns

    async def tell(self) -> int:
        return self.now_ns()

    async def live(self, *, settles: bool = True) -> Market:
        """Begin a life that has measured the venue's clock; without waiting until it may trade, where it cannot yet."""
        self.known = VenueClock(self.story.world.clock, most_ns=SECOND_NS)
        await self.known.measure(self.tell)
        market = Market(self.story.venue, self.story.disk, self.story.world, venue_clock=self.known)
        await market.start()
        if settles:
            await market.settled()
        return market


@pytest.mark.parametrize("dies", [False, True])
def test_an_order_that_waits_behind_a_clock_that_was_set_back_is_not_believed_dead(dies: bool) -> None:
    """Accepted fourteen seconds later by ours, within its window by the venue's; found, in this life or the next."""

    async def story_of() -> None:
        clocked = Clocked()
        market = await clocked.live()
        venue = clocked.story.venue
        venue.fates.append(Fate.LATE)
        venue.late_s, venue.deaf = 14.0, True
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await asyncio.sleep(1)
        clocked.ahead_ns -= BACK_NS
        if dies:
            await market.end()
            market = await clocked.live(settles=False)
        await asyncio.sleep(11)
        assert market.status(FIRST) is S.UNKNOWN
        await market.settled(40)
        assert market.status(FIRST) is S.FILLED
        assert "order.resurrected" not in market.notes()
        clocked.story.check(market)
        await market.end()

    run(story_of())


@told
async def test_what_never_arrived_is_dead_when_the_venues_clock_is_past() -> None:
    """Ten seconds later than by ours, and not kept waiting after that."""
    clocked = Clocked()
    market = await clocked.live()
    clocked.story.venue.fates.append(Fate.LOST_BEFORE)
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(1)
    clocked.ahead_ns -= BACK_NS
    took_s = await market.settled(40)
    (order,) = market.executor.memory().orders
    assert (order.status, order.evidence) == (S.NOT_ACCEPTED, Evidence.ABSENCE)
    assert took_s == pytest.approx(5 + 2 + 10 - 1 + 1, abs=0.5)
    await market.end()


@told
async def test_an_order_that_would_be_stamped_later_than_the_journal_says_stays() -> None:
    """The venue's clock was set forward before the send: a restart would believe it dead too early."""
    clocked = Clocked()
    market = await clocked.live()
    market.budget.pause(2 * SECOND_NS)
    market.executor.place(proposal())
    clocked.ahead_ns += 60 * SECOND_NS
    await clocked.known.measure(clocked.tell)
    await market.settled()
    (order,) = market.executor.memory().orders
    assert (order.status, order.evidence) == (S.NOT_ACCEPTED, Evidence.UNSENT)
    assert order.message.startswith("the venue's clock was set forward while it waited")
    assert clocked.story.venue.submits == []
    await market.end()


@told
async def test_the_venue_hears_from_when_on_absence_is_counted() -> None:
    """It stamps no copy later than that, however long the process is stopped between the note and the signature."""
    story = Story()
    market = await story.live()
    story.venue.fates.append(Fate.LOST_BEFORE)
    market.executor.place(proposal())
    for copies in (1, 2):
        while len(story.venue.sent_ns) < copies:
            await asyncio.sleep(0.01)
        (order,) = market.executor.orders
        sent_ns = story.venue.sent_ns[-1]
        assert sent_ns is not None
        assert order.settle_ns == sent_ns + 7 * SECOND_NS
    await market.settled()
    await market.end()
