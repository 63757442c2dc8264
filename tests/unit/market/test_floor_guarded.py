"""A floor that sees to its stops: whatever the state of the market, with and without a strategy's word."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.machines.guard import StopPolicy, StopTerms
from kangbot.machines.plan import Style
from kangbot.market.reporting import report_of
from kangbot.market.roster import Command
from kangbot.model.events import Noted, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import OrderKind
from tests.support.floor_story import BarVenue, Story, play, spec
from tests.support.order_venue import FewBuyers
from tests.support.trade_words import MARKET, SECOND


def notes(told: Story, about: str) -> list[str]:
    """Return the kinds of the notes on disk that begin so."""
    return [event.kind for event in told.disk.events if isinstance(event, Noted) and event.kind.startswith(about)]


def requests(told: Story) -> list[str]:
    """Return the stops that the venue was asked for."""
    return [name for name, _ in told.venue.asked if name.startswith("protect")]


async def long(told: Story) -> None:
    """Be long 2 with a stop at 90."""
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()
    assert (told.venue.net, told.venue.stop) == (Decimal(2), Decimal(90))


def test_a_stop_that_somebody_took_away_is_put_back() -> None:
    """At once where the stream says so, and within a round where it does not; once told, and told when it rests."""

    async def story(told: Story) -> None:
        await long(told)
        for deaf in (False, True):
            told.venue.deaf = deaf
            told.venue.stop = None
            told.venue.push(told.venue.position())
            await asyncio.sleep(75 if deaf else 1)
            assert told.venue.stop == Decimal(90)
            told.venue.deaf = False
        assert notes(told, "stop.") == ["stop.missing", "stop.settled"] * 2
        assert report_of(told.task, told.roster[MARKET], 0, {}).unprotected == ""

    play(story)


def test_a_restart_puts_back_a_lost_stop_before_the_strategy_speaks() -> None:
    """The market is not even started: the stop comes from the journal, as soon as the venue showed that it is gone."""

    async def story(told: Story) -> None:
        await long(told)
        await told.floor.close()
        told.disk.crash()
        told.venue.stop = None
        told.feeds.up.clear()
        told.strategy.target = None
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        await again.open()
        await asyncio.sleep(2)
        assert again.task.desk.target is None
        assert again.state is RunState.STOPPED
        assert told.venue.stop == Decimal(90)
        await again.floor.close()

    play(story)


def test_a_tiny_partial_fill_has_its_stop_while_the_rest_is_open() -> None:
    """Also where the venue did not take the stop with the order."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, style=Style(kind=OrderKind.LIMIT, patience_ns=10**12))]
        told.venue.takes_stop = False
        await told.wants_in()
        order = told.venue.orders[-1]
        told.venue.trade(order, Decimal("0.001"))
        await asyncio.sleep(7)
        assert told.venue.stop == Decimal(90)
        assert not order.status.terminal

    play(story)


def test_a_stop_that_is_refused_is_tried_nearer_and_then_the_position_is_closed() -> None:
    """Nothing in silence, and nothing entered again for a while."""

    async def story(told: Story) -> None:
        told.venue.takes_stop = False
        told.venue.stops.extend(["refused"] * 3)
        await told.wants_in()
        await asyncio.sleep(10)
        assert told.venue.net == 0
        assert requests(told) == ["protect 90", "protect 95", "protect 97.5"]
        told_of = notes(told, "stop.")
        assert told_of[0] == "stop.missing"
        assert told_of.count("stop.tightened") == 2
        assert told_of[-2:] == ["stop.closing", "stop.settled"]
        sent = len(told.venue.submits)
        for _ in range(3):
            await told.bar()
        assert len(told.venue.submits) == sent
        assert told.task.desk.blocked.startswith("stop_policy: ")
        for _ in range(10):
            await told.bar()
        assert len(told.venue.submits) > sent

    play(story)


def test_a_stop_that_gets_lost_again_and_again_ends_the_position() -> None:
    """After its patience; in the meantime the report says that the position is unprotected."""

    async def story(told: Story) -> None:
        told.venue.takes_stop = False
        told.venue.stops.extend(["lost"] * 100)
        await told.wants_in()
        report = report_of(told.task, told.roster[MARKET], 0, {})
        assert report.unprotected == "the stop 90 is being set"
        await asyncio.sleep(50)
        assert told.venue.net == 0
        assert "stop.closing" in notes(told, "stop.")

    play(story)


class Coarse(FewBuyers, BarVenue):
    """Its least quantity is many steps."""

    async def instruments(self, symbols: Sequence[Any]) -> Mapping[Any, Instrument]:
        listed = await super().instruments(symbols)
        least = Decimal("0.1")
        return {symbol: msgspec.structs.replace(one, min_quantity=least) for symbol, one in listed.items()}


async def little(told: Story) -> None:
    """Be long 0.04, which no order closes, after a closing; its stop rests at 90."""
    told.stops = StopTerms(rest_ns=SECOND)
    told.venue = Coarse(clock=told.world.clock, takes_stop=False)
    told.venue.stops.extend(["refused"] * 3)
    await told.live()
    told.quote()
    told.strategy.want(1)
    await told.bar()
    for _ in range(30):
        await asyncio.sleep(0.1)
        told.quote()
    assert told.venue.net == Decimal("0.04")
    assert told.venue.stop == Decimal(90)


def test_what_no_order_closes_holds_no_market_up() -> None:
    """What is left of the closing has its stop at the venue, which closes whatever there is; then it is entered on."""

    async def story(told: Story) -> None:
        await little(told)
        assert notes(told, "stop.")[-3:] == ["stop.closing", "stop.missing", "stop.settled"]
        for _ in range(3):
            await told.bar()
        assert told.venue.net > 1

    play(story)


def test_a_restart_says_nothing_anew_of_what_no_order_closes() -> None:
    """Its price is beyond its stop, so it has none, which a former life told. Later the price is not: it has one."""

    async def story(told: Story) -> None:
        await little(told)
        told.quote("80")
        told.venue.stop = None
        told.venue.push(told.venue.position())
        await asyncio.sleep(1)
        said, asked = notes(told, "stop."), requests(told)
        assert (told.venue.stop, said[-1]) == (None, "stop.missing")
        await told.floor.close()
        told.disk.crash()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        again.stops = told.stops
        await again.open()
        await asyncio.sleep(20)
        assert (notes(again, "stop."), requests(again)) == (said, asked)
        told.venue.price = Decimal(100)
        await asyncio.sleep(30)
        assert told.venue.stop == Decimal(90)
        assert notes(again, "stop.") == [*said, "stop.settled"]
        await again.floor.close()

    play(story)


def test_a_policy_to_retry_never_closes() -> None:
    """A refused stop is offered again every few seconds, and the report says what the venue says."""

    async def story(told: Story) -> None:
        told.stops = StopTerms(policy=StopPolicy.RETRY)
        told.venue.takes_stop = False
        told.venue.stops.extend(["refused"] * 4)
        await told.wants_in()
        await asyncio.sleep(15)
        report = report_of(told.task, told.roster[MARKET], 0, {})
        assert "the venue refuses the stop 90: " in report.unprotected
        await asyncio.sleep(30)
        assert (told.venue.net, told.venue.stop) == (Decimal(2), Decimal(90))
        assert requests(told) == ["protect 90"] * 5

    play(story)


def test_a_stopped_market_is_guarded_too() -> None:
    """The price runs through a stop that is gone: the position is closed, though nobody runs the strategy."""

    async def story(told: Story) -> None:
        await long(told)
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        told.venue.stop = None
        told.quote("89")
        told.venue.push(told.venue.position())
        await asyncio.sleep(2)
        assert told.venue.net == 0
        assert "stop.closing" in notes(told, "stop.")

    play(story)
