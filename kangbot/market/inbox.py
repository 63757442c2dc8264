"""A market's inbox: everything that can happen to the market, in one place, emptied by one task.

Conflation happens here, between the reader of a socket and the market: a quote replaces the last one and wakes nobody
(a decision reads the newest when it is made), trades are kept in order and wake the task when one of them lies beyond
the bar that is being built, and whatever concerns money (orders, fills, commands, closed bars) is kept and wakes it at
once.

A full deque of trades loses its oldest and counts them. Nothing else is ever dropped: what is kept without a bound
comes at the rate of our own orders, of commands and of closing bars.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.orders import AccountEvent
from kangbot.ports import Topic
from kangbot.runtime.world import SECOND_NS, Clock

TRADES_KEPT = 5_000  # seconds of the busiest market; a task that is later than that has other troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChanged:
    """A topic of the market went live or down."""

    topic: Topic
    live: bool
    reason: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Something changed that concerns all markets (the kill switch): act on it."""


@dataclass(frozen=True, slots=True)
class Released:
    """A person has looked at the market's quarantine and lifts it."""

    caller: str


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one turn of the market's task has to do. `received_ns` is when the frame that woke it was read."""

    trades: deque[Trade] = field(default_factory=deque)
    bars: list[Bar] = field(default_factory=list)
    messages: list[object] = field(default_factory=list)
    received_ns: int = 0


class Inbox:
    """One market's inbox; implements `ports.Sink`. One task calls `take`; anybody on the loop may put."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._batch = Batch()
        self._waiter: asyncio.Future[None] | None = None
        self._ready = False
        self.quote: Quote | None = None
        self.quote_seen_ns = 0  # when the stream told the last one, by our clock
        self.priced_ns = 0  # when the last one came, by the stream or in its stead
        self.wake_trade_ns: int | None = None  # a trade at or after this venue time wakes the task
        self.ticks = 0
        self.trades_dropped = 0
        self.turns = 0  # that began: what the watchdog reads

    @property
    def waiting(self) -> bool:
        """Whether something is here that wakes the market, and no turn has taken it yet."""
        return self._ready

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Take one event of the feed."""
        self.ticks += 1
        if isinstance(event, Quote):
            self.quote = event
            self.quote_seen_ns = self.priced_ns = self._clock.now_ns()
        elif isinstance(event, Trade):
            self._trade(event, received_ns)
        elif isinstance(event, Bar):
            self._batch.bars.append(event)
            self._wake(received_ns)
        else:
            self.put(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Learn that a topic went live or down."""
        self.put(FeedChanged(topic=topic, live=live, reason=reason))

    def stand_in(self, quote: Quote) -> None:
        """Take a quote that was asked for while the stream is silent: good enough to leave by, not to enter by."""
        self.quote, self.priced_ns = quote, self._clock.now_ns()

    def put(self, message: object) -> None:
        """Take whatever concerns money or the market's life."""
        self._batch.messages.append(message)
        self._wake(0)

    def _trade(self, trade: Trade, received_ns: int) -> None:
        trades = self._batch.trades
        if len(trades) >= TRADES_KEPT:
            trades.popleft()
            self.trades_dropped += 1
        trades.append(trade)
        if self.wake_trade_ns is not None and trade.at_ns >= self.wake_trade_ns:
            self._wake(received_ns)

    def _wake(self, received_ns: int) -> None:
        if received_ns and not self._batch.received_ns:
            self._batch.received_ns = received_ns
        self._ready = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self, deadline_ns: int | None) -> Batch:
        """Wait for something to do, until `deadline_ns` at the latest, and return all there is."""
        if not self._ready:
            await self._wait(deadline_ns)
        self._ready = False
        self.turns += 1
        batch, self._batch = self._batch, Batch()
        return batch

    async def _wait(self, deadline_ns: int | None) -> None:
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = None
        if deadline_ns is not None:
            wait_s = max(0, deadline_ns - self._clock.now_ns()) / SECOND_NS
            timer = loop.call_later(wait_s, _resolve, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
