"""What falls on the floor besides a market's turn: the account's keeper, the errands of a start, a task for good."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import NeedsHuman
from kangbot.market.roster import Command
from kangbot.model.events import Event, Noted, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import Balance, VenuePosition
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run
from tests.support.floor_story import BarVenue, Story
from tests.support.order_disk import Disk, loop
from tests.support.trade_words import MARKET, START


@dataclass(slots=True)
class OddVenue(BarVenue):
    """A venue with a faulty adapter: `garbled` positions cannot be read, `torn` settings raise what no port allows."""

    garbled: bool = False
    torn: bool = False
    locked: bool = False  # the key is refused

    async def positions(self) -> Sequence[VenuePosition]:
        answer = await super(OddVenue, self).positions()
        return [None] if self.garbled else answer  # type: ignore[list-item]

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        if self.torn:
            raise KeyError("leverage")

    async def balances(self) -> Sequence[Balance]:
        if self.locked:
            raise NeedsHuman("the key is refused", remedy="see the venue's page of keys")
        return await super(OddVenue, self).balances()


class ClosingDisk(Disk):
    """A disk that takes no append at all any more, not even to refuse it."""

    closed = False

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        if self.closed:
            raise RuntimeError("the journal is closed")
        return super().append(*events, reserve=reserve, later=later)


def play(story: Callable[[Story, OddVenue], Coroutine[Any, Any, None]]) -> None:
    """Run `story(told, venue)` on virtual time."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START)
        venue = OddVenue(clock=clock)
        told = Story(venue=venue, disk=ClosingDisk(), world=World(clock=clock, seed=b"falls"))
        try:
            await story(told, venue)
        finally:
            await told.floor.close()

    run(main())


def test_a_market_that_cannot_be_read_takes_no_entries() -> None:
    """Whoever set hedge mode by hand has one market held, with the reason, until it is one-way again."""

    async def story(told: Story, venue: OddVenue) -> None:
        await told.live()
        told.quote()
        venue.unread = {MARKET: "it is in hedge mode"}
        told.floor.account.hurry()
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.blocked.endswith("it is in hedge mode")
        assert venue.orders == []
        venue.unread = {}
        told.floor.account.hurry()
        await asyncio.sleep(1)
        await told.bar()
        assert len(venue.orders) == 1

    play(story)


def test_an_account_that_nobody_compares_takes_no_entries() -> None:
    """The keeper falls on what it cannot read: entries wait, it is run again, and a whole round lets them through."""

    async def story(told: Story, venue: OddVenue) -> None:
        await told.live()
        told.quote()
        venue.garbled = True
        told.floor.account.hurry()
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert venue.net == 0
        assert told.task.desk.blocked.startswith("account: nobody has compared our books")
        for _ in range(3):  # far past the supervisor's intensity: it is waited out, not given up
            await told.bar()
        said = [event for event in told.disk.events if isinstance(event, Noted) and event.kind == "account.fell"]
        assert [event.severity for event in said] == ["error"], "people are told, and once"
        assert venue.net == 0
        venue.garbled = False
        await asyncio.sleep(10)
        await told.bar()
        assert venue.net == Decimal(2)

    play(story)


def test_exits_go_on_while_nobody_compares() -> None:
    """A position is closed as ever."""

    async def story(told: Story, venue: OddVenue) -> None:
        await told.wants_in()
        venue.garbled = True
        told.floor.account.hurry()
        await asyncio.sleep(1)
        told.strategy.want(0)
        await told.bar()
        assert venue.net == 0

    play(story)


def test_a_key_that_is_refused_opens_nothing() -> None:
    """It is said at once, before any market exists, with what to do."""

    async def story(told: Story, venue: OddVenue) -> None:
        venue.locked = True
        with pytest.raises(NeedsHuman, match="the key is refused"):
            await told.open()
        assert not told.floor.markets

    play(story)


def test_a_start_that_meets_a_fault_of_ours_fails_with_it() -> None:
    """An error that no port allows leaves no market STARTING for ever."""

    async def story(told: Story, venue: OddVenue) -> None:
        venue.torn = True
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == "KeyError: 'leverage'"

    play(story)


def test_a_task_that_cannot_even_fall_is_told_to_the_daemon() -> None:
    """Its supervisor itself fell: nobody would run that market again, so whoever owns the process hears of it."""

    async def story(told: Story, _venue: OddVenue) -> None:
        died: list[tuple[str, BaseException]] = []
        told.died = lambda name, error: died.append((name, error))
        await told.live()
        told.quote()
        told.disk.closed = True  # type: ignore[attr-defined]
        await told.bar()
        [(name, error)] = died
        assert name == f"floor/{MARKET}"
        assert str(error) == "the journal is closed"

    play(story)
