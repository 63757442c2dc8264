"""A strategy that decides on each new quote, beside those that decide on closed bars alone."""

import asyncio

import msgspec

from kangbot.market.roster import Command
from kangbot.model.events import RunState
from kangbot.model.target import Target
from kangbot.strategy.base import View
from tests.support.floor_story import Closes, Steered, Story, play, spec
from tests.support.trade_words import MARKET, dec


class Quick(Steered):
    """Buys below 100, and notes what it saw."""

    decides_on_quotes = True
    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def decide(self, view: View[Closes]) -> Target | None:
        if view.quote is None:
            return None
        self.seen.append(str(view.quote.bid))
        cheap = view.quote.ask < 100
        return Target(exposure=dec(int(cheap)), stop=dec(90) if cheap else None, reason="the price")


def test_it_decides_as_soon_as_the_price_is_there() -> None:
    """Between two bars; of quotes that come in one turn the newest is seen, once."""

    async def story(told: Story) -> None:
        strategy = Quick()
        told.specs = [spec(strategy)]
        await told.live()
        await told.bar()
        before = len(strategy.seen)
        for price in ("101", "100", "99"):
            told.quote(price)
        await asyncio.sleep(1)
        assert strategy.seen[before:] == ["99"]
        assert told.task.desk.position.net > 0
        told.quote("101")
        await asyncio.sleep(1)
        assert strategy.seen[-1] == "101"
        assert told.task.desk.position.net == 0

    play(story)


def test_a_paused_market_is_managed_by_its_quotes() -> None:
    """It leaves by the next one, not only once a bar closes."""

    async def story(told: Story) -> None:
        told.specs = [spec(Quick())]
        await told.live()
        await told.bar()
        told.quote("99")
        await asyncio.sleep(1)
        assert told.task.desk.position.net > 0
        told.roster.command(MARKET, Command.PAUSE, "test")
        await told.reach(RunState.PAUSED)
        told.quote("101")
        await asyncio.sleep(1)
        assert told.task.desk.position.net == 0

    play(story)


def test_only_who_may_decide_at_any_moment_is_eager() -> None:
    """On bars of minutes nothing is decided between two closes, so the feeds may take their time."""

    async def story(told: Story) -> None:
        told.specs = [spec(Steered())]
        await told.live()
        assert told.feeds.eager == [False]

    async def quick(told: Story) -> None:
        told.specs = [spec(Quick())]
        await told.live()
        assert told.feeds.eager == [True]

    play(story)
    play(quick)
    assert msgspec.structs.replace(spec(Steered()), timeframe_s=30).eager


def test_a_market_that_stands_still_is_not_woken() -> None:
    """Nor is one whose strategy looks at bars: its quotes cost no turn."""

    async def story(told: Story) -> None:
        strategy = Quick()
        told.specs = [spec(strategy)]
        await told.live()
        await told.bar()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        await asyncio.sleep(1)
        seen, turns = len(strategy.seen), told.task.inbox.turns
        told.quote("99")
        await asyncio.sleep(0.1)
        assert (len(strategy.seen), told.task.inbox.turns) == (seen, turns)

    async def of_bars(told: Story) -> None:
        await told.live()
        await told.bar()
        decisions, turns = told.task.strategist.decisions, told.task.inbox.turns
        told.quote("99")
        await asyncio.sleep(0.1)
        assert (told.task.strategist.decisions, told.task.inbox.turns) == (decisions, turns)

    play(story)
    play(of_bars)
