"""Adapters of `ports.Venue` with a venue behind them that a test may look into and break.

The simulation's own is in `venue_sim_bench.py`; which suite asks what of which of them, in `venue_adapters.py`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol

import aiohttp
import msgspec

from kangbot.machines.memory import Memory
from kangbot.model.ids import Symbol, client_id
from kangbot.model.market import Instrument
from kangbot.model.money import Money, Price, Quantity, ceil_to
from kangbot.model.orders import Intent, OrderKind, Purpose, Side
from kangbot.ports import Venue
from kangbot.runtime.world import Clock, World
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import Sandbox, serve
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperVenue
from kangbot.venues.bybit.venue import BybitVenue

BALANCE = Decimal(50_000)  # USDT; less than the margin of the largest order that a market takes


class Bench(Protocol):
    """A venue under test, and the hand that moves the world behind it. Prices stand still."""

    venue: Venue
    linear: Instrument
    other: Instrument  # another contract
    spot: Instrument

    def price(self, instrument: Instrument) -> Price:
        """Return the best bid."""

    def intent(self, instrument: Instrument, **changes: Any) -> Intent:
        """Return a market entry of a small size under a new client id, changed as asked."""

    def recent_ns(self) -> int:
        """Return a time shortly before the venue was made."""

    async def order_by_hand(self, instrument: Instrument, side: Side, quantity: Quantity, price: Price) -> None:
        """Place a limit order past the adapter, as a person does on the venue's site."""


class MovingBench(Bench, Protocol):
    """A venue whose account is one of several of its owner's."""

    async def move_by_hand(self, amount: Money) -> None:
        """Move money into the account, or out of it where it is negative."""


class RemoteBench(Bench, Protocol):
    """A venue with a network in between, and the hand that breaks it."""

    def late(self) -> Venue:
        """Return another adapter of the same venue, one whose clock is years behind."""

    async def lose_answer(self, method: str, *, after: bool) -> None:
        """Let the next call of `method` time out, after the venue did what was asked or before."""

    async def fail(self, method: str) -> None:
        """Let every call of `method` be answered by a broken proxy, until it is healed."""

    async def limit(self) -> tuple[float, float]:
        """Let every call be refused for its rate; return between which times, in seconds, it says to wait."""

    async def heal(self) -> None:
        """End all faults."""


class WireBench(RemoteBench, Protocol):
    """A venue that is reached by an address and asked under a key."""

    def stranger(self, **changes: Any) -> Venue:
        """Return another adapter of the same venue: with a wrong key or secret, or another address."""


class Intents:
    """Writes entries of a small size, each under a client id of its own."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._number = 0

    def entry(self, instrument: Instrument, price: Price, changes: Mapping[str, Any]) -> Intent:
        """Return a market entry at that price, changed as asked."""
        self._number += 1
        smallest = max(instrument.min_quantity, ceil_to(instrument.min_notional * 2 / price, instrument.step))
        plain = Intent(
            client_id=client_id("conforms", self._number),
            number=self._number,
            market=instrument.market,
            purpose=Purpose.ENTRY,
            side=Side.BUY,
            kind=OrderKind.MARKET,
            quantity=smallest,
            reference=price,
            reason="conformance",
            at_ns=self._now_ns(),
            deadline_ns=self._now_ns() + 5_000_000_000,
        )
        return msgspec.structs.replace(plain, **changes)


_PATHS = {
    "submit": "/v5/order/create",
    "cancel": "/v5/order/cancel",
    "protect": "/v5/position/trading-stop",
    "find": "/v5/order/history",
    "open_orders": "/v5/order/realtime",
    "executions": "/v5/execution/list",
    "positions": "/v5/position/list",
    "balances": "/v5/account/wallet-balance",
    "prepare": "/v5/position/set-leverage",
}


class BybitBench:
    """`BybitVenue` in front of the sandbox exchange."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._sandbox = sandbox
        self._session = session
        self._clock = clock
        self._intents = Intents(clock.now_ns)
        self._began_ns = clock.now_ns()
        self.opened: list[BybitVenue] = []
        self.venue: Venue = self.stranger()

    @property
    def requests(self) -> int:
        """How many requests the exchange was sent."""
        return self._sandbox.exchange.requests.total()

    async def stand_still(self) -> None:
        """Stop the prices."""
        async with self._session.post(f"{self._sandbox.rest_url}/sandbox/pause", json={"paused": True}) as answer:
            assert answer.status == 200

    async def learn(self) -> None:
        """Ask for the markets, as a start does."""
        names = [Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT"), Symbol("BTC/USDT")]
        found = await self.venue.instruments(names)
        self.linear, self.other, self.spot = (found[name] for name in names)

    def stranger(self, **changes: Any) -> Venue:
        settings: dict[str, Any] = {
            "key": "sandbox",
            "secret": "sandbox",
            "rest_url": self._sandbox.rest_url,
            "now_ns": self._clock.now_ns,
            "venue_now_ms": lambda: self._clock.now_ns() // 1_000_000,
            **changes,
        }
        self.opened.append(BybitVenue(**settings))
        return self.opened[-1]

    def recent_ns(self) -> int:
        return self._began_ns - 60_000_000_000

    def price(self, instrument: Instrument) -> Price:
        desk = self._sandbox.exchange.desk(instrument.kind.value, instrument.native)
        return desk.book.best(Side.SELL)

    def intent(self, instrument: Instrument, **changes: Any) -> Intent:
        return self._intents.entry(instrument, self.price(instrument), changes)

    def late(self) -> Venue:
        return self.stranger(venue_now_ms=lambda: 1_000_000)

    async def lose_answer(self, method: str, *, after: bool) -> None:
        fault = "timeout_after_accept" if after else "timeout_before_accept"
        await self._faults({"fault": fault, "path": _PATHS[method], "answer": "never", "hold_s": 0.0})

    async def fail(self, method: str) -> None:
        await self._faults({"fault": "http_5xx", "path": _PATHS[method], "status": 502, "count": 1000})

    async def limit(self) -> tuple[float, float]:
        await self._faults({"fault": "rate_limit", "for_s": 60, "retry_after": 3.0})
        return 1.0, 3.0  # less what has passed since

    async def heal(self) -> None:
        async with self._session.delete(f"{self._sandbox.rest_url}/sandbox/faults") as answer:
            assert answer.status == 200

    async def _faults(self, *faults: dict[str, Any]) -> None:
        async with self._session.post(f"{self._sandbox.rest_url}/sandbox/faults", json=faults) as answer:
            assert answer.status == 200, await answer.text()

    async def order_by_hand(self, instrument: Instrument, side: Side, quantity: Quantity, price: Price) -> None:
        order = {
            "category": instrument.kind.value,
            "symbol": instrument.native,
            "side": side.value.capitalize(),
            "orderType": "Limit",
            "qty": str(quantity),
            "price": str(price),
        }
        async with self._session.post(f"{self._sandbox.rest_url}/sandbox/order", json=order) as answer:
            assert answer.status == 200, await answer.text()

    async def move_by_hand(self, amount: Money) -> None:
        moved = {"amount": str(amount)}
        async with self._session.post(f"{self._sandbox.rest_url}/sandbox/transfer", json=moved) as answer:
            assert answer.status == 200, await answer.text()


@asynccontextmanager
async def bybit() -> AsyncIterator[BybitBench]:
    """Serve the sandbox exchange, and put the adapter in front of it."""
    clock = Clock()
    options = ServeOptions(
        symbols=("BTCUSDT", "ETHUSDT"),
        spot_symbols=("BTCUSDT",),
        history_minutes=30,
        balance=BALANCE,
        enforce_limits=False,
    )
    async with await serve(options, clock) as sandbox, aiohttp.ClientSession() as session:
        bench = BybitBench(sandbox, session, clock)
        try:
            await bench.stand_still()
            await bench.learn()
            yield bench
        finally:
            for venue in bench.opened:
                await venue.aclose()


class PaperBench:
    """`PaperVenue`: the sandbox's markets by `BybitVenue`, and an account that the sandbox never hears of."""

    def __init__(self, real: BybitBench, clock: Clock) -> None:
        self._real = real
        self._clock = clock
        world = World(clock=clock, seed=b"conformance")
        ledger = Ledger(real.venue.name, "USDT")
        self._account = PaperAccount(world=world, balance=BALANCE, memory=Memory(), ledger=ledger)
        self.venue: Venue = PaperVenue(real.venue, self._account, clock, real.opened[0].funding)
        self.linear, self.other, self.spot = real.linear, real.other, real.spot

    async def learn(self) -> None:
        """Have the account trade the markets, at their prices."""
        markets = (self.linear, self.other, self.spot)
        await self.venue.instruments([instrument.symbol for instrument in markets])
        for instrument in markets:
            await self.venue.quote(instrument)

    def price(self, instrument: Instrument) -> Price:
        return self._real.price(instrument)

    def intent(self, instrument: Instrument, **changes: Any) -> Intent:
        return self._real.intent(instrument, **changes)

    def recent_ns(self) -> int:
        return self._real.recent_ns()

    async def order_by_hand(self, instrument: Instrument, side: Side, quantity: Quantity, price: Price) -> None:
        request = OrderRequest(
            market=instrument.market, side=side, kind=OrderKind.LIMIT, quantity=quantity, price=price
        )
        self._account.engine.submit(request, self._clock.now_ns())


@asynccontextmanager
async def paper() -> AsyncIterator[PaperBench]:
    """Put an account of paper in front of the sandbox exchange's markets."""
    async with bybit() as real:
        bench = PaperBench(real, Clock())
        await bench.learn()
        yield bench
