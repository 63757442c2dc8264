"""Every adapter that reads markets, those without orders included, with a venue behind it that shares our clock."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

from kangbot.model.ids import Symbol
from kangbot.model.market import Instrument
from kangbot.ports import Venue
from kangbot.runtime.world import Clock
from tests.support.binance_rest import binance, candles, contract, listing, ticker, trade
from tests.support.loopback import Request
from tests.support.venue_bench import bybit, paper
from tests.support.venue_sim_bench import simulation


class Markets(NamedTuple):
    """A venue under test, a contract of it, and some of what it trades."""

    venue: Venue
    linear: Instrument
    listed: Sequence[Symbol]
    now_ns: Callable[[], int]


class Reader(NamedTuple):
    """One adapter. `virtual`: its venue stands in virtual time."""

    open: Callable[[], AbstractAsyncContextManager[Markets]]
    virtual: bool = False


@asynccontextmanager
async def _bybit() -> AsyncIterator[Markets]:
    clock = Clock()
    async with bybit() as bench:
        yield Markets(bench.venue, bench.linear, (bench.linear.symbol, bench.spot.symbol), clock.now_ns)


@asynccontextmanager
async def _paper() -> AsyncIterator[Markets]:
    clock = Clock()
    async with paper() as bench:
        yield Markets(bench.venue, bench.linear, (bench.linear.symbol, bench.spot.symbol), clock.now_ns)


@asynccontextmanager
async def _simulation() -> AsyncIterator[Markets]:
    async with simulation() as bench:
        yield Markets(bench.venue, bench.linear, (bench.linear.symbol, bench.spot.symbol), bench.now_ns)


@asynccontextmanager
async def _binance() -> AsyncIterator[Markets]:
    clock = Clock()

    def now_ms() -> int:
        return clock.now_ns() // 1_000_000

    def trades(request: Request) -> list[dict[str, Any]]:
        most = int(request.query["limit"])
        return [trade(number, now_ms() - (most - number) * 100) for number in range(most)]

    endpoints = {
        "time": lambda _: {"serverTime": now_ms()},
        "exchangeInfo": lambda _: listing(contract(), contract("ETH"), contract("XRP", status="SETTLING")),
        "klines": lambda request: candles(request, now_ms=now_ms()),
        "aggTrades": trades,
        "ticker/bookTicker": lambda _: ticker(now_ms()),
    }
    async with binance(endpoints) as world:
        names = (Symbol("BTC/USDT:USDT"), Symbol("ETH/USDT:USDT"))
        found = await world.venue.instruments(names)
        yield Markets(world.venue, found[names[0]], names, clock.now_ns)


READERS: dict[str, Reader] = {
    "bybit": Reader(_bybit),
    "binance_usdm": Reader(_binance),
    "paper": Reader(_paper),
    "simulation": Reader(_simulation, virtual=True),
}
