"""A market's inbox: everything that can happen to the market, in one place, emptied by one task.

Conflation happens here, between the reader of a socket and the market: a quote replaces the last one and wakes nobody
(a decision reads the newest when it is made; a strategy that decides on quotes has each of them wake its market, and
sees the newest when its turn comes), trades are kept in order and wake the task when one of them lies beyond the bar
that is being built, or when a thousand wait, and whatever concerns money (orders, fills, commands, closed bars) is kept
and wakes it at once.

Each kind has a bound, and what does not fit is never lost in silence: it is counted, and the market makes up for it::

    trades, bars                 the oldest go; history closes the hole, as after an interrupted stream
    news of the account          not taken; no entry leaves until the account was compared with the venue's again
                                 (nor are they while a dead disk holds up what was learnt: `execution/records.py`)
    a topic goes live or down    past the bound only how it stands last is kept
    commands                     the same again is one; past the bound they are refused in words, save a stop

    edits of the configuration   one: how the market is to be traded in the end
    what we have done ourselves  all of it, for no more of that comes than was under way when the last turn ended

The last needs no figure: every errand (a request for an order, a question, a write, a preparation) is begun by a turn
of the market, and brings one outcome, a preparation two. A turn that does not come begins none. So beside the bounds
above lies what at most is under way: of each order a request, a question and a cancellation, of each group of records
its write, and one each for the stop, the price, the preparation and a strategy that is asked aside.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from kangbot.machines.reconcile import Reconciled
from kangbot.market.spec import MarketSpec
from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.orders import AccountEvent
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS, Clock

C = TypeVar("C")

TRADES_KEPT = 5_000  # seconds of the busiest market; a task that is later than that has other troubles
BARS_KEPT = 1_000  # hours of closed candles; as many as one fetch of history returns
MESSAGES_KEPT = 2_000  # a storm of fills; what was not taken is asked for in one round
COMMANDS_KEPT = 100
_TRADES_WAKE = 1_000  # in a storm a bar of half a minute has more trades than are kept: they are taken before it ends
_OVERLAP_NS = 60 * SECOND_NS  # news may be so much older than the moment it did not fit


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChanged:
    """A topic of the market went live or down."""

    topic: Topic
    live: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    """A person has looked at the market's quarantine and lifts it; `lifted` is set once the market has."""

    caller: str
    lifted: asyncio.Event = field(compare=False)


class Batch(msgspec.Struct, kw_only=True):
    """What one turn of the market's task has to do. `received_ns` is when the frame that woke it was read."""

    trades: deque[Trade] = msgspec.field(default_factory=deque)
    bars: list[Bar] = []
    messages: list[object] = []
    topics: dict[str, FeedChanged] | None = None  # after the messages: how each that did not fit stands
    edit: MarketSpec | None = None  # the last one
    quoted: bool = False  # a quote came, and quotes wake the market
    looks: bool = False  # something changed that concerns all markets (the kill switch): act on it
    renewed: bool = False  # a person wants what the venue refuses to be tried again soon
    commands: int = 0
    command: object = None  # the last of them
    dropped: int = 0  # so much did not fit
    holed: bool = False  # some of that was data, or what came of them could not be read
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
        self.quotes_wake = False  # so does each quote
        self.wake_trade_ns: int | None = None  # a trade at or after this venue time wakes the task
        self.ticks = 0
        self.dropped = 0  # of all kinds, since the start
        self.missed_since_ns = 0  # from then on news of the account may be missing; 0 where none is
        self._missed_ns = 0  # the last of it did not fit then
        self.turns = 0  # that began: what the watchdog reads
        self.overfull: Callable[[], bool] = lambda: False  # whether nothing more can be learnt of the account for now

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
            if self.quotes_wake:
                self._batch.quoted = True
                self._wake(received_ns)
        elif isinstance(event, Trade):
            self._trade(event, received_ns)
        elif isinstance(event, Bar):
            self._bar(event)
            self._wake(received_ns)
        else:
            self.tell(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Learn that a topic went live or down."""
        change, batch = FeedChanged(topic=topic, live=live, reason=reason), self._batch
        if len(batch.messages) < MESSAGES_KEPT:
            self.put(change)
            return
        batch.topics = {**(batch.topics or {}), topic.native: change}
        self._drop(data=True)  # it may have been down and up: that is a hole
        self._wake(0)

    def garbled(self, topic: Topic) -> None:
        """Have history close the hole that trades leave: a bar that is built without them shows none."""
        self._batch.holed |= topic.channel is Channel.TRADE

    def stand_in(self, quote: Quote) -> None:
        """Take a quote that was asked for while the stream is silent: good enough to leave by, not to enter by."""
        self.quote, self.priced_ns = quote, self._clock.now_ns()

    def put(self, message: object) -> None:
        """Take how something ended that we have done ourselves."""
        self._batch.messages.append(message)
        self._wake(0)

    # -------------------------------------------------------------------------------------------------------- account
    def tell(self, event: AccountEvent | Reconciled) -> None:
        """Take news of the account, where they fit; `missed_since_ns` where they do not."""
        if len(self._batch.messages) < MESSAGES_KEPT and not self.overfull():
            self.put(event)
            return
        self._missed_ns = self._clock.now_ns()
        since_ns = event.executions_since_ns if isinstance(event, Reconciled) else self._missed_ns - _OVERLAP_NS
        self.missed_since_ns = min(self.missed_since_ns or since_ns, since_ns)
        self._drop(data=False)
        self._wake(0)

    def compared(self, snapshot: Reconciled) -> None:
        """Learn that the task has taken a comparison: nothing is missing where it was asked for late and far enough."""
        if snapshot.asked_ns > self._missed_ns and snapshot.executions_since_ns <= self.missed_since_ns:
            self.missed_since_ns = 0

    # -------------------------------------------------------------------------------------------------------- commands
    @property
    def refuses(self) -> str:
        """Why no command is taken; "" where one is."""
        waiting = self._batch.commands
        return "" if waiting < COMMANDS_KEPT else f"{waiting} commands wait already, and none of them was carried out"

    def command(self, command: C) -> C:
        """Take a command, unless the last one that waits is the same; return the one that waits."""
        batch = self._batch
        if batch.command == command:
            return batch.command
        batch.command = command
        batch.commands += 1
        self.put(command)
        return command

    def edit(self, wanted: MarketSpec) -> None:
        """Take how the market is to be traded from now on, in the place of what came before and was not taken yet."""
        self._batch.edit = wanted
        self._wake(0)

    @property
    def edited(self) -> MarketSpec | None:
        """How the market is to be traded by an edit that no turn has taken yet; None without one."""
        return self._batch.edit

    def look_again(self, *, renewed: bool = False) -> None:
        """Have the market act on what changed for all of them; `renewed`: on what the venue refuses, too, and soon."""
        self._batch.looks = True
        self._batch.renewed |= renewed
        self._wake(0)

    # -------------------------------------------------------------------------------------------------------- private
    def _trade(self, trade: Trade, received_ns: int) -> None:
        trades = self._batch.trades
        if len(trades) >= TRADES_KEPT:
            trades.popleft()
            self._drop(data=True)
        trades.append(trade)
        ends = self.wake_trade_ns is not None and trade.at_ns >= self.wake_trade_ns
        if ends or len(trades) >= _TRADES_WAKE:
            self._wake(received_ns)

    def _bar(self, bar: Bar) -> None:
        bars = self._batch.bars
        if len(bars) >= BARS_KEPT:
            del bars[0]
            self._drop(data=True)
        bars.append(bar)

    def _drop(self, *, data: bool) -> None:
        self.dropped += 1
        self._batch.dropped += 1
        self._batch.holed |= data

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
