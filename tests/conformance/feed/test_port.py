"""What `ports.Feeds` promises of public data, asked of every adapter whose venue has a market that moves.

Not here is Binance: its dialect runs on recorded frames (`tests/wire`), and a recording goes on saying what it once
said, whatever is asked for. The simulation takes a topic for live by its acknowledgement, without waiting for data: it
stands for a hub that is told of both, so no order between the first event and the change is asked for here.
"""

import asyncio
from collections.abc import Callable

from kangbot.model.data import MarketData, Quote, Trade
from kangbot.model.orders import AccountEvent
from kangbot.ports import Channel, Topic
from tests.support.feed_bench import Bench

BOTH = {Channel.QUOTE: None, Channel.TRADE: None}
QUIET_S = 0.4  # some fifteen frames of a market


class Told:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[MarketData | AccountEvent] = []
        self.changes: list[tuple[str, bool]] = []

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Keep the event."""
        self.events.append(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Keep the change."""
        self.changes.append((topic.native, live))

    def heard(self, kind: type[Quote | Trade], more_than: int = 0) -> bool:
        """Whether so many events of the kind have come."""
        return sum(isinstance(event, kind) for event in self.events) > more_than


async def until(done: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.01)


async def test_a_subscription_is_pending_until_it_is_acknowledged(bench: Bench) -> None:
    """Nothing in the breath of asking; then each topic goes live once, and its events come."""
    told = Told()
    hold = bench.feeds.subscribe(bench.one, BOTH, told)
    assert (told.events, told.changes) == ([], [])
    async with asyncio.timeout(30):
        await hold.live()
    await until(lambda: told.heard(Quote, 5) and told.heard(Trade) and len(told.changes) == 2)
    assert len(set(told.changes)) == 2
    assert all(live for _, live in told.changes)
    await hold.aclose()


async def test_a_sink_hears_the_channels_and_the_market_it_asked_for(bench: Bench) -> None:
    """No trade where quotes were asked for, no quote where trades were, and nothing of another market."""
    quotes, trades = Told(), Told()
    holds = [
        bench.feeds.subscribe(bench.one, {Channel.QUOTE: None}, quotes),
        bench.feeds.subscribe(bench.other, {Channel.TRADE: None}, trades),
    ]
    await until(lambda: quotes.heard(Quote, 20) and trades.heard(Trade, 2))
    assert {(type(event), getattr(event, "market", None)) for event in quotes.events} == {(Quote, bench.one.market)}
    assert {(type(event), getattr(event, "market", None)) for event in trades.events} == {(Trade, bench.other.market)}
    for hold in holds:
        await hold.aclose()


async def test_what_was_let_go_is_silent(bench: Bench) -> None:
    """From the moment of letting go, however often; asked for again, it comes again."""
    told = Told()
    hold = bench.feeds.subscribe(bench.one, BOTH, told)
    await until(lambda: told.heard(Quote))
    await hold.aclose()
    count = len(told.events)
    await asyncio.sleep(QUIET_S)
    await hold.aclose()
    assert len(told.events) == count
    again = bench.feeds.subscribe(bench.one, BOTH, told)
    await until(lambda: len(told.events) > count)
    await again.aclose()


async def test_a_market_may_be_held_twice_and_let_go_once(bench: Bench) -> None:
    """Both sinks hear it, and the one that stays goes on hearing it."""
    first, second = Told(), Told()
    leaving = bench.feeds.subscribe(bench.one, BOTH, first)
    staying = bench.feeds.subscribe(bench.one, BOTH, second)
    await until(lambda: first.heard(Quote) and second.heard(Quote))
    await leaving.aclose()
    count = len(second.events)
    await until(lambda: len(second.events) > count + 5)
    await staying.aclose()


async def test_letting_go_before_the_acknowledgement_is_safe(bench: Bench) -> None:
    """Nothing comes afterwards."""
    told = Told()
    await bench.feeds.subscribe(bench.one, BOTH, told).aclose()
    await asyncio.sleep(QUIET_S)
    assert told.events == []
