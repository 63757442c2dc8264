"""A floor whose kill switch is set: entries withdrawn, positions kept or closed, whatever the market's state."""

import asyncio
from decimal import Decimal

from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import RunState
from kangbot.model.orders import Fill, Intent, OrderKind
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET


def kill(told: Story, *, flatten: bool = False) -> None:
    """Set the switch as `market/killswitch.py` does."""
    told.risk.kill("news", flatten=flatten)
    told.floor.look_again()


def test_entries_that_rest_are_cancelled_and_none_follows() -> None:
    """Bar after bar the strategy wants in; after the release it may."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT))
        assert len(told.venue.submits) == 1
        kill(told)
        await asyncio.sleep(1)
        assert [order.status.terminal for order in told.venue.orders] == [True]
        for _ in range(2):
            await told.bar()
        assert len(told.venue.submits) == 1
        assert told.task.desk.blocked == "kill_switch: news"
        told.risk.release()
        await told.bar()
        assert len(told.venue.submits) == 2

    play(story)


def test_an_entry_that_is_not_sent_yet_stays_here() -> None:
    """Its intent is on its way to the disk when the switch is set: nothing reaches the venue."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        told.venue.before_submit = lambda _: None
        task = asyncio.ensure_future(told.bar())
        while not told.task.desk.executor.orders:
            await asyncio.sleep(0.0002)  # the disk takes a millisecond
        kill(told)
        await task
        assert told.venue.submits == []
        assert told.task.desk.executor.counts.withheld == 1

    play(story)


def test_positions_keep_their_stops_unless_they_are_to_be_closed() -> None:
    """The switch alone leaves a position to its strategy and its stop; flattening closes it, once."""

    async def story(told: Story) -> None:
        await told.wants_in()
        kill(told)
        await told.bar()
        assert (told.venue.net, told.venue.stop) == (Decimal(2), Decimal(90))
        kill(told, flatten=True)
        await asyncio.sleep(1)
        assert told.venue.net == 0
        await told.bar()
        assert len(told.venue.submits) == 2
        told.risk.release()
        told.floor.look_again()
        await asyncio.sleep(1)
        assert len(told.venue.submits) == 2  # the strategy decides anew, on its next bar
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_flattening_closes_a_contract_whole() -> None:
    """A venue nets what somebody holds by hand with ours: an emergency leaves none of it, ours or not."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.by_hand("3")
        await asyncio.sleep(1)
        assert told.venue.net == Decimal(5)
        assert told.task.desk.position.net == Decimal(2)
        kill(told, flatten=True)
        await asyncio.sleep(1)
        assert told.venue.net == 0

    play(story)


def test_flattening_closes_what_is_somebodys_alone() -> None:
    """Also where nothing of the position is the daemon's."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.venue.by_hand("3")
        await asyncio.sleep(1)
        kill(told)
        await asyncio.sleep(1)
        assert told.venue.net == Decimal(3)
        kill(told, flatten=True)
        await asyncio.sleep(1)
        assert told.venue.net == 0

    play(story)


def test_flattening_reaches_a_market_that_is_stopped() -> None:
    """It has no feed and perhaps no quote after a restart: its position is closed at the market all the same."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        assert told.venue.net == Decimal(2)
        told.task.inbox.quote = None
        kill(told, flatten=True)
        await asyncio.sleep(1)
        assert told.venue.net == 0
        assert told.state is RunState.STOPPED

    play(story)


def test_flattening_goes_on_until_flat_whatever_the_venue_answers() -> None:
    """Lost before and after it arrived, then an error that no table names: closed once, and never turned around."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.fates.extend([Fate.LOST_BEFORE, Fate.UNMAPPED, Fate.LOST_AFTER])
        kill(told, flatten=True)
        await asyncio.sleep(60)
        assert told.venue.net == told.task.desk.executor.position.net == 0

    play(story)


def test_flattening_closes_what_an_order_had_owed_once_a_person_has_looked() -> None:
    """The venue says that the entry is filled and never tells the fills: nothing leaves before the release."""

    async def story(told: Story) -> None:
        await told.live()

        def forget() -> None:
            told.venue.hidden += sum(fill.signed for fill in told.venue.fills)
            told.venue.fills.clear()

        def submitted(_: Intent) -> None:
            asyncio.get_running_loop().call_later(told.venue.answer_s, forget)

        told.venue.unsaid, told.venue.before_submit = (Fill,), submitted
        told.strategy.want(1)
        for _ in range(5):
            await told.bar()
        told.venue.unsaid, told.venue.before_submit = (), None
        executor = told.task.desk.executor
        assert executor.quarantine.endswith("kangbot journal rebuild")
        assert executor.position.net == 0
        await told.floor.release(MARKET, "anna").wait()
        for _ in range(3):
            await told.bar()
        assert executor.position.net == told.venue.net == 2
        kill(told, flatten=True)
        await asyncio.sleep(5)
        assert executor.position.net == told.venue.net == 0

    play(story)
