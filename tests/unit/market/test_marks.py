"""The mark price of a market: asked for slowly, and no entry leaves far from it."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from structlog.testing import capture_logs

from kangbot.errors import RateLimited
from kangbot.market.marks import Marked
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Price
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from tests.support.floor_story import BarVenue, Story, play
from tests.support.trade_words import SECOND


async def begun(told: Story, marked: str | None) -> None:
    """Have a live market at a venue that tells this mark price, and a quote at 100."""
    told.venue.marked = None if marked is None else Decimal(marked)
    await told.live()
    told.quote()
    told.strategy.want(1)


def test_no_entry_leaves_far_from_the_mark() -> None:
    """Until the venue says another one: it is asked again within a minute."""

    async def story(told: Story) -> None:
        await begun(told, "110")
        await told.bar()
        assert told.task.desk.blocked.startswith("mark_distance: price 100 is 9.09 % from the mark 110")
        assert not told.venue.net
        told.venue.marked = Decimal(101)
        for _ in range(2):
            await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_a_venue_that_does_not_tell_holds_nothing_up() -> None:
    """Nor does what it told a while ago; it is asked once a minute, whatever it answers."""

    async def story(told: Story) -> None:
        await begun(told, None)
        await told.bar()
        assert told.venue.net == Decimal(2)
        told.strategy.want(0)
        told.venue.marked = Decimal(110)
        for _ in range(2):
            await told.bar()
        assert not told.venue.net
        told.venue.marked = None
        asked = told.venue.marks
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.blocked.startswith("mark_distance: ")
        for _ in range(4):
            await told.bar()
        assert told.venue.net == Decimal(2)
        assert 4 <= told.venue.marks - asked <= 6

    play(story)


def test_a_venue_that_does_not_tell_is_said_once() -> None:
    """Not every minute of a day."""

    async def story(told: Story) -> None:
        with capture_logs() as logs:
            await begun(told, None)
            for _ in range(4):
                await told.bar()
        assert told.venue.marks >= 3
        assert [entry["event"] for entry in logs].count("market.no_mark") == 1

    play(story)


def test_a_market_where_nothing_happens_asks_all_the_same() -> None:
    """Once a minute, of itself: one answer may be missed before its next entry is held against nothing."""

    async def story(told: Story) -> None:
        await begun(told, "100")
        asked = told.venue.marks
        await asyncio.sleep(605)
        assert told.venue.marks - asked == 10

    play(story)


@dataclass(slots=True)
class SpoilingVenue(BarVenue):
    """Before its first mark price, something else comes that has the market's turn fall."""

    told: Story | None = None

    async def mark(self, instrument: Instrument) -> Price | None:
        if self.told is not None:
            self.told.task.inbox.put(object())
            self.told = None
        return await super(SpoilingVenue, self).mark(instrument)


def test_an_answer_that_was_lost_with_a_turn_is_asked_for_again() -> None:
    """A market that waits for it for ever would hold its entries against nothing from then on."""

    async def story(told: Story) -> None:
        told.venue = SpoilingVenue(clock=told.world.clock, told=told)
        told.venue.marked = Decimal(110)
        await told.live()
        for _ in range(2):
            await told.bar()
        assert told.task.supervisor.falls == 1
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.blocked.startswith("mark_distance: price 100 is 9.09 % from the mark 110")

    play(story)


def test_a_venue_that_asks_to_be_left_alone_is() -> None:
    """The pause is the market data's; orders do not wait for it."""

    async def story(told: Story) -> None:
        told.venue.no_mark = RateLimited("slow down", retry_after_ns=5 * SECOND)
        with capture_logs() as logs:
            await begun(told, None)
        assert [line["for_s"] for line in logs if line["event"] == "budget.paused"] == [5.0]
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_nobody_asks_for_a_mark_that_nothing_is_held_against() -> None:
    """A spot pair has none, a stopped market enters nothing, a limit may be off, and a venue may not tell."""

    async def story(told: Story) -> None:
        await told.open()
        await asyncio.sleep(120)
        assert told.venue.marks == 0

    async def without(told: Story) -> None:
        told.risk = AccountRisk(Limits(leverage=None, mark_distance_percent=None))
        await begun(told, "110")
        await told.bar()
        assert (told.venue.marks, told.venue.net) == (0, Decimal(2))

    async def elsewhere(told: Story) -> None:
        told.venue.tells_mark = False
        await begun(told, "110")
        await told.bar()
        assert (told.venue.marks, told.venue.net) == (0, Decimal(2))

    async def of_coins(told: Story) -> None:
        told.venue = BarVenue(clock=told.world.clock, kind=InstrumentKind.SPOT)
        await begun(told, "110")
        await told.bar()
        assert told.venue.marks == 0
        told.task.inbox.put(Marked(None))
        await told.bar()

    for each in (story, without, elsewhere, of_coins):
        play(each)
