"""The inbox."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from kangbot.machines.reconcile import Reconciled
from kangbot.market import inbox as module
from kangbot.market.inbox import BARS_KEPT, COMMANDS_KEPT, MESSAGES_KEPT, FeedChanged, Inbox
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Balance, Side, VenuePosition
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS, Clock
from tests.support.floor_story import Steered, spec

MARKET = MarketId("bybit:BTC-USDT:USDT")
D = Decimal


def quote(bid: int) -> Quote:
    """A quote with a spread of one."""
    return Quote(market=MARKET, bid=D(bid), bid_quantity=D(1), ask=D(bid + 1), ask_quantity=D(1), at_ns=0)


def trade(number: int, at_ns: int = 0) -> Trade:
    """A trade."""
    return Trade(market=MARKET, trade_id=str(number), side=Side.BUY, price=D(100), quantity=D(1), at_ns=at_ns)


def bar() -> Bar:
    """A closed bar."""
    return Bar(market=MARKET, timeframe_s=60, open_ns=0, open=D(1), high=D(1), low=D(1), close=D(1), volume=D(1))


async def test_quotes_are_conflated_and_wake_nobody() -> None:
    """The newest is there when it is wanted; the task sleeps on."""
    inbox = Inbox(Clock())
    taking = asyncio.create_task(inbox.take(None))
    await asyncio.sleep(0)
    for bid in range(1, 1000):
        inbox.offer(quote(bid), 7)
    await asyncio.sleep(0)
    assert not taking.done()
    assert inbox.quote is not None
    assert inbox.quote.bid == 999
    assert inbox.quote_seen_ns > 0
    assert inbox.ticks == 999
    inbox.put("wake")
    batch = await taking
    assert (batch.messages, batch.received_ns) == (["wake"], 0)


async def test_a_trade_beyond_the_bar_wakes_with_its_frames_time() -> None:
    """Trades inside the bar wait in order; the first one beyond it brings them all."""
    inbox = Inbox(Clock())
    inbox.wake_trade_ns = 100
    taking = asyncio.create_task(inbox.take(None))
    await asyncio.sleep(0)
    inbox.offer(trade(1, 50), 1)
    inbox.offer(trade(2, 99), 2)
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.offer(trade(3, 100), 3)
    inbox.offer(trade(4, 101), 4)
    batch = await taking
    assert [one.trade_id for one in batch.trades] == ["1", "2", "3", "4"]
    assert batch.received_ns == 3


async def test_what_concerns_money_is_kept_in_order() -> None:
    """Closed bars, account events and feed changes are all there."""
    inbox = Inbox(Clock())
    balance = Balance(currency="USDT", equity=D(1), available=D(1), at_ns=0)
    topic = Topic(market=MARKET, channel=Channel.QUOTE, native="q")
    inbox.offer(bar(), 5)
    for _ in range(MESSAGES_KEPT - 1):
        inbox.offer(balance, 6)
    inbox.feed_changed(topic, live=False, reason="silent")
    batch = await inbox.take(None)
    assert batch.bars == [bar()]
    assert len(batch.messages) == MESSAGES_KEPT
    assert (batch.dropped, inbox.missed_since_ns) == (0, 0)
    assert batch.messages[-1] == FeedChanged(topic=topic, live=False, reason="silent")
    assert batch.received_ns == 5


def position() -> VenuePosition:
    """A position that the private stream tells of."""
    return VenuePosition(market=MARKET, net=D(0), entry=None, stop=None, mark=None)


def compared(asked_ns: int, since_ns: int) -> Reconciled:
    """The answers of a comparison."""
    return Reconciled(
        market=MARKET,
        open_orders=(),
        executions=(),
        executions_since_ns=since_ns,
        position=position(),
        asked_ns=asked_ns,
        answered_ns=asked_ns,
    )


async def test_news_of_the_account_that_do_not_fit_are_missed_until_a_comparison_covers_them() -> None:
    """One that was asked for before, or not from far enough back, covers nothing; what we did ourselves still fits."""
    now_ns = 1_700_000_000 * SECOND_NS
    inbox = Inbox(Clock(monotonic_ns=lambda: 0, anchor_ns=now_ns))
    for _ in range(MESSAGES_KEPT + 3):
        inbox.tell(position())
    inbox.put("an order of ours ended")
    assert inbox.missed_since_ns == now_ns - 60 * SECOND_NS
    inbox.tell(compared(now_ns + 1, now_ns - 90 * SECOND_NS))  # its executions reach no one else
    inbox.tell(position())
    assert inbox.missed_since_ns == now_ns - 90 * SECOND_NS
    batch = await inbox.take(None)
    assert (len(batch.messages), batch.dropped, batch.holed) == (MESSAGES_KEPT + 1, 5, False)
    assert inbox.dropped == 5
    inbox.compared(compared(now_ns, now_ns - 99 * SECOND_NS))
    inbox.compared(compared(now_ns + 1, now_ns - 89 * SECOND_NS))
    assert inbox.missed_since_ns
    inbox.compared(compared(now_ns + 1, now_ns - 90 * SECOND_NS))
    assert not inbox.missed_since_ns


async def test_bars_beyond_the_bound_lose_the_oldest_and_are_a_hole() -> None:
    """Whoever makes bars of them asks for history."""
    inbox = Inbox(Clock())
    for number in range(BARS_KEPT + 2):
        inbox.offer(msgspec.structs.replace(bar(), open_ns=number), 1)
    batch = await inbox.take(None)
    assert (len(batch.bars), batch.bars[0].open_ns, batch.bars[-1].open_ns) == (BARS_KEPT, 2, BARS_KEPT + 1)
    assert (batch.dropped, batch.holed) == (2, True)


@pytest.mark.parametrize("channel", [Channel.QUOTE, Channel.TRADE, Channel.BAR])
async def test_trades_that_cannot_be_read_are_a_hole_which_the_next_turn_heeds(channel: Channel) -> None:
    """They wake nobody, and nothing was dropped; what follows a quote or a candle shows by itself that one is gone."""
    inbox = Inbox(Clock())
    inbox.garbled(Topic(market=MARKET, channel=channel, native="x"))
    assert not inbox.waiting
    batch = await inbox.take(0)
    assert (batch.holed, batch.dropped) == (channel is Channel.TRADE, 0)


async def test_of_topics_that_come_and_go_the_last_word_is_kept() -> None:
    """Each topic's own; in between it may have been down, so it is a hole."""
    inbox = Inbox(Clock())
    quotes = Topic(market=MARKET, channel=Channel.QUOTE, native="q")
    bars = Topic(market=MARKET, channel=Channel.BAR, native="b")
    for _ in range(MESSAGES_KEPT):
        inbox.feed_changed(bars, live=True, reason="")
    for live in (False, True):
        inbox.feed_changed(quotes, live=live, reason="")
        inbox.feed_changed(bars, live=not live, reason="")
    batch = await inbox.take(None)
    assert len(batch.messages) == MESSAGES_KEPT
    assert batch.topics == {
        "q": FeedChanged(topic=quotes, live=True, reason=""),
        "b": FeedChanged(topic=bars, live=False, reason=""),
    }
    assert batch.holed


async def test_of_edits_only_the_last_waits() -> None:
    """How the market is to be traded in the end is all that matters; it wakes the task."""
    inbox = Inbox(Clock())
    for leverage in range(1, 10_000):
        inbox.edit(spec(Steered(), leverage=leverage))
    batch = await inbox.take(None)
    assert batch.edit is not None
    assert batch.edit.leverage == 9_999
    assert (batch.messages, batch.dropped) == ([], 0)
    inbox.put("next")
    assert (await inbox.take(None)).edit is None


async def test_commands_are_refused_once_a_hundred_wait() -> None:
    """The same again is one command; looking again is one at most."""
    inbox = Inbox(Clock())
    for _ in range(10):
        inbox.command("start")
        inbox.look_again()
    for number in range(COMMANDS_KEPT - 1):
        assert inbox.refuses == ""
        inbox.command(number)
    assert inbox.refuses == "100 commands wait already, and none of them was carried out"
    batch = await inbox.take(None)
    assert batch.messages == ["start", *range(COMMANDS_KEPT - 1)]
    assert batch.looks
    assert inbox.refuses == ""


async def test_a_flood_of_trades_loses_its_oldest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(module, "TRADES_KEPT", 3)
    inbox = Inbox(Clock())
    for number in range(5):
        inbox.offer(trade(number), 1)
    inbox.put("now")
    assert [one.trade_id for one in (await inbox.take(None)).trades] == ["2", "3", "4"]
    assert inbox.dropped == 2


async def test_a_bar_of_more_trades_than_are_kept_loses_none() -> None:
    """Bitcoin in a crash: a bar of half a minute has ten thousand, and none of them lies beyond it."""
    inbox = Inbox(Clock())
    inbox.wake_trade_ns = 1 << 62
    taken: list[Trade] = []

    async def task() -> None:
        while len(taken) < 2 * module.TRADES_KEPT:
            taken.extend((await inbox.take(None)).trades)

    async with asyncio.timeout(60):
        market = asyncio.create_task(task())
        for number in range(2 * module.TRADES_KEPT):
            inbox.offer(trade(number), 1)
            if number % 100 == 0:  # a frame has so many at most, and the loop goes round between two
                await asyncio.sleep(0)
        inbox.put("the bar ends")
        await market
    assert inbox.dropped == 0
    assert [one.trade_id for one in taken] == [str(number) for number in range(2 * module.TRADES_KEPT)]


async def test_a_deadline_ends_the_wait() -> None:
    """With nothing to do the task wakes when its timer is due, and a past deadline does not wait."""
    clock = Clock()
    inbox = Inbox(clock)
    for deadline in (clock.now_ns() + 5_000_000, 0):
        batch = await inbox.take(deadline)
        assert (len(batch.trades), batch.bars, batch.messages) == (0, [], [])


async def test_a_cancelled_wait_loses_nothing() -> None:
    """What arrives afterwards is there for the next one."""
    inbox = Inbox(Clock())
    taking = asyncio.create_task(inbox.take(None))
    await asyncio.sleep(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    inbox.put("kept")
    assert (await inbox.take(None)).messages == ["kept"]
