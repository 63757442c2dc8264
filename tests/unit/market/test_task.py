"""One market's task: its life, its falls, its orders; on virtual time, over a venue that has its own truth."""

import asyncio
import itertools
from decimal import Decimal

from structlog.testing import capture_logs

from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.model.events import BarStored, Noted, RunState, RunStateChanged
from kangbot.model.orders import OrderKind, OrderStatus, Side
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import LOOKBACK, MINUTE_NS, Story, play, spec
from tests.support.trade_words import MARKET


def states(story: Story) -> list[str]:
    """Return the run states that the journal tells, in order."""
    return [event.after.value for event in story.disk.events if isinstance(event, RunStateChanged)]


def test_a_market_is_live_only_with_its_look_back() -> None:
    """Subscribed, warmed with the venue's bars, reconciled: then it decides, on bars without a gap."""

    async def story(told: Story) -> None:
        told.feeds.up.clear()
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(3)
        assert told.state is RunState.STARTING
        told.feeds.up.set()
        await told.reach(RunState.LIVE)
        assert told.feeds.channels == [{Channel.QUOTE: None, Channel.BAR: 60}]
        for _ in range(3):
            await told.bar()
        seen = told.strategy.made[-1].opened
        assert len(seen) >= LOOKBACK + 3
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert states(told) == ["starting", "warming", "live"]
        assert sum(isinstance(event, BarStored) for event in told.disk.events) == 3
        assert told.task.strategist.decisions == 4  # once when it went live, then on each bar

    play(story)


def test_a_target_becomes_a_position_with_its_stop() -> None:
    """Entry with the stop in its request, a flip by exit and entry, flat again: the venue's truth is ours."""

    async def story(told: Story) -> None:
        await told.wants_in()
        assert told.venue.net == told.task.desk.executor.position.net == Decimal(2)
        assert told.venue.stop == Decimal(90)
        assert len(told.venue.submits) == 1
        told.strategy.want(-1, "110")
        await told.bar()
        assert told.venue.net == Decimal(-2)
        assert len(told.venue.submits) == 3
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == told.task.desk.executor.position.net == 0
        assert told.risk.total_exposure == 0

    play(story)


def test_wanting_the_same_sends_nothing_more() -> None:
    """A target that is reached is no reason for an order, bar after bar."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.strategy.want(1)
        for _ in range(5):
            await told.bar()
        assert len(told.venue.submits) == 1

    play(story)


def test_a_paused_market_manages_its_position_and_does_not_enter() -> None:
    """Exits leave, entries do not; resumed, they do."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.roster.command(MARKET, Command.PAUSE, "test")
        await told.reach(RunState.PAUSED)
        told.strategy.want(-1, "110")
        await told.bar()
        assert told.venue.net == 0
        assert told.task.desk.blocked == "paused: no entries"
        told.roster.command(MARKET, Command.RESUME, "test")
        await told.reach(RunState.LIVE)
        await told.bar()
        assert told.venue.net == Decimal(-2)

    play(story)


def test_a_stop_cancels_what_rests_and_keeps_the_books() -> None:
    """An entry that rests is cancelled, then the market is stopped; a stop that triggers later is still booked."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, style=Style(kind=OrderKind.LIMIT))]
        told.venue.market_part = Decimal(0)
        await told.wants_in()
        assert len(told.task.desk.executor.orders) == 1
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        assert told.venue.canceled
        assert told.feeds.holds[-1].closed
        assert not told.task.desk.executor.orders
        told.venue.by_hand("1")
        await asyncio.sleep(70)
        assert told.task.desk.executor.position.net == told.venue.net

    play(story)


def test_a_strategy_that_raises_falls_and_comes_back() -> None:
    """The supervisor starts it again with its books as they were."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.strategy.error, told.strategy.once = ZeroDivisionError("a fault of the strategy"), True
        await told.bar()
        await told.reach(RunState.LIVE)
        await asyncio.sleep(1)
        assert told.task.supervisor.falls == 1
        assert states(told)[-4:] == ["live", "starting", "warming", "live"]
        await told.bar()
        assert told.venue.net == Decimal(2)
        assert len(told.venue.submits) == 1

    play(story)


def test_an_entry_that_has_rested_for_long_enough_is_withdrawn_where_nobody_knows_any_more_what_it_was_for() -> None:
    """The fall has forgotten the target, and the strategy has no opinion for hours: an old entry is not filled then."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=90 * SECOND_NS))
        (entry,) = told.venue.orders
        told.strategy.error, told.strategy.once = ZeroDivisionError("a fault of the strategy"), True
        await told.bar()
        told.strategy.target = None
        await told.reach(RunState.LIVE)
        assert not entry.status.terminal
        for _ in range(2):
            await told.bar()
        assert entry.status is OrderStatus.CANCELED

    play(story)


def test_whatever_words_a_strategy_falls_by_can_be_written_down() -> None:
    """Else the journal would refuse them where nobody is left to catch it, and the daemon would end with its market."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.strategy.error, told.strategy.once = FileNotFoundError("no such file: \udcff.csv"), True
        await told.bar()
        await told.reach(RunState.LIVE)
        why = r"FileNotFoundError: no such file: \udcff.csv"
        assert why in [event.reason for event in told.disk.events if isinstance(event, RunStateChanged)]

    play(story)


def test_past_its_intensity_the_market_alone_fails() -> None:
    """FAILED with its reason; its strategy does not run, its fills are booked; an operator's start forgives."""

    async def story(told: Story) -> None:
        await told.wants_in()
        error = told.strategy.error = ZeroDivisionError("a fault of the strategy")
        with capture_logs() as logs:
            for _ in range(4):
                await told.bar()
        assert told.state is RunState.FAILED
        fell = [line for line in logs if line["event"] == "market.fell"]
        assert [line["again"] for line in fell] == [True, True, False]
        assert all(line["exc_info"] is error for line in fell), "which names the line of the strategy"
        assert "ZeroDivisionError: a fault of the strategy" in told.roster[MARKET].reason
        told.venue.by_hand("2", side=Side.SELL)
        await asyncio.sleep(70)
        assert told.task.desk.executor.position.net == told.venue.net == 0
        told.strategy.error = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)

    play(story)


def test_a_denied_topic_fails_the_market_with_the_venues_words() -> None:
    """Nobody retries what a person must change."""

    async def story(told: Story) -> None:
        told.feeds.denied = "no such topic"
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == "no such topic"
        assert told.feeds.holds[-1].closed
        assert not told.task.intake.begun

    play(story)


def test_a_size_that_no_order_is_small_enough_for_is_said_where_the_market_goes_live() -> None:
    """Once, before its strategy wants anything."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, size=Decimal("0.05"))]
        await told.open()
        told.quote()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        for _ in range(2):
            await told.bar()
        await asyncio.sleep(1)
        kinds = [event.kind for event in told.disk.events if isinstance(event, Noted)]
        assert kinds == ["market.too_small"]

    play(story)
