"""The simulation's adapter of `ports.Venue`, behind the network that carries a scenario's requests.

For virtual time only: what is lost on the way is waited for in full.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from kangbot.model.ids import VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Money, Price, Quantity
from kangbot.model.orders import Intent, OrderKind, Side
from kangbot.ports import IdRule, Venue
from kangbot.runtime.world import Clock, World
from kangbot.sim.exchange.front import Front
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear, spot
from kangbot.sim.markets.spec import VenueSpec
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.loop import VirtualLoop
from kangbot.sim.world.network import Network, Stamp
from kangbot.sim.world.port import SimPort
from kangbot.sim.world.process import Process, ProcessCarrier
from tests.support.venue_bench import BALANCE, Intents

T = TypeVar("T")

START_NS = 1_760_000_000_000_000_000
_TIMEOUT_S = 6.0
_WINDOW_NS = 5_000_000_000


class Unwatched:
    """Implements `Departures` for nobody."""

    def departs(self, *, public: bool) -> int:
        """Look away."""
        return 0

    def arrives(self, left_ns: int, *, public: bool) -> None:
        """Look away."""

    def told_to_wait(self, for_ns: int, *, public: bool) -> None:
        """Look away."""


class _OneFault:
    """Implements `Carrier`: the one request that is carried next is struck by `next_kind`, as by a fault of a plan."""

    def __init__(self, inner: ProcessCarrier, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self.next_kind: Kind | None = None

    async def carry(
        self, act: Callable[[], T], *, changes: bool, stamp: Stamp | None = None, public: bool = False
    ) -> T:
        """Carry it, and end the fault with it."""
        kind, self.next_kind = self.next_kind, None
        if kind is not None:
            self._faults.begin(kind, 1.0)
        try:
            return await self._inner.carry(act, changes=changes, stamp=stamp, public=public)
        finally:
            if kind is not None:
                self._faults.end(kind)


class _LongAgo:
    """Implements `Stamps` by a clock that is years behind."""

    def now_ns(self) -> int:
        """Return 1970, and a little more."""
        return 1_000_000_000_000


class SimBench:
    """`SimPort` in front of a venue in memory, whose prices stand still. Faults strike every method alike."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._clock = Clock(lambda: loop.now_ns, START_NS)
        world = World(clock=self._clock, seed=b"conformance")
        one, other, pair = linear("BTCUSDT"), linear("ETHUSDT"), spot("BTCUSDT")
        self.linear, self.other, self.spot = one.instrument, other.instrument, pair.instrument
        spec = VenueSpec(markets=(one, other, pair), start_ns=START_NS, history_minutes=30, balance=BALANCE)
        self._engine = SimVenue(spec, world.fork)
        self._engine.frozen = True
        self._faults = Faults(world.fork("faults"))
        network = Network(
            faults=self._faults,
            venue_now_ns=self._clock.now_ns,
            served=lambda: None,
            timeout_s=_TIMEOUT_S,
        )
        process = ProcessCarrier(network, Process(lambda _: None), Unwatched())
        self._carrier = _OneFault(process, self._faults)
        self._intents = Intents(self._clock.now_ns)
        self.venue: Venue = self._port(self._clock)

    def _port(self, clock: Clock | _LongAgo) -> Venue:
        return SimPort(
            name=VenueName("bybit"),
            front=Front(self._engine),
            carrier=self._carrier,
            clock=clock,
            venue_now_ns=self._clock.now_ns,
            id_rule=IdRule.FOR_EVER,
            window_ns=_WINDOW_NS,
        )

    def now_ns(self) -> int:
        """Return our clock, which is the venue's as well."""
        return self._clock.now_ns()

    def price(self, instrument: Instrument) -> Price:
        return self._engine.desks[instrument.market].book.best(Side.SELL)

    def intent(self, instrument: Instrument, **changes: Any) -> Intent:
        return self._intents.entry(instrument, self.price(instrument), changes)

    def recent_ns(self) -> int:
        return START_NS - 60_000_000_000

    async def move_by_hand(self, amount: Money) -> None:
        self._engine.transfer(amount, self.now_ns())

    async def order_by_hand(self, instrument: Instrument, side: Side, quantity: Quantity, price: Price) -> None:
        request = OrderRequest(
            market=instrument.market, side=side, kind=OrderKind.LIMIT, quantity=quantity, price=price
        )
        self._engine.submit(request, self._clock.now_ns())

    def late(self) -> Venue:
        return self._port(_LongAgo())

    async def lose_answer(self, method: str, *, after: bool) -> None:
        del method
        self._carrier.next_kind = Kind.LOST_ANSWER if after else Kind.LOSS

    async def fail(self, method: str) -> None:
        del method
        self._faults.begin(Kind.SERVER_ERROR, 1.0)

    async def limit(self) -> tuple[float, float]:
        self._faults.begin(Kind.THROTTLE, 1.0)
        return 0.2, 2.0

    async def heal(self) -> None:
        for kind in Kind:
            self._faults.end(kind)


@asynccontextmanager
async def simulation() -> AsyncIterator[SimBench]:
    """Make a venue in memory, and put the adapter in front of it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    yield SimBench(loop)
