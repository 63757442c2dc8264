"""A floor of one market whose inbox is full: what did not fit is asked for again, and nothing enters before."""

import asyncio
import itertools

import pytest

from kangbot.errors import Refused, Retryable
from kangbot.execution.outcome import SendEnded
from kangbot.market.inbox import BARS_KEPT, COMMANDS_KEPT, MESSAGES_KEPT
from kangbot.market.preparation import Fetched, Subscribed
from kangbot.market.reporting import report_of
from kangbot.market.roster import Command
from kangbot.model.data import Trade
from kangbot.model.events import Noted, RunState
from kangbot.model.orders import Side
from kangbot.ports import Channel
from tests.support.floor_story import MINUTE_NS, Steered, Story, bar_at, play, spec
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET, dec, instrument


def notes(told: Story) -> list[str]:
    """Return what the operator was told of the inbox."""
    return [event.message for event in told.disk.events if isinstance(event, Noted) and event.kind == "inbox.full"]


async def hold(told: Story) -> None:
    """Go live and enter two."""
    await told.live()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == 2


def held(told: Story) -> str:
    """Return why nothing may enter; "" where it may."""
    return told.task.desk.executor.entries_blocked or ""


def flood(told: Story) -> None:
    """Have the private stream say more in one moment than the inbox keeps."""
    for _ in range(MESSAGES_KEPT):
        told.floor.account.offer(told.venue.position(), 0)


def test_a_fill_that_did_not_fit_is_in_the_books_after_one_comparison() -> None:
    """Within seconds, not on the slow beat; nothing enters meanwhile; told once and counted."""

    async def story(told: Story) -> None:
        await hold(told)
        told.venue.deaf = True
        flood(told)
        told.venue.by_hand("1")
        told.floor.account.offer(told.venue.fills[-1], 0)
        executor = told.task.desk.executor
        assert held(told) == "inbox: news of the account did not fit, and are being asked for"
        await asyncio.sleep(0.5)
        assert executor.position.net == 2
        assert held(told)
        await asyncio.sleep(7)
        assert executor.position.net == told.venue.net == 3
        assert not held(told)
        assert notes(told) == ["1 events did not fit into the market's inbox: they are asked for again"]
        now_ns = told.world.clock.now_ns()
        assert report_of(told.task, told.roster[MARKET], now_ns, {}).dropped == 1

    play(story)


def test_a_full_inbox_is_told_once_until_all_has_fitted_for_a_minute() -> None:
    """Ten times in ten seconds are one trouble, half an hour later it is another."""

    async def story(told: Story) -> None:
        await hold(told)
        for _ in range(10):
            flood(told)
            told.floor.account.offer(told.venue.position(), 0)
            await asyncio.sleep(1)
        assert len(notes(told)) == 1
        await told.bar()
        await told.bar()
        flood(told)
        told.floor.account.offer(told.venue.position(), 0)
        await asyncio.sleep(1)
        assert len(notes(told)) == 2

    play(story)


def test_bars_that_did_not_fit_come_from_history() -> None:
    """The strategy is shown each once, in order and without a gap."""

    async def story(told: Story) -> None:
        await told.live()
        await told.bar()
        fetches, seen = told.venue.fetches, told.strategy.made[-1].opened
        now_ns = told.world.clock.now_ns()
        await asyncio.sleep((MINUTE_NS - now_ns % MINUTE_NS) / 1e9 + 6)  # one closed meanwhile, and is final
        closed_ns = seen[-1] + MINUTE_NS
        told.task.inbox.offer(bar_at(closed_ns), 1)
        for _ in range(BARS_KEPT):
            told.task.inbox.offer(bar_at(seen[0]), 1)
        await asyncio.sleep(5)
        assert told.venue.fetches == fetches + 1
        assert seen[-1] == closed_ns
        await told.bar()
        assert all(later - earlier == MINUTE_NS for earlier, later in itertools.pairwise(seen))
        assert len(notes(told)) == 1

    play(story)


def test_trades_that_did_not_fit_come_from_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars are made of them: one that lacks a trade would be false."""
    monkeypatch.setattr("kangbot.market.inbox.TRADES_KEPT", 3)

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, timeframe="10s", timeframe_s=10)]
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(1)
        fetches = told.venue.fetches
        for number in range(5):
            at_ns = told.world.clock.now_ns()
            told.task.inbox.offer(
                Trade(market=MARKET, trade_id=str(number), side=Side.BUY, price=dec(100), quantity=dec(1), at_ns=at_ns),
                1,
            )
        told.floor.look_again()
        await asyncio.sleep(1)
        assert told.task.inbox.dropped == 2
        assert len(notes(told)) == 1
        assert told.venue.fetches == fetches + 1

    play(story)


def test_commands_that_no_turn_carries_out_are_refused_and_a_stop_is_not() -> None:
    """A hundred wait; the next one is told so, and the market stops in the end."""

    async def story(told: Story) -> None:
        await told.live()
        for number in range(COMMANDS_KEPT):
            told.floor.release(MARKET, f"caller {number}")
        with pytest.raises(Refused, match="100 commands wait already"):
            told.floor.release(MARKET, "one more")
        with pytest.raises(Refused, match="100 commands wait already"):
            told.roster.command(MARKET, Command.PAUSE, "test")
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)

    play(story)


def errands(*kinds: str) -> int:
    """Return how many errands of the market are under way, by what their tasks' names begin with."""
    return sum(task.get_name().startswith(kinds) for task in asyncio.all_tasks())


def test_what_we_have_done_ourselves_is_no_more_than_was_under_way() -> None:
    """A market that takes no turn begins nothing, however much happens to it meanwhile."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.fates.append(Fate.HANGS_AFTER)
        told.strategy.want(1)
        await told.bar()
        for command in (Command.STOP, Command.START):
            told.roster.command(MARKET, command, "test")
        told.feeds.up.clear()
        await asyncio.sleep(0.1)
        (turns,) = (task for task in asyncio.all_tasks() if task.get_name() == f"floor/{MARKET}")
        turns.cancel()
        await asyncio.sleep(0)
        flying = errands("executor/", "markets/")
        assert flying >= 2
        told.feeds.up.set()
        for number in range(60):
            told.quote(str(100 + number))
            told.task.inbox.offer(bar_at(told.world.clock.now_ns()), 1)
            told.task.inbox.edit(spec(told.strategy))
            flood(told)
            await asyncio.sleep(1)
        assert not errands("executor/", "markets/")
        batch = await told.task.inbox.take(None)
        own = [message for message in batch.messages if isinstance(message, SendEnded | Subscribed | Fetched)]
        assert 2 <= len(own) <= flying + 1  # a preparation brings two
        assert len(batch.messages) <= MESSAGES_KEPT + len(own)

    play(story)


def test_a_market_that_is_started_again_and_again_prepares_once_at_a_time() -> None:
    """While the venue is away each start would leave a question behind that is asked for ever."""

    async def story(told: Story) -> None:
        await told.open()
        told.venue.no_bars = Retryable("the venue is away")
        for _ in range(50):
            told.roster.command(MARKET, Command.START, "test")
            await asyncio.sleep(1)
            told.roster.command(MARKET, Command.STOP, "test")
            await asyncio.sleep(1)
            assert not errands("markets/prepare", "markets/fetch")
        told.roster.command(MARKET, Command.START, "test")
        await asyncio.sleep(60)
        assert errands("markets/prepare", "markets/fetch") == 1
        told.venue.no_bars = None
        await told.reach(RunState.LIVE)

    play(story)


def test_an_edit_builds_on_one_that_was_not_taken_yet() -> None:
    """A market that waits after a fall takes no turn for a while: the strategy of the first edit is not forgotten."""

    async def story(told: Story) -> None:
        await told.live()
        (turns,) = (task for task in asyncio.all_tasks() if task.get_name() == f"floor/{MARKET}")
        turns.cancel()
        await asyncio.sleep(0)
        other = Steered()
        told.floor.change(joins=(), leaves=(), changes=[spec(other)], caller="test")
        assert told.task.wanted.strategy is other
        assert told.task.spec.strategy is told.strategy

    play(story)


@pytest.mark.parametrize("live", [False, True])
def test_how_a_stream_stands_that_did_not_fit_is_known_all_the_same(*, live: bool) -> None:
    """After what did fit: nothing may enter on data that ended, nor wait for data that flow."""

    async def story(told: Story) -> None:
        await hold(told)
        told.feeds.tell(Channel.QUOTE, instrument(), live=not live)
        flood(told)
        told.feeds.tell(Channel.QUOTE, instrument(), live=live)
        await asyncio.sleep(1)
        assert bool(told.task.desk.stale) is not live

    play(story)
