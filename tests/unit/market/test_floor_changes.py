"""A running floor takes an edit: markets join, leave and change, each when it may."""

import asyncio
import itertools
from decimal import Decimal

import msgspec
import pytest

from kangbot.editing import spec_of
from kangbot.errors import Refused
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import BarStored, OrderIntended, RoundTripClosed, RunState
from kangbot.model.ids import MarketId
from kangbot.model.orders import OrderKind, OrderStatus
from kangbot.model.target import Target
from kangbot.runtime.world import SECOND_NS
from kangbot.settings import Settings
from kangbot.settings.trading import Defaults, Market
from kangbot.strategy.base import View
from tests.support.floor_story import LOOKBACK, MINUTE_NS, Closes, Steered, Story, bar_at, play, spec
from tests.support.trade_words import MARKET, instrument


class Wide(Steered):
    """Looks at more than the newest bar."""

    name = "wide"
    bars_kept = LOOKBACK
    __slots__ = ("looked",)

    def decide(self, view: View[Closes]) -> Target | None:
        self.looked = len(view.bars)
        return super().decide(view)


def change(story: Story, **parts: object) -> None:
    """Apply a change as an edit does."""
    story.floor.change(**{"joins": (), "leaves": (), "changes": (), "caller": "edit", **parts})  # type: ignore[arg-type]


def kinds(story: Story) -> list[str]:
    """Return of what kind each order was, in order."""
    return [event.intent.kind.value for event in story.disk.events if isinstance(event, OrderIntended)]


def test_another_strategy_decides_from_the_next_bar_on() -> None:
    """Until then the old one does; afterwards the market is prepared anew, and no bar is lost to the history."""

    async def story(told: Story) -> None:
        await told.live()
        other = Steered()
        change(told, changes=[spec(other)])
        assert told.state is RunState.LIVE
        assert not other.made
        stored = sum(isinstance(record.event, BarStored) for record in told.disk.records)
        await told.bar()
        await told.reach(RunState.LIVE)
        assert len(other.made[-1].opened) >= LOOKBACK
        assert sum(isinstance(record.event, BarStored) for record in told.disk.records) == stored + 1
        other.want(1)
        await told.bar()
        assert told.task.desk.position.net > 0

    play(story)


def test_of_bars_that_close_in_one_turn_the_new_strategy_sees_each_once_and_in_order() -> None:
    """The first brings the edit to bear; the others come with the history that the market is prepared with."""

    async def story(told: Story) -> None:
        await told.live()
        other = Steered()
        change(told, changes=[spec(other)])
        now_ns = told.world.clock.now_ns()
        close_ns = (now_ns // MINUTE_NS + 3) * MINUTE_NS
        told.venue.hidden_bars = 9  # it is late with all of them
        await asyncio.sleep((close_ns - now_ns) / SECOND_NS)
        told.venue.hidden_bars = 0
        for back in (3, 2, 1):
            told.task.inbox.offer(bar_at(close_ns - back * MINUTE_NS), 1)
        await told.bar()
        seen = other.made[-1].opened
        assert [later - earlier for earlier, later in itertools.pairwise(seen)] == [MINUTE_NS] * (len(seen) - 1)
        assert seen[-1] == close_ns

    play(story)


def test_an_edit_builds_on_one_that_waits_for_its_bar() -> None:
    """Its size is changed once more while another strategy waits, which is not forgotten over that."""

    async def story(told: Story) -> None:
        await told.live()
        other = Steered()
        change(told, changes=[spec(other)])
        await asyncio.sleep(1)
        assert told.task.spec.strategy is told.strategy
        change(told, changes=[msgspec.structs.replace(told.task.wanted, size=Decimal(400))])
        await told.bar()
        await told.reach(RunState.LIVE)
        assert (told.task.spec.strategy, told.task.spec.size) == (other, Decimal(400))

    play(story)


def test_another_size_waits_for_the_next_entry() -> None:
    """What is held is not grown or shrunk by an edit."""

    async def story(told: Story) -> None:
        await told.live()
        told.strategy.want(1)
        await told.bar()
        held = told.task.desk.position.net
        assert held
        change(told, changes=[msgspec.structs.replace(told.task.spec, size=Decimal(400))])
        await told.bar()
        await told.bar()
        assert told.task.desk.position.net == held
        assert told.state is RunState.LIVE
        told.strategy.want(0)
        await told.bar()
        assert not told.task.desk.position.net
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.position.net == 2 * held

    play(story)


def test_an_order_under_way_keeps_the_size_that_it_was_placed_with() -> None:
    """The edit waits for its end."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=10**15))
        change(told, changes=[msgspec.structs.replace(told.task.spec, size=Decimal(400))])
        await told.bar()
        assert [order.status for order in told.venue.orders] == [OrderStatus.ACKED]
        assert told.task.spec.size == Decimal(200)
        told.strategy.want(0)
        await told.bar()
        assert told.venue.orders[0].status.terminal
        await told.bar()
        assert told.task.spec.size == Decimal(400)

    play(story)


def test_an_edit_starts_no_market_that_is_stopped() -> None:
    """It is traded so from its next start on."""

    async def story(told: Story) -> None:
        await told.live()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        other, subscribed = Steered(), len(told.feeds.holds)
        change(told, changes=[spec(other, leverage=3)])
        await asyncio.sleep(70)
        assert (told.state, len(told.feeds.holds), told.task.supervisor.falls) == (RunState.STOPPED, subscribed, 0)
        assert not other.made
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        assert len(other.made[-1].opened) >= LOOKBACK
        assert told.venue.leverage == 3

    play(story)


def test_another_strategy_has_its_own_name_and_as_many_bars_as_it_asks_for() -> None:
    """Round trips that are closed from then on are its own."""

    async def story(told: Story) -> None:
        await told.live()
        other = Wide()
        change(told, changes=[spec(other)])
        await told.bar()
        await told.reach(RunState.LIVE)
        await told.bar()
        assert other.looked == LOOKBACK
        for exposure in (1, 0):
            other.want(exposure)
            await told.bar()
        (trip,) = [event for event in told.disk.events if isinstance(event, RoundTripClosed)]
        assert trip.strategy == "wide"

    play(story)


def test_another_kind_of_order_waits_for_the_next_entry() -> None:
    """As the configuration has it; it is not prepared anew for it, and what is held leaves as it was meant to."""

    async def story(told: Story) -> None:
        await told.live()
        told.strategy.want(1)
        await told.bar()
        assert told.task.desk.position.net
        market = Settings(
            defaults=Defaults(entry_order="limit", exit_order="limit", order_patience_s=86_400),
            markets=(Market(symbol=told.task.spec.symbol),),
        ).trading[0]
        change(told, changes=[msgspec.structs.replace(told.task.spec, style=spec_of(market).style)])
        told.strategy.want(0)
        await told.bar()
        assert not told.task.desk.position.net
        assert kinds(told) == ["market", "market"]
        await told.bar()
        assert told.state is RunState.LIVE
        assert len(told.strategy.made) == 1
        told.strategy.want(1)
        await told.bar()
        assert kinds(told)[2] == "limit"
        assert told.task.desk.spec.style.patience_ns == 86_400 * SECOND_NS

    play(story)


def test_another_leverage_is_set_at_the_venue_before_the_next_entry() -> None:
    """A flat market is prepared anew at once; one that holds something keeps what it has."""

    async def story(told: Story) -> None:
        await told.live()
        change(told, changes=[msgspec.structs.replace(told.task.spec, leverage=3)])
        told.task.inbox.put(Command.RESUME)
        await told.reach(RunState.STARTING)
        await told.reach(RunState.LIVE)
        assert told.task.spec.leverage == 3
        assert told.venue.leverage == 3

    play(story)


def test_a_market_that_leaves_keeps_its_position_its_books_and_what_was_wanted_of_it() -> None:
    """It stops as by `stop`, nobody can start it, and when it is back it goes on."""

    async def story(told: Story) -> None:
        await told.live()
        told.strategy.want(1)
        await told.bar()
        held = told.task.desk.position.net
        change(told, leaves=[MARKET])
        await told.reach(RunState.STOPPED)
        assert told.task.desk.position.net == held
        assert told.task.desk.executor.stop == Decimal(90)
        with pytest.raises(Refused, match="no longer in the configuration; put it back there"):
            told.roster.command(MARKET, Command.START, "test")
        await told.roster.start_all("test")
        assert told.state is RunState.STOPPED
        change(told, joins=[(msgspec.structs.replace(told.task.spec, size=Decimal(50)), None)])
        await told.reach(RunState.LIVE)
        assert told.task.desk.position.net == held

    play(story)


def test_a_market_joins_a_floor_that_runs() -> None:
    """Its rules are asked for first; then it is prepared and trades, while the others go on."""

    async def story(told: Story) -> None:
        await told.live()
        rules = (await told.floor.instruments([instrument().symbol]))[instrument().symbol]
        name, strategy = MarketId("bybit:OTHER"), Steered()
        joined = msgspec.structs.replace(told.task.spec, market=name, strategy=strategy)
        change(told, joins=[(joined, msgspec.structs.replace(rules, market=name))])
        async with asyncio.timeout(120):
            await told.roster.reached([name], RunState.LIVE)
        assert len(strategy.made[-1].opened) >= LOOKBACK
        assert told.state is RunState.LIVE
        assert len(told.strategy.made) == 1

    play(story)


def test_what_a_hand_traded_before_a_market_joined_is_known_in_the_first_life_too() -> None:
    """The journal is older than the market: the position is somebody's, and no riddle for a person."""

    async def story(told: Story) -> None:
        (joins,) = told.specs
        told.specs = [msgspec.structs.replace(joins, market=MarketId("bybit:OTHER"), strategy=Steered())]
        await told.open()
        await asyncio.sleep(10)
        told.venue.by_hand("3")
        await asyncio.sleep(10)
        rules = (await told.floor.instruments([instrument().symbol]))[instrument().symbol]
        change(told, joins=[(joins, rules)])
        await told.reach(RunState.LIVE)
        await asyncio.sleep(120)
        executor = told.task.desk.executor
        assert (executor.quarantine, executor.position.net, executor.holding.by_hand) == ("", Decimal(3), Decimal(3))

    play(story)
