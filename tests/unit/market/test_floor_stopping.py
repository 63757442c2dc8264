"""What a floor leaves at the venue when it ends in good order: no entry that nobody watches, no coins without stop."""

import asyncio

import pytest

from kangbot.machines.guard import StopPolicy, StopTerms
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import RunState
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import OrderKind
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from tests.support.floor_story import BarVenue, Story, play, spec
from tests.support.order_venue import Fate, VenueOrder
from tests.support.trade_words import MARKET, SECOND

LIMITS = Style(kind=OrderKind.LIMIT, patience_ns=3600 * SECOND)
KINDS = tuple(InstrumentKind)


async def trades(told: Story, kind: InstrumentKind) -> VenueOrder:
    """Go live in a market of that kind, and return the limit entry that rests."""
    told.venue = BarVenue(clock=told.world.clock, kind=kind)
    told.risk = AccountRisk(Limits(leverage=None))
    told.specs = [spec(told.strategy, style=LIMITS)]
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()
    return resting(told)[0]


def resting(told: Story) -> list[VenueOrder]:
    """Return the orders that rest at the venue, stops apart."""
    return [order for order in told.venue.orders if order.trigger is None and not order.status.terminal]


async def drained(told: Story, timeout_s: float = 60) -> bool:
    """End the floor in good order; return whether nothing was in flight."""
    settled = await told.floor.drain(timeout_s, asyncio.Event())
    await told.floor.close()
    return settled


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_that_rests_is_withdrawn(kind: InstrumentKind) -> None:
    """Nobody watches it while we are away."""

    async def story(told: Story) -> None:
        await trades(told, kind)
        assert await drained(told)
        assert resting(told) == []

    play(story)


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_that_may_stay_does_so_where_its_stop_rides_with_it(kind: InstrumentKind) -> None:
    """Coins that it buys meanwhile would have none: the venue keeps none for them."""

    async def story(told: Story) -> None:
        told.cancel_entries = False
        entry = await trades(told, kind)
        assert await drained(told)
        assert resting(told) == ([] if kind is InstrumentKind.SPOT else [entry])

    play(story)


def test_the_stop_of_what_was_bought_at_last_rests_before_the_end() -> None:
    """The entry is filled in the moment of the end: its request for a stop is not cut off."""

    async def story(told: Story) -> None:
        entry = await trades(told, InstrumentKind.SPOT)
        told.venue.stops.append("lost")
        told.venue.trade(entry, entry.quantity)
        assert await drained(told)
        assert [stop.quantity for stop in told.venue.beside] == [told.venue.net] == [2]

    play(story)


def test_a_stop_that_is_refused_for_ever_does_not_hold_up_the_end() -> None:
    """What becomes of it is the policy's: it was told."""

    async def story(told: Story) -> None:
        told.stops = StopTerms(policy=StopPolicy.RETRY)
        entry = await trades(told, InstrumentKind.SPOT)
        told.venue.stops.extend(["refused"] * 1000)
        told.venue.trade(entry, entry.quantity)
        await asyncio.sleep(30)
        assert await drained(told)
        assert told.venue.beside == []
        assert told.venue.net == 2

    play(story)


async def failing(told: Story) -> None:
    """Have the market fail at its next bar, and be told of it at once."""
    told.strategy.error = RuntimeError("broken")
    bars = asyncio.get_running_loop().create_task(told.bar())
    await told.reach(RunState.FAILED)
    bars.cancel()


@pytest.mark.parametrize("kind", KINDS)
def test_a_market_that_failed_leaves_no_entry(kind: InstrumentKind) -> None:
    """Its strategy is gone, and with it whoever would withdraw the order after its patience."""

    async def story(told: Story) -> None:
        await trades(told, kind)
        told.venue.cancels.extend(["lost"] * 3)
        await failing(told)
        assert len(resting(told)) == 1
        await asyncio.sleep(60)
        assert resting(told) == []

    play(story)


def test_the_end_waits_for_what_a_failed_market_withdraws() -> None:
    """It failed a moment ago, and its cancellation is under way."""

    async def story(told: Story) -> None:
        await trades(told, InstrumentKind.SPOT)
        told.venue.cancels.extend(["lost"] * 3)
        await failing(told)
        assert len(resting(told)) == 1
        assert await drained(told)
        assert resting(told) == []

    play(story)


def test_a_stopped_market_withdraws_what_a_crash_left() -> None:
    """It was told to stop and was killed before the venue heard of it."""

    async def story(told: Story) -> None:
        await trades(told, InstrumentKind.SPOT)
        told.venue.cancels.extend(["lost"] * 100)
        told.roster.command(MARKET, Command.STOP, "test")
        await asyncio.sleep(1)
        await told.floor.close()
        told.venue.cancels.clear()
        again = Story(venue=told.venue, disk=told.disk, world=told.world, specs=told.specs)
        again.strategy = told.strategy
        await again.open()
        told.floor = again.floor
        await asyncio.sleep(60)
        assert again.state is RunState.STOPPED
        assert resting(told) == []

    play(story)


async def holds(told: Story, kind: InstrumentKind) -> None:
    """Buy something in a market of that kind."""
    told.venue = BarVenue(clock=told.world.clock, kind=kind)
    told.risk = AccountRisk(Limits(leverage=None))
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net


def flatten(told: Story, fates: list[Fate]) -> None:
    """Have the kill switch close it, while the venue does that to requests."""
    told.venue.fates.extend(fates)
    told.risk.kill("news", flatten=True)
    told.floor.look_again()


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_waits_until_the_kill_switch_has_closed_all(kind: InstrumentKind) -> None:
    """Between one exit that came to nothing and the next nothing is in flight, and all is not well."""

    async def story(told: Story) -> None:
        await holds(told, kind)
        flatten(told, [Fate.LOST_BEFORE, Fate.UNMAPPED, Fate.REFUSED, Fate.REFUSED])
        assert await drained(told, 120)
        assert told.venue.net == 0
        assert not told.floor.unflattened

    play(story)


def test_the_end_waits_for_what_the_kill_switch_closes_of_a_stopped_market() -> None:
    """It has no run state to leave for it."""

    async def story(told: Story) -> None:
        await holds(told, InstrumentKind.LINEAR)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        flatten(told, [Fate.REFUSED, Fate.REFUSED])
        assert await drained(told, 120)
        assert told.venue.net == 0

    play(story)


def test_what_the_kill_switch_has_not_closed_by_the_end_is_named() -> None:
    """The venue takes no exit for longer than the end may wait."""

    async def story(told: Story) -> None:
        await holds(told, InstrumentKind.LINEAR)
        flatten(told, [Fate.REFUSED] * 100)
        assert not await drained(told)
        assert told.floor.unflattened == {MARKET: told.venue.net} == {MARKET: 2}

    play(story)


def test_what_the_kill_switch_is_to_close_is_named_also_before_the_venue_answers() -> None:
    """By the journal: no market could begin yet."""

    async def story(told: Story) -> None:
        await holds(told, InstrumentKind.LINEAR)
        assert await drained(told)
        told.venue.absences_of_instruments = 10**9
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        opening = asyncio.ensure_future(again.open())
        await asyncio.sleep(60)
        assert again.floor.waiting
        assert not again.floor.unflattened
        again.risk.kill("news", flatten=True)
        assert again.floor.unflattened == {MARKET: 2}
        opening.cancel()

    play(story)
