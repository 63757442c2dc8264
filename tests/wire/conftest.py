"""A hub on a replay of what Binance once said."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.market import Instrument
from kangbot.model.orders import AccountEvent
from kangbot.ports import Topic
from kangbot.runtime.world import real_world
from kangbot.venues.binance_usdm.feed import BinancePublic, TradeStream
from tests.support.instruments import instrument_of
from tests.wire.replay import Replay


def instrument(native: str) -> Instrument:
    """Return the perpetual of this name; its steps do not matter to a feed."""
    base = native.removesuffix("USDT")
    return instrument_of(base, venue="binance_usdm")


class Everything:
    """A sink that keeps all that it is told."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self.trades: list[Trade] = []
        self.bars: list[Bar] = []
        self.live: set[str] = set()

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Keep the event by its kind."""
        match event:
            case Quote():
                self.quotes.append(event)
            case Trade():
                self.trades.append(event)
            case Bar():
                self.bars.append(event)
            case _:
                raise AssertionError(f"no market says {event}")

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Keep which topics are live."""
        (self.live.add if live else self.live.discard)(topic.native)

    def garbled(self, topic: Topic) -> None:
        """Forget it: the hub counts them."""


def ignored(hub: FeedHub) -> Counter[str]:
    """Return what the hub's streams left unused on purpose, by kind."""
    return sum((Counter(stream.counters.ignored) for stream in hub.streams), Counter[str]())


def garbled(hub: FeedHub) -> int:
    """Return how many frames could not be decoded."""
    return sum(stream.counters.garbled for stream in hub.streams)


def events(hub: FeedHub) -> int:
    """Return how many events were told."""
    return sum(stream.counters.events for stream in hub.streams)


async def until(done: Callable[[], bool], timeout_s: float = 600.0) -> None:
    """Wait until the condition holds: what takes seconds takes a minute on a machine that does ten things beside."""
    async with asyncio.timeout(timeout_s):
        while not done():
            await asyncio.sleep(0.01)


Hubs = Callable[[Replay, TradeStream], AbstractAsyncContextManager[FeedHub]]


@pytest.fixture
def hub_on() -> Hubs:
    """Open a hub whose host is a replay; `trades` names the stream that was recorded."""

    @asynccontextmanager
    async def opened(replay: Replay, trades: TradeStream) -> AsyncIterator[FeedHub]:
        world = real_world()
        hub = FeedHub(
            world=world,
            name="binance_usdm",
            public=[
                lambda: BinancePublic(url=replay.url, path="public", trades=trades),
                lambda: BinancePublic(url=replay.url, path="market", trades=trades),
            ],
            private=None,
            connects=ConnectBudget(world.clock),
            on_note=lambda *_: None,
        )
        async with hub:
            yield hub

    return opened
