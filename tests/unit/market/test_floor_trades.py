"""A floor of one market whose bars are built from trades: each bar has every trade of it, whatever the stream does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from kangbot.market.roster import Command
from kangbot.model.data import Trade
from kangbot.model.events import BarStored, RunState
from kangbot.model.market import Instrument
from kangbot.model.orders import Side
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import BarVenue, FakeFeeds, Story, play, spec
from tests.support.trade_words import MARKET, dec, instrument

FRAME_S = 10
EVERY_NS = SECOND_NS // 2  # a trade, each of one piece
WHOLE = dec(20)  # what a whole bar has


def trade_at(number: int) -> Trade:
    """Return the venue's trade of that number."""
    at_ns = number * EVERY_NS
    return Trade(market=MARKET, trade_id=str(number), side=Side.BUY, price=dec(100), quantity=dec(1), at_ns=at_ns)


@dataclass(slots=True)
class TradeVenue(BarVenue):
    """A venue with a trade every half second, whose answers are on their way for a while."""

    takes_s: float = 0.0

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        self.fetches += 1
        newest = self.clock.now_ns() // EVERY_NS
        await asyncio.sleep(self.takes_s)
        return [trade_at(number) for number in range(newest - limit + 1, newest + 1)]


async def stream(told: Story, flows: asyncio.Event) -> None:
    """Tell each trade as it is made, while the stream flows."""
    while True:
        now_ns = told.world.clock.now_ns()
        number = now_ns // EVERY_NS + 1
        await asyncio.sleep((number * EVERY_NS - now_ns) / SECOND_NS)
        if flows.is_set():
            told.task.inbox.offer(trade_at(number), 1)


async def streamed(told: Story) -> tuple[asyncio.Event, asyncio.Task[None]]:
    """Bring the market live on bars of ten seconds; return what lets trades flow, and the stream to cancel."""
    told.specs = [spec(told.strategy, timeframe="10s", timeframe_s=FRAME_S)]
    flows = asyncio.Event()
    flows.set()
    await told.open()
    streaming = asyncio.create_task(stream(told, flows))
    told.roster.command(MARKET, Command.START, "test")
    await told.reach(RunState.LIVE)
    return flows, streaming


@pytest.mark.parametrize("takes_s", [0.1, 1.3, 3.7, 7.0])
def test_an_answer_that_was_asked_for_before_the_stream_was_back_hides_no_trade(takes_s: float) -> None:
    """It is of the moment before; what was traded until the stream's first trade is asked for once more."""

    async def story(told: Story) -> None:
        venue = TradeVenue(clock=told.venue.clock, takes_s=takes_s)
        told.venue = venue
        flows, streaming = await streamed(told)
        await asyncio.sleep(30)
        for down_s in (25.0, 26.7, 28.1, 31.9, 12.3):
            flows.clear()
            told.feeds.tell(Channel.TRADE, instrument(), live=False)
            await asyncio.sleep(down_s)
            told.feeds.tell(Channel.TRADE, instrument(), live=True)
            flows.set()
            await asyncio.sleep(40)
        streaming.cancel()
        bars = [event.bar for event in told.disk.events if isinstance(event, BarStored)]
        assert len(bars) > 25
        assert [bar for bar in bars if bar.volume != WHOLE] == []
        opened = [bar.open_ns for bar in bars]
        assert opened == list(range(opened[0], opened[-1] + 1, FRAME_S * SECOND_NS))

    play(story)


class Unheard(FakeFeeds):
    """Feeds that tell of no trades before one has come."""

    def tell(self, channel: Channel, instrument: Instrument, *, live: bool) -> None:
        if channel is not Channel.TRADE:
            super().tell(channel, instrument, live=live)


def test_a_connection_that_is_cut_before_the_first_trade_hides_none() -> None:
    """The topic of trades was silent by right until then, so nobody told that it went down; bars wait all the same."""

    async def story(told: Story) -> None:
        told.venue = TradeVenue(clock=told.venue.clock)
        told.specs = [spec(told.strategy, timeframe="10s", timeframe_s=FRAME_S)]
        told.feeds = Unheard()
        flows = asyncio.Event()
        await told.open()
        streaming = asyncio.create_task(stream(told, flows))
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        quotes = Topic(market=MARKET, channel=Channel.QUOTE, native="quotes")
        told.task.inbox.feed_changed(quotes, live=False, reason="closed: gone")
        await asyncio.sleep(65)
        flows.set()
        told.task.inbox.feed_changed(quotes, live=True, reason="")
        told.task.inbox.feed_changed(Topic(market=MARKET, channel=Channel.TRADE, native="trades"), live=True, reason="")
        await asyncio.sleep(40)
        streaming.cancel()
        bars = [event.bar for event in told.disk.events if isinstance(event, BarStored)]
        assert len(bars) >= 9
        assert [bar for bar in bars if bar.volume != WHOLE] == []

    play(story)


def test_a_bar_ends_with_the_next_trade_and_without_one_by_time() -> None:
    """Nobody waits for its grace where a later trade has come, nor for a trade where none comes."""

    async def story(told: Story) -> None:
        told.venue = TradeVenue(clock=told.venue.clock)
        flows, streaming = await streamed(told)
        await asyncio.sleep(35)
        ends = [event.at_ns - event.bar.close_ns for event in told.disk.events if isinstance(event, BarStored)]
        assert len(ends) >= 3
        assert max(ends) == 0
        flows.clear()
        await asyncio.sleep(35)
        streaming.cancel()
        assert sum(isinstance(event, BarStored) for event in told.disk.events) >= len(ends) + 3

    play(story)
