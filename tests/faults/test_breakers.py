"""Circuit breakers on real sockets: who is let through, what counts, and what a kill leaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kangbot.errors import KangbotError
from kangbot.execution.budget import Budget
from kangbot.execution.circuits import Circuits
from kangbot.execution.errands import Errands
from kangbot.journal.writer import JournalWriter
from kangbot.machines.breaker import BreakerTerms
from kangbot.machines.breakers import Breakers
from kangbot.machines.faults import LANES
from kangbot.machines.limiter import Window
from kangbot.model.events import BreakerState, Lane
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, World, real_world
from kangbot.sim.markets.listing import linear
from kangbot.venues.bybit.venue import BybitVenue
from tests.faults.conftest import Expect
from tests.support.fault_proxy import FaultProxy
from tests.support.fault_world import FaultWorld
from tests.support.sandbox_process import Running, sandbox_process

pytestmark = pytest.mark.process

INSTRUMENT: Instrument = linear("BTCUSDT").instrument
MARKET = INSTRUMENT.market


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A venue behind a proxy, and the breakers of one market."""

    world: World
    venue: BybitVenue
    proxy: FaultProxy
    circuits: Circuits
    budget: Budget
    tasks: Tasks

    @property
    def state(self) -> BreakerState:
        """Where the breaker of entries stands."""
        return self.circuits.breakers.of(MARKET, Lane.ENTRY).state


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    """One exchange for these tests."""
    with sandbox_process() as running:
        yield running


@asynccontextmanager
async def rig(sandbox: Running, folder: Path) -> AsyncIterator[Rig]:
    """Compose the adapter, a journal and the circuits as the daemon does; the cool-down is short."""
    world = real_world()
    port = urlsplit(sandbox.rest_url).port
    assert port is not None
    tasks = Tasks("faults", lambda name, error: pytest.fail(f"{name}: {error!r}"))
    with FaultProxy(port) as proxy:
        venue = BybitVenue(
            key=sandbox.key,
            secret=sandbox.secret,
            rest_url=f"http://127.0.0.1:{proxy.port}",
            now_ns=world.clock.now_ns,
            venue_now_ms=lambda: world.clock.now_ns() // 1_000_000,
            receive_window_ms=5000,
            timeout_s=60.0,  # nothing here ends by its time, however slow the machine
            connect_timeout_s=60.0,
        )
        budget = Budget(clock=world.clock, venue="bybit", windows=(Window(most=5000, span_ns=SECOND_NS),))
        async with await JournalWriter.open(folder, world) as journal:
            circuits = Circuits(
                world=world,
                journal=journal,
                venue=venue,
                budget=budget,
                data_budget=budget,
                breakers=Breakers(BreakerTerms(row_cool_down_ns=2 * SECOND_NS)),
                changed=lambda _market: None,
                closed=lambda: None,
            )
            circuits.add(INSTRUMENT)
            tasks.spawn("circuits", circuits.run())
            await venue.instruments([INSTRUMENT.symbol])
            try:
                yield Rig(world=world, venue=venue, proxy=proxy, circuits=circuits, budget=budget, tasks=tasks)
            finally:
                await tasks.aclose()
                await venue.aclose()


async def tripped(rig: Rig) -> None:
    """Let five calls in a row fail on a venue that refuses connections."""
    rig.proxy.refuse()
    for _ in range(5):
        try:
            await rig.venue.open_orders()
        except KangbotError as error:
            rig.circuits.ended(MARKET, Lane.ENTRY, error)
    rig.proxy.accept()
    assert rig.state is BreakerState.OPEN


def asked(sandbox: Running) -> int:
    """Return how often the exchange was asked for open orders."""
    count: int = sandbox.truth()["requests"].get("GET /v5/order/realtime", 0)
    return count


async def test_one_call_is_admitted_while_it_is_half_open(sandbox: Running, tmp_path: Path, expect: Expect) -> None:
    """Fifty callers at once, for as long as the probe is under way: the venue sees the probe and nobody else."""
    row = expect("50 concurrent calls while half-open", "1 admitted")
    async with rig(sandbox, tmp_path) as it:
        await tripped(it)
        it.proxy.hold_s = 2.0
        before = asked(sandbox)
        begun, admitted = time.monotonic(), 0

        async def call() -> None:
            nonlocal admitted
            while it.state is not BreakerState.CLOSED:
                it.circuits.force_retry(MARKET, "a caller")  # as impatient as can be
                if not it.circuits.held(MARKET):
                    admitted += 1
                    await it.venue.open_orders()
                await asyncio.sleep(0.05)

        calls = [it.tasks.spawn(f"call/{number}", call()) for number in range(50)]
        async with asyncio.timeout(120):
            while not all(one.done() for one in calls):
                await asyncio.sleep(0.05)
        seen, took = asked(sandbox) - before, time.monotonic() - begun
    row.measured(
        f"{seen} admitted (the probe), {admitted} callers let past the breaker in {took:.1f} s",
        ok=seen == 1 and not admitted,
    )


async def test_a_thousand_cancellations_trip_nothing(sandbox: Running, tmp_path: Path, expect: Expect) -> None:
    """Requests that we give up ourselves, in the air or waiting for a connection, say nothing of the venue."""
    row = expect("1,000 cancelled calls", "0 trips, 0 failures counted")
    async with rig(sandbox, tmp_path) as it:
        it.proxy.hold_s = 30.0
        flying = Tasks("errands", lambda name, error: pytest.fail(f"{name}: {error!r}"))
        errands = Errands(
            instrument=INSTRUMENT,
            venue=it.venue,
            budget=it.budget,
            clock=it.world.clock,
            tasks=flying,
            post=lambda _outcome: None,
            timeout_s=60.0,
            ended=lambda operation, error, _subject: it.circuits.ended(MARKET, LANES[operation], error),
        )
        for number in range(1000):
            errands.cancel(ClientId(f"kbcancel{number}"))
        async with asyncio.timeout(120):
            while not it.proxy.connects:  # by then the rest of them waits for its turn or for a connection
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        sent = len(it.proxy.connects)
        await flying.aclose()
        await asyncio.sleep(0.2)
        failures = sum(len(breaker.failed_ns) for _, _, breaker in it.circuits.breakers)
        trips = sum(breaker.trips for _, _, breaker in it.circuits.breakers)
        fault = it.circuits.local_fault_ns
    row.measured(
        f"{trips} trips, {failures} failures counted, {sent} of the requests had left",
        ok=not trips and not failures and not fault and bool(sent),
    )


@pytest.mark.sweep
def test_an_open_breaker_outlives_a_kill(tmp_path: Path, expect: Expect) -> None:
    """The exchange answers every new order with 502: entries stop, the daemon is killed, and nothing is tried early."""
    row = expect("kill -9 while a breaker is open", "0 early calls, open until the same moment, trading after it")
    config = "[breakers]\nin_a_row = 3\nrow_cool_down_s = 60\n"
    markets = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n[[markets]]\nsymbol = "ETH/USDT:USDT"\n'
    with FaultWorld(tmp_path, bases=("BTC", "ETH"), config=config + markets) as world:
        world.sandbox.fault({"fault": "http_5xx", "path": "/v5/order/create", "status": 502, "count": 1_000_000})
        world.start()
        opened = world.until(lambda r: any(b.state == "open" and b.lane == "entry" for b in r.breakers), 240)
        before = next(b for b in opened.breakers if b.state == "open" and b.lane == "entry")
        base = before.market.split(":")[1].split("-")[0]
        world.daemon.kill()
        world.sandbox.heal()
        world.start()
        started = time.time()
        world.live()
        after = next(b for b in world.client.report().breakers if b.market == before.market and b.lane == "entry")
        until = before.until_ns / 1e9
        time.sleep(max(0.0, until - time.time() - 0.2))
        early = [row for row in world.orders_of(base, started, until) if not row["reduceOnly"]]
        world.until(lambda report: not any(one.state == "open" for one in report.breakers), 60)
        closed = time.time() - until
        world.until(lambda _: bool(world.orders_of(base, until, time.time())), 60)
        row.measured(
            f"{len(early)} orders in the {until - started:.0f} s that were left, the moment moved by "
            f"{abs(after.until_ns - before.until_ns) / 1e9:.3f} s, closed {closed:.1f} s after it, then traded",
            ok=not early and after.state == "open" and after.until_ns == before.until_ns,
        )
