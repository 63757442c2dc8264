"""Every request to Bybit is held under a turn of its own, whatever it is for and however many a call takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest

from kangbot.errors import KangbotError
from kangbot.execution.budget import TRANSIT_NS, Budget
from kangbot.execution.calls import calling, turn
from kangbot.machines.limiter import Window
from kangbot.machines.priority import Priority
from kangbot.model.data import Bar
from kangbot.model.market import Instrument
from kangbot.ports import Venue
from kangbot.runtime.world import SECOND_NS, Clock
from tests.support.bybit_rest import NOW_MS, bybit, rows
from tests.support.loopback import Request
from tests.support.venue_bench import BybitBench
from tests.support.venue_bench import bybit as sandbox

_LINES = 19  # pages of the log, with the last one
_MOST, _SPAN_NS = 5, SECOND_NS // 4  # what a test can wait for


async def test_a_log_of_many_pages_keeps_the_budget() -> None:
    """Each page is a request that Bybit counts; in no span are there more than the budget has."""
    arrived: list[int] = []
    clock = Clock()

    def log(request: Request) -> dict[str, object]:
        arrived.append(clock.now_ns())
        page = int(request.query.get("cursor", "0"))
        last = "type" in request.query or page == _LINES - 1
        line = {"id": str(page), "currency": "USDT", "type": "TRADE", "transactionTime": str(NOW_MS), "change": "1"}
        return rows(*([] if "type" in request.query else [line]), cursor="" if last else str(page + 1))

    windows = (Window(most=_MOST, span_ns=_SPAN_NS),)
    budget = Budget(clock=clock, venue="bybit", windows=windows, transit_ns=TRANSIT_NS)
    async with (
        asyncio.timeout(60),
        bybit({"transaction-log": log}, turn=turn) as world,
        calling(budget, Priority.CANCEL_EXIT, within_s=5.0),
    ):
        await world.venue.transfers((NOW_MS - 1000) * 1_000_000)
    assert len(arrived) > _LINES
    for at_ns in arrived:
        assert sum(at_ns <= other < at_ns + _SPAN_NS for other in arrived) <= _MOST


async def _placed(venue: Venue, bench: BybitBench) -> None:
    await venue.submit(bench.linear, bench.intent(bench.linear))
    await venue.submit(bench.spot, bench.intent(bench.spot, quantity=Decimal("0.01")))


async def _covered(venue: Venue, bench: BybitBench) -> None:
    bought = bench.intent(bench.spot, quantity=Decimal("0.01"))
    await venue.submit(bench.spot, bought)
    for share in ("0.9", "0.8"):
        stop = (bench.price(bench.spot) * Decimal(share)).quantize(bench.spot.tick)
        await venue.cover(bench.spot, stop, Decimal("0.009"), bought.client_id, fresh=share == "0.9")
    await venue.cover(bench.spot, None, Decimal("0.009"), bought.client_id, fresh=False)


async def _bars(venue: Venue, instrument: Instrument) -> list[Bar]:
    return [*await venue.bars(instrument, 60, 10), *await venue.bars(instrument, 60, 1500)]


_CALLS: dict[str, Callable[[Venue, BybitBench], Awaitable[object]]] = {
    "instruments": lambda venue, bench: venue.instruments([bench.linear.symbol, bench.spot.symbol]),
    "bars": lambda venue, bench: _bars(venue, bench.linear),
    "trades": lambda venue, bench: venue.trades(bench.linear, 10),
    "quote": lambda venue, bench: venue.quote(bench.linear),
    "mark": lambda venue, bench: venue.mark(bench.linear),
    "submit": _placed,
    "cancel": lambda venue, bench: venue.cancel(bench.linear, bench.intent(bench.linear).client_id),
    "protect": lambda venue, bench: venue.protect(bench.linear, None),
    "cover": _covered,
    "find": lambda venue, bench: venue.find(bench.linear, bench.intent(bench.linear).client_id),
    "open_orders": lambda venue, _: venue.open_orders(),
    "executions": lambda venue, bench: venue.executions(bench.recent_ns() - 20 * 86_400 * SECOND_NS),
    "positions": lambda venue, _: venue.positions(),
    "balances": lambda venue, _: venue.balances(),
    "transfers": lambda venue, bench: venue.transfers(bench.recent_ns()),
    "prepare": lambda venue, bench: venue.prepare(bench.linear, 3),
    "server_time_ns": lambda venue, _: venue.server_time_ns(),
}


@pytest.mark.parametrize("name", _CALLS)
async def test_no_call_makes_a_request_without_a_turn(name: str) -> None:
    """Whatever the port has; what ccxt would ask beside it is among them."""
    turns = 0

    @asynccontextmanager
    async def counted() -> AsyncIterator[None]:
        nonlocal turns
        turns += 1
        yield

    async with sandbox() as bench:
        venue = bench.stranger(turn=counted)
        await venue.instruments([bench.linear.symbol, bench.spot.symbol])
        known, asked = turns, bench.requests
        with suppress(KangbotError):  # no order to cancel, no position to protect: it was asked all the same
            await _CALLS[name](venue, bench)
        assert turns - known == bench.requests - asked > 0


def test_every_call_of_the_port_is_looked_at() -> None:
    """One that joins it is to be among them."""
    asks = {name for name in vars(Venue) if not name.startswith("_") and name not in {"name", "id_rule", "tells_mark"}}
    assert set(_CALLS) == asks - {"aclose"}


async def test_a_question_that_met_a_gateway_takes_another_turn() -> None:
    """It is put again, and the venue may have counted the first."""
    left = 2

    def wallet(_: Request) -> bytes | dict[str, object]:
        nonlocal left
        left -= 1
        return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n" if left >= 0 else rows()

    turns = 0

    @asynccontextmanager
    async def counted() -> AsyncIterator[None]:
        nonlocal turns
        turns += 1
        yield

    async with bybit({"wallet-balance": wallet}, turn=counted) as world:
        assert await world.venue.balances() == []
        assert turns == len(world.asked("wallet-balance")) == 3
