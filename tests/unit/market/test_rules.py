"""A venue changes its rules while the daemon runs: orders and stops fit the new ones."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kangbot.errors import Refused
from kangbot.machines.faults import Operation
from kangbot.market.rules import Rules, difference
from kangbot.model.events import Noted, OrderIntended, RunState
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.market import Instrument
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import BarVenue, Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET, instrument


@dataclass(slots=True)
class Lawgiver(BarVenue):
    """Its rules are what the test says; None: the market is listed no more."""

    rules: Instrument | None = field(default_factory=instrument)
    no_rules: Exception | None = None
    looked: list[tuple[int, tuple[Any, ...]]] = field(default_factory=list)  # when, and at which

    @property
    def looks(self) -> int:
        return len(self.looked)

    async def instruments(self, symbols: Sequence[Any]) -> Mapping[Any, Instrument]:
        self.looked.append((self.clock.now_ns(), tuple(symbols)))
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
        assert told.task.instrument.tick == told.task.strategist.instrument.tick == 7, "what a strategy sees"

    play(story)


def test_a_market_that_is_traded_no_more_is_told_once() -> None:
    """And once when it is again; a venue that does not say is no evidence."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        venue.no_rules = Refused("not now")
        await asyncio.sleep(3601)
        assert (venue.looks, listings(told)) == (2, [])
        venue.no_rules, venue.rules = None, None
        await asyncio.sleep(3 * 3600)
        assert listings(told) == ["market.unlisted"]
        assert told.floor.unlisted == [instrument().symbol]
        venue.rules = instrument()
        await asyncio.sleep(2 * 3600)
        assert listings(told) == ["market.unlisted", "market.listed"]
        assert told.floor.unlisted == []

    play(story)


def listings(told: Story) -> list[str]:
    """Return what was noted of whether the venue trades the market."""
    kinds = [event.kind for event in told.disk.events if isinstance(event, Noted)]
    return [kind for kind in kinds if kind in ("market.unlisted", "market.listed")]


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
        assert [quantity for quantity, _ in intended(told)] == [Decimal(2), Decimal(2), Decimal("1.8")], "at once"
        told.strategy.want(1)
        venue.fates = deque([Fate.REFUSED])
        await told.bar()
        assert venue.looks == 2

    play(story)


def test_what_is_too_small_for_the_old_rules_enters_as_soon_as_the_new_ones_are_known() -> None:
    """Nobody waits for the next bar, which may be a day away."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        venue.rules = msgspec.structs.replace(instrument(), min_quantity=Decimal(3))
        await told.live()
        told.strategy.want(1)
        await told.bar()
        assert not told.venue.net
        assert venue.looks == 1
        venue.rules = instrument()
        while venue.looks == 1:
            told.quote()
            await asyncio.sleep(1)
        await asyncio.sleep(0.5)
        assert told.venue.net == 2

    play(story)


def test_an_exit_that_is_refused_on_and_on_looks_again_after_ten_seconds() -> None:
    """New rules may be told later than they are obeyed, and nobody may wait for minutes to close a position."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        told.strategy.want(1)
        await told.bar()
        venue.fates = deque([Fate.REFUSED] * 8)
        told.strategy.want(0)
        await told.bar()
        await asyncio.sleep(40)
        assert told.task.desk.position.net == 0
        looks = [at_ns for at_ns, _ in venue.looked[1:]]
        assert len(looks) >= 3
        assert all(after - before >= 10 * SECOND_NS for before, after in pairwise(looks))
        assert looks[1] - looks[0] < 11 * SECOND_NS

    play(story)


def test_only_the_market_that_was_refused_is_asked_for() -> None:
    """A venue tells one market's rules at a fraction of what the list of all costs; the beat asks for every one."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        other = msgspec.structs.replace(instrument(), market=MarketId("bybit:ETH/USDT:USDT"), symbol=Symbol("ETH"))
        rules = Rules(
            told.gateway(venue, told.feeds),
            clock=venue.clock,
            draw=lambda: 0.0,
            known=lambda: [instrument(), other],
            changed=lambda _rules: None,
            beat_s=3600,
            pause_s=300,
            exit_pause_s=10,
        )
        tasks = Tasks("test", lambda _name, _error: None)
        tasks.spawn("rules", rules.run())
        venue.looked.clear()
        rules.ended(other.market, Operation.PROTECT, Refused("a price that does not fit"))
        await asyncio.sleep(3610)
        await tasks.aclose()
        assert (other.symbol,) in [symbols for _, symbols in venue.looked]
        assert (instrument().symbol, other.symbol) in [symbols for _, symbols in venue.looked]
        assert len(venue.looked) == 3  # of which one is the floor's own

    play(story)


@pytest.mark.parametrize("fate", [Fate.BROKE, Fate.LIMITED, Fate.MISSTAMPED, Fate.TWICE])
def test_what_no_rule_would_change_asks_for_none(fate: Fate) -> None:
    """No funds, too many requests, a stamp, an order that is there already."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        venue.fates = deque([fate] * 5)
        told.strategy.want(1)
        await told.bar()
        assert venue.looks == 1

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


def test_an_exit_that_no_rule_is_the_reason_of_has_them_asked_for_less_and_less_often() -> None:
    """It may be for days: in the end as for an entry. After one that is taken, or other rules, soon again."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        known = [instrument()]
        rules = Rules(
            told.gateway(venue, told.feeds),
            clock=venue.clock,
            draw=lambda: 0.0,
            known=lambda: known,
            changed=lambda rule: known.__setitem__(0, rule),
            beat_s=10**6,
            pause_s=300,
            exit_pause_s=10,
        )
        tasks = Tasks("test", lambda _name, _error: None)
        tasks.spawn("rules", rules.run())

        async def looks(seconds: int) -> list[int]:
            """Return the waits between the looks while exits and stops are refused for so long."""
            venue.looked.clear()
            for number in range(seconds):
                operation = Operation.EXIT if number % 2 else Operation.PROTECT
                rules.ended(MARKET, operation, Refused("reducing alone is not the reason"))
                await asyncio.sleep(1)
            times = [at_ns for at_ns, _ in venue.looked]
            return [(after - before) // SECOND_NS for before, after in pairwise(times)]

        waits = await looks(2400)
        assert waits[0] == 10
        assert waits == sorted(waits)
        assert waits[-1] == 300
        assert len(waits) < 13
        rules.ended(MARKET, Operation.EXIT, None)
        assert max((await looks(400))[:2]) <= 11
        await looks(600)
        venue.rules = WIDER
        await asyncio.sleep(300)
        assert max((await looks(100))[:2]) <= 11
        await tasks.aclose()

    play(story)


def test_each_refusal_of_what_has_a_price_or_a_quantity_has_them_asked_for() -> None:
    """Of nothing else; and an entry that is taken says nothing of the exit that is refused on and on."""

    async def story(told: Story) -> None:
        venue = ruled(told)
        await told.live()
        rules = Rules(
            told.gateway(venue, told.feeds),
            clock=venue.clock,
            draw=lambda: 0.0,
            known=lambda: [instrument()],
            changed=lambda _rules: None,
            beat_s=10**6,
            pause_s=300,
            exit_pause_s=10,
        )
        tasks = Tasks("test", lambda _name, _error: None)
        tasks.spawn("rules", rules.run())

        async def looks(operation: Operation, wait_s: int = 400) -> bool:
            """Return whether a refusal of it has them asked for, long after the last time."""
            await asyncio.sleep(wait_s)
            venue.looked.clear()
            rules.ended(MARKET, operation, Refused("it does not fit"))
            await asyncio.sleep(1)
            return bool(venue.looked)

        asked = {operation for operation in Operation if await looks(operation)}
        assert asked == {Operation.ENTRY, Operation.EXIT, Operation.PROTECT}
        for operation in (Operation.EXIT, Operation.PROTECT):
            rules.ended(MARKET, operation, None)
        assert await looks(Operation.EXIT)
        await asyncio.sleep(40)  # it has lasted for so long
        assert await looks(Operation.EXIT, wait_s=2)
        rules.ended(MARKET, Operation.ENTRY, None)
        assert not await looks(Operation.EXIT, wait_s=15)
        rules.ended(MARKET, Operation.EXIT, None)
        assert await looks(Operation.EXIT, wait_s=15)
        await tasks.aclose()

    play(story)


def test_what_is_different_is_told_in_words() -> None:
    """And nothing of what is not."""
    after = msgspec.structs.replace(WIDER, tick=instrument().tick, max_quantity=Decimal(9), min_notional=Decimal(5))
    assert difference(instrument(), after) == (
        "step 0.001 → 0.3, least quantity 0.001 → 0.3, largest quantity None → 9"
    )
    assert difference(after, after) == ""
