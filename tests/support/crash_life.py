"""One life of one market's executor in a process of its own: the real journal, the real adapter, a real exchange."""

import asyncio
import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.execution.account import Account
from kangbot.execution.budget import Budget
from kangbot.execution.executor import Executor
from kangbot.execution.numbers import Numbers
from kangbot.execution.venue_clock import VenueClock
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.hub import FeedHub
from kangbot.journal.replay import replay
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.machines.limiter import Window
from kangbot.machines.order import Order
from kangbot.model.ids import ClientId, Symbol
from kangbot.model.market import Instrument
from kangbot.model.money import nearest_to
from kangbot.model.orders import OrderKind, OrderStatus, Proposal, Purpose, Side
from kangbot.ports import Journal, Venue
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, World, real_world
from kangbot.venues.bybit.feed import BybitPrivate
from kangbot.venues.bybit.public import VENUE
from kangbot.venues.bybit.venue import BybitVenue
from tests.support.crash_ports import CrashingJournal, CrashingVenue, Points

KEY = SECRET = "sandbox"
WINDOW_MS = 2_000
MARGIN_NS = 500_000_000
RESERVE_BYTES = 64 << 10  # the disk is not the subject here
VALUE = Decimal(300)  # of one order, in USDT


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the exchange is, and which of its markets this is about."""

    rest_url: str
    ws_private_url: str
    native: str  # "BTCUSDT"

    @property
    def symbol(self) -> Symbol:
        return Symbol(f"{self.native.removesuffix('USDT')}/USDT:USDT")

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the exchange's control interface: its truth."""
        return self._ask(method, f"/sandbox/{path}", body)

    def price(self) -> Decimal:
        """Return the market's last price."""
        answer = self._ask("GET", f"/v5/market/tickers?category=linear&symbol={self.native}", None)
        return Decimal(answer["result"]["list"][0]["lastPrice"])

    def _ask(self, method: str, path: str, body: object) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.rest_url}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Life:
    """What the market's task would own. `points` counts the steps of the ports and of each delivery."""

    def __init__(
        self, *, world: World, writer: JournalWriter, venue: BybitVenue, hub: FeedHub, place: Place, points: Points
    ) -> None:
        self.world = world
        self.place = place
        self.writer = writer
        self.venue = venue
        self._hub = hub
        self._points = points
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks = Tasks("life", self._crashed)
        self.failures: list[str] = []

    async def begin(self, folder: Path, *, careless: Callable[[Journal], Journal] | None) -> None:
        """Replay the journal, and take the market up; `careless` puts another journal in between, for the worse."""
        memory = await replay(self.writer)
        self.memory = memory
        inner: Journal = self.writer if careless is None else careless(self.writer)
        journal: Journal = CrashingJournal(inner, folder / FILE, self._points)
        venue: Venue = CrashingVenue(self.venue, self._points)
        instruments = await self.venue.instruments([self.place.symbol])
        self.instrument: Instrument = instruments[self.place.symbol]
        self.start_price = (await self.venue.trades(self.instrument, 1))[-1].price
        market = self.instrument.market
        budget = Budget(clock=self.world.clock, venue=VENUE, windows=(Window(most=100, span_ns=SECOND_NS),))
        numbers = Numbers(memory.next_number)
        self.executor = Executor(
            world=self.world,
            journal=journal,
            venue=venue,
            instrument=self.instrument,
            budget=budget,
            numbers=numbers,
            post=self._inbox.put_nowait,
            on_crash=self._crashed,
            memory=memory.market(market),
            born_ns=memory.born_ns,
            strategy="crash",
            venue_clock=VenueClock(self.world.clock, most_ns=SECOND_NS),
            receive_window_ns=WINDOW_MS * 1_000_000,
            settle_margin_ns=MARGIN_NS,
        )
        self.account = Account(
            world=self.world,
            journal=journal,
            venue=venue,
            budget=budget,
            numbers=numbers,
            last_execution_ns=memory.market(market).last_execution_ns,
            born_ns=memory.born_ns,
            equity={currency: equity for (_, currency), equity in memory.equity.items()},
            busy_s=0.5,
        )
        self.account.register(market, self._inbox.put_nowait, self.executor.pulse)
        self._stream = self._hub.account(self.account)
        self._tasks.spawn("market", self._run())
        self._tasks.spawn("account", self.account.run())
        await self.until(lambda: self.account.live and self.executor.settled)

    async def end(self) -> None:
        """Stop in order."""
        await self._stream.aclose()
        await self._tasks.aclose()
        await self.executor.aclose()

    async def _run(self) -> None:
        while True:
            due_ns = self.executor.deadline_ns()
            now_ns = self.world.clock.now_ns()
            try:
                async with asyncio.timeout(None if due_ns is None else max(0, due_ns - now_ns) / SECOND_NS):
                    message = await self._inbox.get()
            except TimeoutError:
                self.executor.tick(self.world.clock.now_ns())
                continue
            kind = type(message).__name__
            self._points.reach(f"before hearing {kind}")
            self.executor.handle(message)
            self._points.reach(f"heard {kind}")

    def _crashed(self, name: str, error: BaseException) -> None:
        self.failures.append(f"{name}: {error!r}")

    # ------------------------------------------------------------------------------------------------------- waiting
    async def until(self, holds: Callable[[], bool], within_s: float = 240) -> None:
        """Wait until `holds`; TimeoutError where it does not."""
        async with asyncio.timeout(within_s):
            while not holds():
                if self.failures:
                    raise AssertionError(self.failures)
                await asyncio.sleep(0.005)

    def order(self, client_id: ClientId) -> Order:
        """Return what is believed of the order."""
        return next(order for order in self.executor.memory().orders if order.client_id == client_id)

    def rests(self) -> bool:
        """Whether nothing is in question or on its way."""
        return self.executor.settled and all(_at_rest(order) for order in self.executor.orders)

    # --------------------------------------------------------------------------------------------------------- orders
    def proposal(self, *, side: Side, kind: OrderKind, at: Decimal, quantity: Decimal | None = None) -> Proposal:
        """Return an order at `at` times the price of the beginning; an entry where no quantity is given."""
        price = nearest_to(self.start_price * at, self.instrument.tick)
        step = self.instrument.step
        entry = quantity is None
        return Proposal(
            market=self.instrument.market,
            purpose=Purpose.ENTRY if entry else Purpose.EXIT,
            side=side,
            kind=kind,
            quantity=max(nearest_to(VALUE / self.start_price, step), step) if quantity is None else quantity,
            price=price if kind is OrderKind.LIMIT else None,
            stop=nearest_to(self.start_price * Decimal("0.7"), self.instrument.tick) if entry else None,
            reference=price,
            reason="crash",
        )


def _at_rest(order: Order) -> bool:
    resting = order.status in (OrderStatus.ACKED, OrderStatus.PARTIAL) and order.intent.kind is OrderKind.LIMIT
    return resting and not order.cancel_requested_ns


@contextlib.asynccontextmanager
async def life(
    folder: Path, place: Place, points: Points, *, careless: Callable[[Journal], Journal] | None = None
) -> AsyncIterator[Life]:
    """A life on the journal in `folder`, compared with the exchange and settled, for as long as the block lasts."""
    world = real_world()
    async with contextlib.AsyncExitStack() as exits:
        writer = await exits.enter_async_context(await JournalWriter.open(folder, world, reserve_bytes=RESERVE_BYTES))
        venue = BybitVenue(
            key=KEY,
            secret=SECRET,
            rest_url=place.rest_url,
            now_ns=world.clock.now_ns,
            venue_now_ms=lambda: world.clock.now_ns() // 1_000_000,
            receive_window_ms=WINDOW_MS,
        )
        exits.push_async_callback(venue.aclose)
        hub = await exits.enter_async_context(
            FeedHub(
                world=world,
                name=VENUE,
                public=[],
                private=lambda: BybitPrivate(url=place.ws_private_url, key=KEY, secret=SECRET, markets=venue.market_of),
                connects=ConnectBudget(world.clock, most=100),
                on_note=lambda *_: None,
            )
        )
        one = Life(world=world, writer=writer, venue=venue, hub=hub, place=place, points=points)
        try:
            await one.begin(folder, careless=careless)
            yield one
        finally:
            await one.end()
