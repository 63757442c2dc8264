"""The breakers of an account on virtual time, over a venue that can be out of reach and a disk that outlives them."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any

import msgspec
from structlog.testing import capture_logs

from kangbot.errors import Ambiguous, InsufficientFunds, NeedsHuman, RateLimited, Retryable
from kangbot.execution.budget import Budget
from kangbot.execution.circuits import Circuits
from kangbot.journal.replay import replay
from kangbot.machines.breakers import Breakers
from kangbot.machines.limiter import Window
from kangbot.machines.priority import Priority
from kangbot.model.data import Trade
from kangbot.model.events import BreakerChanged, BreakerState, Lane, Noted
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.orders import OrderReport
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARKET, START, instrument

LOST = Ambiguous("no answer in time")
OTHERS = tuple(MarketId(f"bybit:{name}-USDT:USDT") for name in ("ETH", "SOL", "XRP", "ADA"))


def told(story: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a story on virtual time."""

    @wraps(story)
    def test() -> None:
        run(story())

    return test


class Venue(FakeVenue):
    """A venue whose clock can be out of reach, and answers later each time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.clock_asked = 0
        self.trades_asked = 0
        self.away = False
        self.takes_s = 0.0

    async def open_orders(self) -> Sequence[OrderReport]:
        await asyncio.sleep(self.takes_s)
        return await super().open_orders()

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        self.trades_asked += 1
        return await super().trades(instrument, limit)

    async def server_time_ns(self) -> int:
        self.clock_asked += 1
        if self.away:
            raise RateLimited("not yet", retry_after_ns=SECOND_NS)
        return self.clock.now_ns()


class Rig:
    """One life of the circuits; the next one has the same disk and venue."""

    def __init__(self, before: "Rig | None" = None, *, markets: tuple[MarketId, ...] = (MARKET,)) -> None:
        virtual = loop()
        fresh = Clock(monotonic_ns=lambda: virtual.now_ns, anchor_ns=START)
        self.clock: Clock = fresh if before is None else before.clock
        self.disk: Disk = Disk() if before is None else before.disk
        self.venue: Venue = Venue(self.clock) if before is None else before.venue
        self.markets = markets
        self.looked: list[MarketId] = []
        self.reconciles = 0

    async def begin(self) -> Circuits:
        """Replay the disk, and begin."""
        world = World(clock=self.clock, seed=b"circuits")
        breakers = Breakers()
        await replay(self.disk, {"breakers": breakers})
        self.budget = Budget(clock=self.clock, venue="bybit", windows=(Window(most=100, span_ns=SECOND_NS),))
        self.data_budget = Budget(clock=self.clock, venue="bybit", windows=(Window(most=100, span_ns=SECOND_NS),))
        self.circuits = Circuits(
            world=world,
            journal=self.disk,
            venue=self.venue,
            budget=self.budget,
            data_budget=self.data_budget,
            breakers=breakers,
            changed=self.looked.append,
            closed=self._closed,
        )
        for market in self.markets:
            self.circuits.add(msgspec.structs.replace(instrument(), market=market))
        self._task = asyncio.create_task(self.circuits.run())
        await asyncio.sleep(0.01)
        return self.circuits

    def _closed(self) -> None:
        self.reconciles += 1

    async def end(self) -> None:
        """End as a kill does."""
        await asyncio.sleep(0.01)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def events(self) -> list[object]:
        """Return what is on disk."""
        await asyncio.sleep(0.1)
        return [record.event for record in await self.disk.read(0, 1000)]


def trip(circuits: Circuits, market: MarketId = MARKET, lane: Lane = Lane.ENTRY) -> None:
    """Have five calls fail in a row."""
    for _ in range(5):
        circuits.ended(market, lane, LOST)


@told
async def test_a_venue_that_does_not_answer_is_left_alone_and_asked_once_before_anything_goes_on() -> None:
    """Open, one question after the cool-down, closed: each on disk with its cause, and the account is reconciled."""
    rig = Rig()
    circuits = await rig.begin()
    trip(circuits)
    assert "no answer in time" in circuits.held(MARKET)
    assert rig.looked == [MARKET]
    await asyncio.sleep(140)
    assert rig.venue.asked == []
    await asyncio.sleep(170)
    assert [name for name, _ in rig.venue.asked] == ["open_orders"]
    assert circuits.held(MARKET) == ""
    assert (rig.reconciles, circuits.probes) == (1, 1)
    changes = [event for event in await rig.events() if isinstance(event, BreakerChanged)]
    assert [change.after.value for change in changes] == ["open", "half_open", "closed"]
    assert rig.venue.submits == []
    await rig.end()


@told
async def test_a_probe_whose_answer_is_strange_in_one_market_has_been_answered() -> None:
    """The way to the venue works, whatever it says there."""
    rig = Rig()
    circuits = await rig.begin()
    rig.venue.unread = {MARKET: "a new word"}
    trip(circuits)
    await asyncio.sleep(310)
    assert circuits.held(MARKET) == ""
    await rig.end()


@told
async def test_a_probe_that_fails_or_hangs_opens_it_for_longer() -> None:
    """And the venue is asked seldom."""
    rig = Rig()
    circuits = await rig.begin()
    rig.venue.unreachable = True
    trip(circuits)
    await asyncio.sleep(320)
    assert circuits.breakers.of(MARKET, Lane.ENTRY).trips == 2
    rig.venue.unreachable, rig.venue.questions_hang = False, True
    await asyncio.sleep(620)
    assert circuits.breakers.of(MARKET, Lane.ENTRY).trips == 3
    assert circuits.held(MARKET)
    assert len(rig.venue.asked) == 2
    await rig.end()


@told
async def test_many_that_are_due_at_once_close_however_slowly_the_venue_answers() -> None:
    """They are asked one after another, and none waits at the expense of its own lease."""
    markets = tuple(MarketId(f"bybit:T{number}-USDT:USDT") for number in range(10))
    rig = Rig(markets=markets)
    circuits = await rig.begin()
    for market in markets:
        trip(circuits, market)
        await asyncio.sleep(20)  # alone each time: no local fault
    rig.venue.takes_s = 6.0
    for market in markets:
        circuits.force_retry(market, "ann")
    await asyncio.sleep(65)
    assert [circuits.held(market) for market in markets] == [""] * 10
    assert len(rig.venue.asked) == 10
    await rig.end()


@told
async def test_a_breaker_that_is_reset_while_its_probe_waits_for_the_budget_is_not_probed() -> None:
    """What is waited for is a place among the requests, which is given back; the permit is lent when there is one."""
    rig = Rig()
    circuits = await rig.begin()
    trip(circuits)
    rig.budget.pause(60 * SECOND_NS)
    circuits.force_retry(MARKET, "ann")
    await asyncio.sleep(50)
    assert circuits.breakers.of(MARKET, Lane.ENTRY).state is BreakerState.OPEN
    circuits.reset(MARKET, None, "ann")
    await asyncio.sleep(10.5)
    assert (rig.venue.asked, rig.budget.waiting) == ([], 0)
    async with asyncio.timeout(0.1):
        for _ in range(100):  # all that one second has
            await rig.budget.acquire(Priority.CANCEL_EXIT)
    assert circuits.held(MARKET) == ""
    await rig.end()


@told
async def test_after_a_kill_it_is_open_until_the_same_moment() -> None:
    """The next life makes no earlier call."""
    rig = Rig()
    circuits = await rig.begin()
    trip(circuits)
    until_ns = circuits.breakers.of(MARKET, Lane.ENTRY).until_ns
    await rig.end()
    again = Rig(rig)
    circuits = await again.begin()
    assert circuits.breakers.of(MARKET, Lane.ENTRY).until_ns == until_ns
    assert circuits.held(MARKET)
    await asyncio.sleep((until_ns - again.clock.now_ns()) / SECOND_NS - 0.1)
    assert again.venue.asked == []
    await asyncio.sleep(1)
    assert len(again.venue.asked) == 1
    await again.end()


@told
async def test_refusals_and_cancellations_trip_nothing() -> None:
    """A thousand of each: the venue answered, or nobody waited."""
    rig = Rig()
    circuits = await rig.begin()
    for _ in range(1000):
        circuits.ended(MARKET, Lane.ENTRY, InsufficientFunds("no money", code="110007"))
    assert circuits.breakers.of(MARKET, Lane.ENTRY).state is BreakerState.CLOSED
    assert await rig.events() == []
    await rig.end()


@told
async def test_a_key_that_has_ended_is_no_fault_of_the_way_to_the_venue() -> None:
    """Every market meets it at once, and is answered: neither a breaker nor a local fault is told of."""
    rig = Rig()
    circuits = await rig.begin()
    ended = NeedsHuman("the key has ended", remedy="renew it", code="33004")
    for market in OTHERS:
        circuits.add(msgspec.structs.replace(instrument(), market=market))
    for _ in range(10):
        for market in (MARKET, *OTHERS):
            circuits.ended(market, Lane.ENTRY, ended)
            circuits.ended(market, Lane.EXIT, ended)
    assert not circuits.local_fault_ns
    assert await rig.events() == []
    await rig.end()


@told
async def test_it_stays_open_for_as_long_as_the_venue_asked() -> None:
    """A ban of an hour is an hour."""
    rig = Rig()
    circuits = await rig.begin()
    for _ in range(5):
        circuits.ended(MARKET, Lane.ENTRY, RateLimited("banned", retry_after_ns=3600 * SECOND_NS))
    breaker = circuits.breakers.of(MARKET, Lane.ENTRY)
    assert breaker.until_ns == rig.clock.now_ns() + 3600 * SECOND_NS
    await rig.end()


@told
async def test_the_data_lane_is_probed_by_data() -> None:
    """The newest trade, not the account."""
    rig = Rig()
    circuits = await rig.begin()
    trip(circuits, lane=Lane.DATA)
    await asyncio.sleep(320)
    assert (rig.venue.asked, rig.venue.trades_asked) == ([], 1)
    assert circuits.held(MARKET) == ""
    await rig.end()


@told
async def test_data_of_a_market_that_left_the_configuration_are_probed_by_public_data_too() -> None:
    """A probe that was counted among public requests must not be one of the account's."""
    rig = Rig()
    circuits = await rig.begin()
    trip(circuits, lane=Lane.DATA)
    await rig.end()
    again = Rig(rig, markets=OTHERS)
    circuits = await again.begin()
    await asyncio.sleep(320)
    assert (again.venue.asked, again.venue.clock_asked) == ([], 1)
    assert circuits.held(MARKET) == ""
    await again.end()


@told
async def test_a_lane_is_in_trouble_while_its_breaker_is_not_closed() -> None:
    """The other lanes of the market are not."""
    rig = Rig()
    circuits = await rig.begin()
    assert not circuits.in_trouble(MARKET, Lane.ENTRY)
    trip(circuits)
    assert circuits.in_trouble(MARKET, Lane.ENTRY)
    assert not circuits.in_trouble(MARKET, Lane.DATA)
    await rig.end()


@told
async def test_a_probe_is_overdue_where_nobody_makes_it_and_the_venue_did_not_ask_to_wait() -> None:
    """What the watchdog reads: a prober that does not probe is stuck."""
    rig = Rig()
    circuits = await rig.begin()
    assert not circuits.overdue()
    trip(circuits)
    assert not circuits.overdue()
    await rig.end()  # the prober is no more
    await asyncio.sleep(600)
    assert circuits.overdue()
    rig.budget.pause(SECOND_NS)
    assert not circuits.overdue()


@told
async def test_most_markets_failing_together_are_one_fault_with_one_alarm() -> None:
    """No breaker trips; nothing enters anywhere until one probe gets through; then everything is reconciled."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    for _ in range(5):
        for market in rig.markets[:4]:
            circuits.ended(market, Lane.ENTRY, Retryable("no name server answers"))
    assert circuits.local_fault_ns
    assert circuits.held(OTHERS[-1]).startswith("local_fault")
    assert circuits.in_trouble(OTHERS[-1], Lane.ENTRY)
    assert all(breaker.state is BreakerState.CLOSED for _, _, breaker in circuits.breakers)
    await asyncio.sleep(30)
    assert not circuits.local_fault_ns
    assert circuits.held(MARKET) == ""
    assert rig.reconciles == 1
    kinds = [event.kind for event in await rig.events() if isinstance(event, Noted)]
    assert kinds == ["local_fault", "local_fault.over"]
    assert rig.looked == [*rig.markets, *rig.markets]
    await rig.end()


@told
async def test_a_code_of_the_venues_own_that_most_markets_meet_is_no_fault_of_this_machine() -> None:
    """Its answers come: each market's breaker counts them, and none of them speaks of a network."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    for _ in range(5):
        for market in rig.markets:
            circuits.ended(market, Lane.ENTRY, Ambiguous("bybit 170999: what is this", code="170999"))
    assert circuits.local_fault_ns == 0
    assert "the entry lane is open: bybit 170999" in circuits.held(OTHERS[-1])
    assert [event for event in await rig.events() if isinstance(event, Noted)] == []
    for market in rig.markets:
        circuits.ended(market, Lane.EXIT, Ambiguous("bybit HTTP 502: a page of a proxy", code="502"))
    assert circuits.local_fault_ns
    await rig.end()


@told
async def test_a_few_of_many_markets_failing_together_are_no_local_fault() -> None:
    """The way out is the same for all of them; these three have trouble of their own."""
    rig = Rig(markets=(MARKET, *OTHERS, MarketId("v:sixth")))
    circuits = await rig.begin()
    for market in rig.markets[:3]:
        circuits.ended(market, Lane.ENTRY, LOST)
    assert (circuits.local_fault_ns, circuits.held(MARKET)) == (0, "")
    circuits.ended(rig.markets[3], Lane.ENTRY, LOST)
    assert circuits.local_fault_ns
    await rig.end()


@told
async def test_the_log_tells_that_a_breaker_opens_and_closes() -> None:
    """Which, why, and for how long nothing enters; the probe in between is no news."""
    rig = Rig()
    with capture_logs() as logs:
        circuits = await rig.begin()
        trip(circuits)
        await asyncio.sleep(320)
    opened, closed = logs
    assert (opened["event"], opened["log_level"], opened["market"]) == ("breaker.open", "warning", MARKET)
    assert (opened["lane"], opened["trips"], "no answer in time" in opened["cause"]) == ("entry", 1, True)
    assert 150 <= opened["wait_s"] <= 300
    assert (closed["event"], closed["log_level"]) == ("breaker.closed", "info")
    await rig.end()


@told
async def test_a_clock_that_was_set_back_between_two_lives_keeps_no_breaker_open() -> None:
    """It opened in the future, by the clock of now: it counts as opened at the start."""
    rig = Rig()
    trip(await rig.begin())
    await rig.end()
    rig, virtual = Rig(rig), loop()
    rig.clock = Clock(monotonic_ns=lambda: virtual.now_ns, anchor_ns=START - 86_400 * SECOND_NS)
    circuits = await rig.begin()
    assert circuits.held(MARKET)
    await asyncio.sleep(320)
    assert circuits.held(MARKET) == ""
    await rig.end()


@told
async def test_streams_that_find_no_name_are_one_fault_until_a_dial_finds_its_way() -> None:
    """Requests succeed over remembered names all the while, and end nothing: one alarm, and one end."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    circuits.dialled(way_out=False)
    assert not circuits.local_fault_ns
    for _ in range(20):
        await asyncio.sleep(10)
        circuits.dialled(way_out=False)
    assert circuits.held(MARKET).startswith("local_fault")
    assert rig.venue.clock_asked >= 3
    circuits.dialled(way_out=True)
    circuits.dialled(way_out=True)
    await asyncio.sleep(1)
    assert circuits.held(MARKET) == ""
    assert rig.reconciles == 1
    notes = [event for event in await rig.events() if isinstance(event, Noted)]
    assert [note.kind for note in notes] == ["local_fault", "local_fault.over"]
    assert notes[0].message == "no name resolves, or no route leads out: nothing enters"
    await rig.end()


@told
async def test_of_two_markets_each_has_its_breaker_until_the_fault_is_certainly_ours() -> None:
    """Packets that are swallowed count for each; no way out is one fault, and what it made fail counts for none."""
    rig = Rig(markets=(MARKET, OTHERS[0]))
    circuits = await rig.begin()
    for _ in range(2):
        for market in rig.markets:
            circuits.ended(market, Lane.ENTRY, LOST)
    assert circuits.held(MARKET) == ""
    assert [len(breaker.failed_ns) for _, _, breaker in circuits.breakers] == [2, 2]
    circuits.dialled(way_out=False)
    await asyncio.sleep(4)
    circuits.dialled(way_out=False)
    assert circuits.held(MARKET).startswith("local_fault")
    assert [len(breaker.failed_ns) for _, _, breaker in circuits.breakers] == [0, 0]
    circuits.dialled(way_out=True)
    await asyncio.sleep(1)
    assert [circuits.held(market) for market in rig.markets] == ["", ""]
    await rig.end()


@told
async def test_a_market_that_joins_in_a_local_fault_does_not_end_it() -> None:
    """It is told of its end as all others are."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    for market in rig.markets:
        circuits.ended(market, Lane.DATA, LOST)
    since_ns = circuits.local_fault_ns
    circuits.add(msgspec.structs.replace(instrument(), market=MarketId("v:new")))
    assert circuits.local_fault_ns == since_ns > 0
    await rig.end()


@told
async def test_what_failed_is_asked_again_once_the_one_probe_got_through() -> None:
    """All who wait go on together; who may not wait that long goes on earlier; without a fault nobody waits."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    await asyncio.wait_for(circuits.reachable(), 0.001)
    rig.venue.away = True
    for market in rig.markets:
        circuits.ended(market, Lane.DATA, LOST)
    began_ns = rig.clock.now_ns()
    await circuits.reachable(7.0)
    assert rig.clock.now_ns() - began_ns == 7 * SECOND_NS
    waiting = [asyncio.ensure_future(circuits.reachable()) for _ in range(3)]
    await asyncio.sleep(60)
    assert not any(one.done() for one in waiting)
    rig.venue.away = False
    await asyncio.sleep(16)
    assert all(one.done() for one in waiting)
    await rig.end()


@told
async def test_a_local_fault_lasts_until_a_probe_gets_through() -> None:
    """Each one later than the last."""
    rig = Rig(markets=(MARKET, *OTHERS))
    circuits = await rig.begin()
    rig.venue.away = True
    for market in rig.markets:
        circuits.ended(market, Lane.DATA, LOST)
    await asyncio.sleep(100)
    assert circuits.local_fault_ns
    assert 7 <= rig.venue.clock_asked <= 12
    assert rig.data_budget.paused_until_ns  # what is public was refused, and orders are not held up by it
    assert not rig.budget.paused_until_ns
    await rig.end()


@told
async def test_what_was_done_by_hand_can_be_waited_for_on_a_full_disk_too() -> None:
    """A lane that is held open must be so after a restart: it may use the disk's reserve."""
    rig = Rig()
    circuits = await rig.begin()
    rig.disk.full = True
    for written in (circuits.isolate(MARKET, Lane.ENTRY, "ann"), circuits.reset(MARKET, None, "bob")):
        assert written is not None
        assert await written
    assert circuits.reset(MARKET, None, "bob") is None
    callers = [event.caller for event in rig.disk.events if isinstance(event, BreakerChanged)]
    assert callers == ["ann", "bob"]
    for written in (
        circuits.reset(MARKET, Lane.ENTRY, "bob", again=True),
        circuits.isolate(MARKET, Lane.ENTRY, "ann"),
        circuits.isolate(MARKET, Lane.ENTRY, "bob", again=True),
    ):
        assert written is not None, "a record that may be lost is written once more"
        assert await written
    await rig.end()


@told
async def test_by_hand_a_lane_is_isolated_and_reset_and_an_open_one_tried_at_once() -> None:
    """Each with its caller on disk; repeating changes nothing."""
    rig = Rig()
    circuits = await rig.begin()
    circuits.isolate(MARKET, Lane.ENTRY, "ann")
    circuits.isolate(MARKET, Lane.ENTRY, "ann")
    assert circuits.held(MARKET).endswith("isolated by ann")
    circuits.reset(MARKET, None, "bob")
    circuits.reset(MARKET, None, "bob")
    assert circuits.held(MARKET) == ""
    trip(circuits)
    circuits.force_retry(MARKET, "cid")
    await asyncio.sleep(1)
    assert circuits.held(MARKET) == ""
    events = await rig.events()
    callers = [event.caller for event in events if isinstance(event, BreakerChanged) and event.caller]
    assert callers == ["ann", "bob"]
    assert [event.message for event in events if isinstance(event, Noted)] == ["cid asked to try again now"]
    await rig.end()
