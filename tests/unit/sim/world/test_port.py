"""How the daemon's requests are worded on their way to the simulated venue: stamped, counted, and page by page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from kangbot.model.ids import VenueName, client_id
from kangbot.model.orders import Fill, Side
from kangbot.ports import IdRule
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.front import Front
from kangbot.sim.world.network import Stamp
from kangbot.sim.world.port import SimPort
from tests.support.sim_bench import Bench
from tests.support.trade_words import TAG, intent

T = TypeVar("T")
D = Decimal
WINDOW_NS = 5_000_000_000
AHEAD_NS = 777  # of the host that answers, before the venue's events


@dataclass
class Story:
    """A port whose carrier delivers at once; implements `Carrier` and `Stamps`."""

    bench: Bench = field(default_factory=Bench)
    carried: list[tuple[bool, Stamp | None, bool]] = field(default_factory=list)  # changes, stamp, public
    between: Callable[[], object] = lambda: None  # what happens at the venue before a request arrives
    turns: int = 0
    ours_ns: int = 1_000  # our clock

    def now_ns(self) -> int:
        """Return our time, by which requests are stamped."""
        return self.ours_ns

    async def carry(
        self, act: Callable[[], T], *, changes: bool, stamp: Stamp | None = None, public: bool = False
    ) -> T:
        """Have the venue do it."""
        self.carried.append((changes, stamp, public))
        self.between()
        return act()

    @property
    def fills(self) -> list[Fill]:
        """Return what was filled at the venue, oldest first."""
        return [event.fill for event in self.bench.venue.executions if isinstance(event, Executed)]

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place in the budget, and meanwhile time passes."""
        self.turns += 1
        self.ours_ns += 50
        yield

    def port(self, rows_a_page: int = 1000) -> SimPort:
        """Return the port."""
        return SimPort(
            name=VenueName("bybit"),
            front=Front(self.bench.venue),
            carrier=self,
            clock=self,
            venue_now_ns=lambda: self.bench.now_ns,
            door_ns=lambda: self.bench.now_ns + AHEAD_NS,
            id_rule=IdRule.FOR_EVER,
            window_ns=WINDOW_NS,
            turn=self.turn,
            rows_a_page=rows_a_page,
        )


BTC, COINS = (Bench().venue.desks[market].spec.instrument for market in (Bench.btc, Bench.spot))
ORDER = client_id(TAG, 1)
Request = Callable[[SimPort], Coroutine[Any, Any, object]]
QUESTIONS: dict[str, Request] = {
    "find": lambda port: port.find(BTC, ORDER),
    "open orders": lambda port: port.open_orders(),
    "executions": lambda port: port.executions(0),
    "positions": lambda port: port.positions(),
    "balances": lambda port: port.balances(),
    "transfers": lambda port: port.transfers(0),
}
PUBLIC: dict[str, Request] = {
    "instruments": lambda port: port.instruments([BTC.symbol]),
    "bars": lambda port: port.bars(BTC, 60, 5),
    "trades": lambda port: port.trades(BTC, 5),
    "quote": lambda port: port.quote(BTC),
    "time": lambda port: port.server_time_ns(),
}
CHANGES: dict[str, Request] = {
    "submit": lambda port: port.submit(BTC, intent(2)),
    "cancel": lambda port: port.cancel(BTC, ORDER),
    "protect": lambda port: port.protect(BTC, D(900)),
    "cover": lambda port: port.cover(COINS, None, D(0), ORDER, fresh=False),
}


def story() -> Story:
    """Return one in which an order of ours rests and something is held."""
    told = Story()
    told.bench.submit(Side.BUY, "0.1", "900", client_id=ORDER)
    told.bench.submit(Side.BUY, "0.1")
    return told


@pytest.mark.parametrize("ask", [*QUESTIONS.values(), *CHANGES.values()], ids=[*QUESTIONS, *CHANGES])
def test_what_concerns_the_account_is_stamped_when_its_turn_has_come(ask: Request) -> None:
    """Not when it was asked for: the budget may keep it waiting. It carries its receive window."""
    told = story()
    asyncio.run(ask(told.port()))
    ((changes, stamp, public),) = told.carried
    assert (changes, public, told.turns) == (ask in CHANGES.values(), False, 1)
    assert stamp == Stamp(1_050, 1_050 + WINDOW_NS)


@pytest.mark.parametrize("ask", PUBLIC.values(), ids=PUBLIC)
def test_what_everybody_may_ask_is_counted_apart_and_carries_no_stamp(ask: Request) -> None:
    """As at the venues."""
    told = story()
    asyncio.run(ask(told.port()))
    assert (told.carried, told.turns) == ([(False, None, True)], 1)


def test_the_leverage_is_set_beside_the_account_s_requests() -> None:
    """It changes something, and it is sent again where it may not have arrived: late or twice, it is the same."""
    told = story()
    asyncio.run(told.port().prepare(BTC, 3))
    assert (told.carried, told.turns) == ([(True, None, True)], 1)
    assert told.bench.venue.account.leverage(Bench.btc) == 3


def test_the_mark_is_known_without_a_request() -> None:
    """It fails by nobody's fault."""
    told = story()
    assert asyncio.run(told.port().mark(BTC)) == told.bench.venue.desks[Bench.btc].mark
    assert told.carried == []


def test_an_order_is_done_when_it_arrives() -> None:
    """By the venue's clock of that moment, and no sooner."""
    told = story()
    port = told.port()
    told.between = lambda: setattr(told.bench, "now_ns", told.bench.now_ns + 5_000)
    before_ns = told.bench.now_ns
    report = asyncio.run(port.submit(BTC, intent(2)))
    assert report.at_ns == before_ns + 5_000


def test_answers_tell_the_time_of_the_host_that_gives_them() -> None:
    """Which the daemon measures its own clock by; without one of its own it is the time of the events."""
    told = story()
    port = told.port()
    lookup = asyncio.run(port.find(BTC, ORDER))
    assert lookup.report is not None
    assert (lookup.report.client_id, lookup.venue_ns) == (ORDER, told.bench.now_ns + AHEAD_NS)
    assert asyncio.run(port.server_time_ns()) == told.bench.now_ns + AHEAD_NS
    plain = SimPort(
        name=VenueName("bybit"),
        front=Front(told.bench.venue),
        carrier=told,
        clock=told,
        venue_now_ns=lambda: 42,
        id_rule=IdRule.WHILE_OPEN,
        window_ns=1,
    )
    assert (asyncio.run(plain.server_time_ns()), plain.id_rule, plain.name) == (42, IdRule.WHILE_OPEN, "bybit")


def executed(count: int) -> Story:
    """Return one in which so many orders were filled, in two markets by turns."""
    told = Story()
    for number in range(count):
        told.bench.submit(Side.BUY, "0.1", market=(Bench.btc, Bench.eth)[number % 2])
    return told


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (2, 1), (3, 2), (7, 3), (9, 4)])
def test_executions_are_asked_for_page_by_page(count: int, requests: int) -> None:
    """Until one is not full: each execution once, oldest first, and a turn a request."""
    told = executed(count)
    found = asyncio.run(told.port(3).executions(0))
    assert found == told.fills
    assert (len(told.carried), told.turns) == (requests, requests)


def test_what_is_executed_while_pages_are_read_is_on_a_later_one() -> None:
    """None is left out, and none comes twice."""
    told = executed(5)
    told.between = lambda: told.bench.submit(Side.SELL, "0.1") if len(told.carried) == 2 else None
    found = asyncio.run(told.port(3).executions(0))
    assert found == told.fills
    assert len(found) == 6


def test_executions_may_be_those_of_one_market_and_of_a_while() -> None:
    """On pages of their own."""
    told = executed(8)
    fills = told.fills
    found = asyncio.run(told.port(2).executions(fills[3].at_ns, Bench.eth))
    assert found == [fill for fill in fills[3:] if fill.market == Bench.eth]
    assert len(found) == 3
