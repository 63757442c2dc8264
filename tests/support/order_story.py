"""One market's task with its executor and account, life after life, over a venue and a disk that outlive them."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from kangbot.execution.account import Account
from kangbot.execution.budget import Budget
from kangbot.execution.executor import Executor
from kangbot.execution.numbers import Numbers
from kangbot.execution.venue_clock import VenueClock
from kangbot.journal.replay import replay
from kangbot.machines.limiter import Window
from kangbot.machines.order import Order, worst_case
from kangbot.model.events import Event, FillApplied, Noted, OrderIntended
from kangbot.model.ids import ClientId
from kangbot.model.orders import (
    Evidence,
    Intent,
    OrderKind,
    OrderStatus,
    Purpose,
    Side,
)
from kangbot.ports import IdRule
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARGIN, MARKET, START, WINDOW, instrument, proposal

S = OrderStatus


class Market:
    """One life of a market's task with its executor and account, over a venue and a disk that outlive it."""

    def __init__(self, venue: FakeVenue, disk: Disk, world: World, **options: Any) -> None:
        self.venue = venue
        self.disk = disk
        self.world = world
        self.options = options
        self.told: list[Event] = []
        self.crashes: list[tuple[str, BaseException]] = []
        self.latencies: list[int] = []
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()

    async def start(self, *, account: bool = True) -> "Market":
        """Replay the disk, and begin."""
        memory = await replay(self.disk)
        self.memory = memory
        last_ns = self.options.pop("last_execution_ns", 0)  # of any market of the account
        self.budget = Budget(clock=self.world.clock, venue="bybit", windows=(Window(most=100, span_ns=SECOND_NS),))
        numbers = Numbers(memory.next_number)
        self.executor = Executor(
            world=self.world,
            journal=self.disk,
            venue=self.venue,
            instrument=self.options.pop("instrument", instrument()),
            budget=self.budget,
            numbers=numbers,
            post=self._inbox.put_nowait,
            on_crash=lambda name, error: self.crashes.append((name, error)),
            memory=memory.market(MARKET),
            born_ns=memory.born_ns,
            strategy="test",
            venue_clock=self.options.pop("venue_clock", None) or VenueClock(self.world.clock, most_ns=SECOND_NS),
            receive_window_ns=WINDOW,
            settle_margin_ns=MARGIN,
            on_sent=self.latencies.append,
            **self.options,
        )
        self.account = Account(
            world=self.world,
            journal=self.disk,
            venue=self.venue,
            budget=self.budget,
            numbers=numbers,
            last_execution_ns=last_ns or memory.market(MARKET).last_execution_ns,
            born_ns=memory.born_ns,
            equity={currency: equity for (_, currency), equity in memory.equity.items()},
        )
        self.venue.sink = lambda event: self.account.offer(event, 0)
        self._tasks = [asyncio.create_task(self._run())]
        if account:
            self.account.register(MARKET, self._inbox.put_nowait, self.executor.pulse)
            self._tasks.append(asyncio.create_task(self.account.run()))
        return self

    async def _run(self) -> None:
        while True:
            deadline_ns = self.executor.deadline_ns()
            wait_s = None if deadline_ns is None else max(0, deadline_ns - self.now_ns) / SECOND_NS
            try:
                async with asyncio.timeout(wait_s):
                    message = await self._inbox.get()
            except TimeoutError:
                self.told += self.executor.tick(self.now_ns)
                continue
            self.told += self.executor.handle(message)

    @property
    def now_ns(self) -> int:
        return self.world.clock.now_ns()

    async def end(self) -> None:
        """Stop at once, as a crash does: nobody hears what the errands post, and what was not on disk is lost."""
        self.disk.crash()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.venue.sink = None
        await self.executor.aclose()
        assert self.crashes == []

    async def settled(self, within_s: float = 30) -> float:
        """Wait until nothing of ours is in question or in flight; return how long it took, in virtual seconds."""
        begun = self.now_ns
        while not self.executor.settled or not all(map(_rests, self.executor.orders)):
            assert self.now_ns - begun < within_s * SECOND_NS, [order.status for order in self.executor.orders]
            await asyncio.sleep(0.05)
        return (self.now_ns - begun) / SECOND_NS

    def notes(self) -> list[str]:
        """Return the kinds of the notes on disk."""
        return [event.kind for event in self.disk.events if isinstance(event, Noted)]

    def status(self, client_id: ClientId) -> OrderStatus:
        """Return what is believed of the order."""
        return next(order.status for order in self.executor.memory().orders if order.client_id == client_id)


async def exits(market: Market, quantity: str | int, side: Side = Side.SELL) -> None:
    """Place a market order that reduces, and wait until it is filled."""
    market.executor.place(proposal(quantity, purpose=Purpose.EXIT, side=side, kind=OrderKind.MARKET))
    await asyncio.sleep(1)


def _rests(order: Order) -> bool:
    resting = order.status in (S.ACKED, S.PARTIAL) and order.intent.kind is OrderKind.LIMIT
    return resting and not order.cancel_requested_ns


class Leaps:
    """A clock that can leap ahead of the loop's timers, as it does for a process that was stopped."""

    def __init__(self) -> None:
        self._loop = loop()
        self.ahead_ns = 0

    def __call__(self) -> int:
        return self._loop.now_ns + self.ahead_ns


class Story:
    """A venue, a disk and the lives of one market over them."""

    def __init__(self, *, id_rule: IdRule = IdRule.FOR_EVER, **options: Any) -> None:
        self.leaps = Leaps()
        self.world = World(clock=Clock(monotonic_ns=self.leaps, anchor_ns=START), seed=b"orders")
        self.disk = Disk()
        self.venue = FakeVenue(clock=self.world.clock, id_rule=id_rule)
        self.options = options
        self.sent_unwritten: list[ClientId] = []
        self.venue.before_submit = self._must_be_on_disk

    def _must_be_on_disk(self, intent: Intent) -> None:
        if not any(isinstance(event, OrderIntended) and event.intent == intent for event in self.disk.events):
            self.sent_unwritten.append(intent.client_id)

    async def live(self, *, account: bool = True) -> Market:
        """Begin a life and wait until it may trade."""
        market = await Market(self.venue, self.disk, self.world, **dict(self.options)).start(account=account)
        if account:
            await market.settled()
        return market

    def check(self, market: Market) -> None:
        """Assert the invariants that must hold whenever everything has settled."""
        venue, executor = self.venue, market.executor
        ours = [order.client_id for order in venue.orders if order.intent is not None]
        assert len(ours) == len(set(ours)), "at most one venue order an intent"
        intents = {event.intent.client_id for event in self.disk.events if isinstance(event, OrderIntended)}
        believed = {order.client_id: order for order in executor.memory().orders}
        for order in venue.orders:
            if order.intent is None or order.client_id is None:
                continue
            assert order.client_id in intents, "every venue order is journalled"
            assert believed[order.client_id].status not in (S.REJECTED, S.NOT_ACCEPTED) or order.status is S.REJECTED
        assert self.sent_unwritten == [], "the journal's commit precedes the send"
        applied = [event.fill for event in self.disk.events if isinstance(event, FillApplied)]
        assert len({fill.execution_id for fill in applied}) == len(applied), "each execution once"
        assert sum((fill.signed for fill in applied), Decimal(0)) == executor.position.net == venue.net
        for known in believed.values():
            assert not known.status.terminal or known.evidence is not Evidence.NONE, "ends have evidence"
            assert known.status is not S.UNKNOWN or worst_case(known) > 0, "UNKNOWN counts"


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run the test's story on a virtual loop of its own."""

    def play() -> None:
        run(story())

    play.__doc__ = story.__doc__
    return play
