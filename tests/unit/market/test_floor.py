"""A floor of one market: its life, its falls, its orders; on virtual time, over a venue that has its own truth."""

import asyncio
import itertools
from decimal import Decimal

import pytest

from kangbot.errors import NeedsHuman
from kangbot.machines.plan import Style
from kangbot.market.reporting import report_of
from kangbot.market.roster import Command
from kangbot.model.events import BarStored, Desired, Noted, RunState, RunStateChanged
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.orders import OrderKind, Side
from kangbot.ports import Channel, Topic
from tests.support.floor_story import LOOKBACK, MINUTE_NS, Steered, Story, bar_at, play, spec
from tests.support.trade_words import MARKET, instrument


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


class FarSighted(Steered):
    """Looks back further than the venue tells at once."""

    @property
    def lookback(self) -> int:
        return 1_200


def test_a_long_look_back_is_fetched_whole() -> None:
    """As that of an average of 300 bars is; the market is live with all of them."""

    async def story(told: Story) -> None:
        told.strategy = FarSighted()
        told.specs = [spec(told.strategy)]
        await told.live()
        assert len(told.strategy.made[-1].opened) >= 1_200

    play(story)


def test_bars_that_are_not_there_yet_are_asked_for_again() -> None:
    """The venue's history ends too early: the market keeps warming until it does not."""

    async def story(told: Story) -> None:
        told.venue.hidden_bars = 2
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(10)
        assert told.state is RunState.WARMING
        assert told.venue.fetches > 2
        told.venue.hidden_bars = 0
        await told.reach(RunState.LIVE)

    play(story)


def test_a_bar_that_history_may_still_change_is_not_decided_on() -> None:
    """A market that begins right after a bar's end takes it from the stream, or once the venue has made it final."""

    async def story(told: Story) -> None:
        now_ns = told.world.clock.now_ns()
        await asyncio.sleep((MINUTE_NS - now_ns % MINUTE_NS) / 1e9)
        closed_ns = told.world.clock.now_ns() - MINUTE_NS
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(1)
        assert told.state is RunState.WARMING
        await told.reach(RunState.LIVE)
        assert told.strategy.made[-1].opened[-1] == closed_ns
        assert told.world.clock.now_ns() - closed_ns - MINUTE_NS >= 5e9

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


def test_past_its_intensity_the_market_alone_fails() -> None:
    """FAILED with its reason; its strategy does not run, its fills are booked; an operator's start forgives."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.strategy.error = ZeroDivisionError("a fault of the strategy")
        for _ in range(4):
            await told.bar()
        assert told.state is RunState.FAILED
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

    play(story)


def test_a_hole_in_the_stream_is_filled_before_the_strategy_sees_the_next_bar() -> None:
    """The topic falls silent for three minutes and comes back: the bars between are fetched."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        topic = Topic(market=MARKET, channel=Channel.BAR, native="kline")
        told.task.inbox.feed_changed(topic, live=False, reason="silent")
        await asyncio.sleep(180)
        told.task.inbox.feed_changed(topic, live=True, reason="")
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert seen[-1] == told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        assert len(told.strategy.made) == 1

    play(story)


def test_a_gap_that_nobody_announced_is_found_by_the_bars_themselves() -> None:
    """A bar that does not follow the last one sends the market to the venue's history."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        await asyncio.sleep(125)
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))

    play(story)


def test_a_bar_that_the_stream_does_not_tell_is_taken_from_history() -> None:
    """All else flows: the frame in which it closed is lost. Nothing was decided until the next bar closed: an hour."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fetches, seen = told.venue.fetches, told.strategy.made[-1].opened
        untold_ns = seen[-1] + MINUTE_NS
        told.strategy.want(1)
        told.quote()
        await asyncio.sleep((untold_ns + MINUTE_NS - told.world.clock.now_ns()) / 1e9 + 9)
        assert (seen[-1], told.venue.fetches) == (untold_ns - MINUTE_NS, fetches)
        told.quote()
        await asyncio.sleep(2)
        assert (seen[-1], told.venue.fetches) == (untold_ns, fetches + 1)
        assert told.venue.net == Decimal(2)
        told.task.inbox.offer(bar_at(untold_ns, "101"), 1)
        await told.bar()
        assert seen[-2:] == [untold_ns, untold_ns + MINUTE_NS]
        assert (told.venue.fetches, told.state, len(told.strategy.made)) == (fetches + 1, RunState.LIVE, 1)

    play(story)


def test_a_bar_that_history_has_not_either_is_asked_for_now_and_then() -> None:
    """The venue rests: that is no hole before a later bar shows it, and costs a request a minute."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fetches, made = told.venue.fetches, told.strategy.made[-1]
        told.venue.hidden_bars = 1_000
        await asyncio.sleep(300)
        assert told.venue.fetches - fetches in range(4, 6)
        assert (told.task.intake.joined, told.task.intake.lacks) == (True, "")
        told.venue.hidden_bars = 0
        await asyncio.sleep(65)
        assert made.opened[-1] > told.world.clock.now_ns() - 3 * MINUTE_NS
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(made.opened))

    play(story)


def test_a_bar_that_the_venue_never_has_does_not_keep_a_market_from_deciding() -> None:
    """It did for as long as the look-back, with but a stop for its position; and was missing then all the same."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        told.venue.untold_ns = told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS
        await asyncio.sleep(60)
        await told.bar()
        await asyncio.sleep(20)
        await told.bar()
        seen = told.strategy.made[-1].opened
        assert told.venue.untold_ns in seen
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert seen[-1] == told.world.clock.now_ns() // MINUTE_NS * MINUTE_NS - MINUTE_NS
        assert told.task.intake.lacks == ""

    play(story)


def test_a_bar_that_comes_twice_is_told_once() -> None:
    """A repeat after a reconnect changes nothing."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        before = list(told.strategy.made[-1].opened)
        told.task.inbox.offer(bar_at(before[-1]), 1)
        await asyncio.sleep(1)
        assert told.strategy.made[-1].opened == before

    play(story)


def test_the_daemons_end_leaves_what_was_wanted() -> None:
    """Draining stops the market; the journal still says that it is to run, and the next life resumes it."""

    async def story(told: Story) -> None:
        await told.live()
        assert await told.floor.drain(10.0, asyncio.Event())
        assert told.state is RunState.STOPPED
        await told.floor.close()
        again = Story(venue=told.venue, disk=told.disk, world=told.world)
        await again.open()
        assert again.roster[MARKET].desired is Desired.RUNNING
        await again.roster.start_all("test")
        await again.reach(RunState.LIVE)
        await again.floor.close()

    play(story)


def test_a_hurried_end_does_not_wait() -> None:
    """What is in flight is settled by the next start."""

    async def story(told: Story) -> None:
        told.venue.questions_hang = False
        await told.live()
        told.quote()
        told.venue.answer_s = 1000.0
        told.venue.deaf = True
        told.strategy.want(1)
        await told.bar()
        hurry = asyncio.Event()
        asyncio.get_running_loop().call_later(2, hurry.set)
        before = asyncio.get_running_loop().time()
        assert not await told.floor.drain(60.0, hurry)
        assert asyncio.get_running_loop().time() - before < 3
        assert not await told.floor.drain(1.0, asyncio.Event())

    play(story)


def test_a_market_the_venue_does_not_trade_leaves_the_others_alone() -> None:
    """It is told; where it is all of them, a person is called."""

    async def story(told: Story) -> None:
        other = spec(told.strategy, market="bybit:ZZZ-USDT:USDT", symbol=Symbol("ZZZ/USDT:USDT"))
        told.specs.append(other)
        await told.live()
        assert list(told.floor.markets) == [MARKET]
        empty = Story(venue=told.venue, disk=told.disk, world=told.world, specs=[other])
        with pytest.raises(NeedsHuman, match="trades none of the configured markets: ZZZ/USDT:USDT"):
            await empty.open()

    play(story)


def test_a_venue_that_is_away_at_start_is_waited_for() -> None:
    """The instruments are asked for until they come."""

    async def story(told: Story) -> None:
        told.venue.absences_of_instruments = 3
        await told.live()
        assert told.task.instrument == instrument()

    play(story)


def test_people_are_told_of_a_market_that_the_venue_does_not_list() -> None:
    """The others are traded, and nobody reads the log of a start for months."""

    async def story(told: Story) -> None:
        missing = spec(told.strategy, symbol=Symbol("NONE/USDT:USDT"), market=MarketId("v:NONE-USDT:USDT"))
        told.specs.append(missing)
        await told.live()
        (note,) = (event for event in told.disk.events if isinstance(event, Noted))
        assert (note.kind, note.severity, note.market) == ("market.unknown_at_venue", "error", missing.market)
        assert "does not list NONE/USDT:USDT" in note.message

    play(story)


def test_the_report_says_what_there_is_to_say() -> None:
    """A market's part of the report follows its state, position and orders."""

    async def story(told: Story) -> None:
        await told.wants_in()
        said = report_of(told.task, told.roster[MARKET], told.world.clock.now_ns(), {})
        assert (said.state, said.net, said.stop, said.signal) == ("live", Decimal(2), Decimal(90), "the test wants it")
        assert (said.orders.sent, said.orders.filled, said.orders.unknown) == (1, 1, 0)
        assert (said.bars, said.decisions, said.falls) == (1, 2, 0)

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
