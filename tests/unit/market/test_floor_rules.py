"""A venue changes its rules while the daemon runs: orders and stops fit the new ones."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.errors import Refused
from kangbot.model.events import Noted, OrderIntended, RunState
from kangbot.model.market import Instrument
from tests.support.floor_story import BarVenue, Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import instrument


@dataclass(slots=True)
class Lawgiver(BarVenue):
    """Its rules are what the test says; None: the market is listed no more."""

    rules: Instrument | None = field(default_factory=instrument)
    no_rules: Exception | None = None
    looks: int = 0

    async def instruments(self, symbols: Sequence[Any]) -> Mapping[Any, Instrument]:
        self.looks += 1
        if self.no_rules is not None:
            raise self.no_rules
        return {} if self.rules is None else {self.rules.symbol: self.rules}


WIDER = msgspec.structs.replace(
    instrument(), tick=Decimal(7), step=Decimal("0.3"), min_quantity=Decimal("0.3"), min_notional=Decimal(6)
)


def ruled(told: Story) -> Lawgiver:
    """Have the story take place at such a venue."""
    venue = told.venue = Lawgiver(clock=told.world.clock)
    return venue


def intended(told: Story) -> list[tuple[Decimal, Decimal | None]]:
    """Return quantity and stop of each order, in order."""
    return [
        (event.intent.quantity, event.intent.stop) for event in told.disk.events if isinstance(event, OrderIntended)
    ]


def changes(told: Story) -> list[str]:
    """Return what was noted of changed rules."""
    return [
        event.message for event in told.disk.events if isinstance(event, Noted) and event.kind == "market.rules_changed"
    ]


def test_what_comes_an_hour_later_fits_the_rules_of_then() -> None:
    """Quantity and stop alike; it is told once, with what was and what is."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        venue.rules = WIDER
        await asyncio.sleep(2 * 3600)
        told.strategy.want(1)
        await told.bar()
        assert intended(told) == [(Decimal("1.8"), Decimal(91))]
        assert told.task.desk.position.net == Decimal("1.8")
        assert changes(told) == [
            "the venue's rules changed: tick 0.1 → 7, step 0.001 → 0.3, least quantity 0.001 → 0.3, least value 5 → 6"
        ]
        assert venue.looks == 3

    play(story)


def test_a_refusal_has_them_asked_for_at_once() -> None:
    """The exit that the venue will not have is followed by one that fits; refusals that go on ask no more often."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.position.net == 2
        await asyncio.sleep(300)
        venue.rules = WIDER
        venue.fates = deque([Fate.REFUSED])
        told.strategy.want(0)
        await told.bar()
        assert venue.looks == 2
        await told.bar()
        assert [quantity for quantity, _ in intended(told)] == [Decimal(2), Decimal(2), Decimal("1.8")]
        told.strategy.want(1)
        venue.fates = deque([Fate.REFUSED])
        await told.bar()
        assert venue.looks == 2

    play(story)


def test_a_venue_that_does_not_tell_leaves_the_rules_as_they_were() -> None:
    """Whether it refuses the question or lists the market no more; trading goes on, and it is asked again."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        venue.no_rules = Refused("not today")
        await asyncio.sleep(3700)
        assert venue.looks == 2
        venue.no_rules, venue.rules = None, None
        await asyncio.sleep(3600)
        assert venue.looks == 3
        assert told.state is RunState.LIVE
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.position.net == 2
        assert changes(told) == []

    play(story)
