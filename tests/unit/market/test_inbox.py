"""The inbox."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.market import inbox as module
from kangbot.market.inbox import FeedChanged, Inbox
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Balance, Side
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import Clock

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


async def test_what_concerns_money_is_never_dropped() -> None:
    """Closed bars, account events, commands and feed changes are all there, in order."""
    inbox = Inbox(Clock())
    balance = Balance(currency="USDT", equity=D(1), available=D(1), at_ns=0)
    topic = Topic(market=MARKET, channel=Channel.QUOTE, native="q")
    inbox.offer(bar(), 5)
    for _ in range(10_000):
        inbox.offer(balance, 6)
    inbox.feed_changed(topic, live=False, reason="silent")
    batch = await inbox.take(None)
    assert batch.bars == [bar()]
    assert len(batch.messages) == 10_001
    assert batch.messages[-1] == FeedChanged(topic=topic, live=False, reason="silent")
    assert batch.received_ns == 5


async def test_a_flood_of_trades_loses_its_oldest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(module, "TRADES_KEPT", 3)
    inbox = Inbox(Clock())
    for number in range(5):
        inbox.offer(trade(number), 1)
    inbox.put("now")
    assert [one.trade_id for one in (await inbox.take(None)).trades] == ["2", "3", "4"]
    assert inbox.trades_dropped == 2


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
