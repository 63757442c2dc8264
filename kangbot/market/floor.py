"""The trading floor: all markets of one venue account, put together, started and stopped in order.

It is given the ports (a venue, its feeds, a journal) and what the journal remembers, and knows nothing of which
concrete ones they are: the daemon gives real ones, the simulation its own. Venues count by endpoint, so what prepares a
market (settings, history) has a budget apart from orders and their questions: a start of many does not hold one up.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from kangbot.errors import Misstamped, NeedsHuman, Refused, Retryable
from kangbot.execution.account import Account
from kangbot.execution.budget import Budget
from kangbot.execution.circuits import Circuits
from kangbot.execution.executor import Executor
from kangbot.execution.numbers import Numbers
from kangbot.execution.venue_clock import FIRST_SAMPLES, VenueClock
from kangbot.health.faults import FaultDesk
from kangbot.health.latency import Latencies
from kangbot.machines.breakers import Breakers
from kangbot.machines.faults import LANES, Operation
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.memory import Memory
from kangbot.market.asking import ask_patiently
from kangbot.market.desk import Desk
from kangbot.market.inbox import Inbox, Released
from kangbot.market.naming import UnknownMarketError
from kangbot.market.overseer import Overseer
from kangbot.market.preparation import Preparation
from kangbot.market.prices import Prices
from kangbot.market.roster import Roster
from kangbot.market.spec import MarketSpec
from kangbot.market.task import MarketTask
from kangbot.market.terms import Terms
from kangbot.model.events import Desired, Lane, RunState
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.market import Instrument
from kangbot.ports import Feeds, Journal, Subscription, Venue
from kangbot.risk.account import AccountRisk
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.tasks import OnCrash, Tasks
from kangbot.runtime.world import World

log = structlog.get_logger(__name__)

_OWN_PACE_S = 60.0  # how often a market asks for itself, while one probe asks for all of them
_JOINING_S = 20.0  # how long the venue may take to tell the rules of markets that are to join


class Floor:
    """The markets of one account. `open` before anything else, `close` in the end.

    `venue_clock` is measured before anything is signed, and from then on; without one the venue's clock is ours.
    `alarm` interrupts a strategy that does not return to the loop; without one it is waited for.
    `breakers` are those that the journal remembers; without them every one is closed.
    `faults` is where errors are classified and acted on; without one the floor has its own.
    `deaf` tells whether a market's stop is watched by nobody but us, and hears no price.
    `died` is told of a task whose end leaves a market or the account to nobody; by default that is only logged.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        memory: Memory,
        venue: Venue,
        feeds: Feeds,
        budget: Budget,
        data_budget: Budget,
        risk: AccountRisk,
        roster: Roster,
        specs: Sequence[MarketSpec],
        terms: Terms,
        venue_clock: VenueClock | None = None,
        breakers: Breakers | None = None,
        faults: FaultDesk | None = None,
        died: OnCrash | None = None,
        alarm: Alarm | None = None,
        deaf: Callable[[MarketId], bool] = lambda _market: False,
    ) -> None:
        self.markets: dict[MarketId, MarketTask] = {}
        self.waiting = ""  # why the venue has not told yet what is needed to open; "" where nothing is waited for
        self.decisions = Latencies()  # frame to decision
        self.orders = Latencies()  # frame to the order's request
        self._world = world
        self._journal = journal
        self._memory = memory
        self._venue = venue
        self._feeds = feeds
        self._budget = budget
        self._data_budget = data_budget
        budget.stand_beside(data_budget)
        self._risk = risk
        self._roster = roster
        self._specs = specs
        self._terms = terms
        self._venue_clock = venue_clock
        self._alarm = alarm
        self._deaf = deaf
        self._numbers = Numbers(memory.next_number)
        self.faults = FaultDesk(world=world, journal=journal) if faults is None else faults
        self.account = self._make_account()
        self.faults.attend(changed=self._look_again_at, reset=self.account.hurry)
        self.circuits = Circuits(
            world=world,
            journal=journal,
            venue=venue,
            budget=budget,
            data_budget=data_budget,
            breakers=Breakers() if breakers is None else breakers,
            changed=self._look_again_at,
            closed=self.account.hurry,
        )
        self._account_stream: Subscription | None = None
        self._doubted: tuple[int, str] | None = None  # the account's keeper fell after so many rounds, by this
        self._errands = Tasks("markets", self._crashed)
        self._tasks = Tasks("floor", died or self._crashed)

    def _make_account(self) -> Account:
        known = self._memory.markets.values()
        equity = {currency: m for (venue, currency), m in self._memory.equity.items() if venue == self._venue.name}
        if not self._risk.equity_known:  # forgotten with a peak in another currency: the next statement is news
            equity = {}
        return Account(
            world=self._world,
            journal=self._journal,
            venue=self._venue,
            budget=self._budget,
            last_execution_ns=max((market.last_execution_ns for market in known), default=0),
            born_ns=self._memory.born_ns,
            equity=equity,
            offset_ns=self._offset_ns,
            ended=self._round_ended,
        )

    # ----------------------------------------------------------------------------------------------------------- life
    async def open(self) -> None:
        """Learn the instruments, make the markets, and begin to keep their books. Waits while the venue is away.

        NeedsHuman where the venue refuses our key, or trades none of the markets: nothing has begun then.
        """
        draw = self._world.fork(f"floor/{self._venue.name}").random
        symbols = [spec.symbol for spec in self._specs]
        instruments = await ask_patiently(
            lambda: self._venue.instruments(symbols),
            budget=self._data_budget,
            draw=draw,
            what="instruments",
            waits=self._waits,
        )
        await self._set_clock(draw)
        await ask_patiently(self._venue.balances, budget=self._budget, draw=draw, what="the account", waits=self._waits)
        unknown = [symbol for symbol in symbols if symbol not in instruments]
        if len(unknown) == len(symbols):
            raise NeedsHuman(
                f"{self._venue.name} trades none of the configured markets: {', '.join(symbols)}",
                remedy="correct the symbols, or the mode: a testnet lists fewer markets",
            )
        for symbol in unknown:
            log.error("market.unknown_at_venue", venue=self._venue.name, symbol=symbol)
        for spec in self._specs:
            if spec.symbol in instruments:
                self._add(spec, instruments[spec.symbol])
        for market in self.markets.values():
            self._tasks.spawn(market.spec.market, market.keep())
        self._account_stream = self._feeds.account(self.account)
        draw = self._world.fork(f"floor/{self._venue.name}/account").random
        self._tasks.spawn(
            "account", self._terms.supervisor(self._world.clock, draw).keep(self.account.run, self._account_fell)
        )
        self._tasks.spawn("circuits", self.circuits.run())

    async def _set_clock(self, draw: Callable[[], float]) -> None:
        """Measure the venue's clock before anything is stamped by it, and have it measured from then on."""
        known = self._venue_clock
        if known is None:
            return
        ask = self._venue.server_time_ns
        for _ in range(FIRST_SAMPLES):
            await ask_patiently(
                lambda: known.measure(ask), budget=self._data_budget, draw=draw, what="its time", waits=self._waits
            )
        self._tasks.spawn("clock", known.keep(ask, self._data_budget))

    def _offset_ns(self) -> int:
        """Return how far the venue's clock is ahead of ours."""
        return 0 if self._venue_clock is None else self._venue_clock.offset_ns

    def _doubt(self) -> str:
        """Return why no entry can be stamped; "" where one can."""
        return "" if self._venue_clock is None else self._venue_clock.doubt()

    def _born_ns(self) -> int:
        """Return by the venue's clock when the journal began, or earlier; 0 for an empty journal."""
        born_ns = self._memory.born_ns
        return born_ns and born_ns + min(0, self._offset_ns())

    def _add(self, spec: MarketSpec, instrument: Instrument) -> None:
        """Put a market together, and have the roster, the account and the breakers know of it."""
        market, inbox = spec.market, Inbox(self._world.clock)
        executor = self._executor(spec, instrument, inbox)
        inbox.overfull = lambda: executor.overfull
        desk = self._desk(spec, instrument, inbox, executor)
        task = self.markets[market] = self._task(spec, instrument, inbox, desk)
        desired = self._memory.market(market).desired or Desired.RUNNING
        self._roster.add(market, task.obey, desired, refuses=lambda: inbox.refuses)
        stake = desk.stake if desk.holds_coins else None
        self.account.register(market, inbox.tell, lambda: executor.pulse(inbox.missed_since_ns), stake)
        self.circuits.add(instrument)

    def _executor(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox) -> Executor:
        return Executor(
            world=self._world,
            journal=self._journal,
            venue=self._venue,
            instrument=instrument,
            budget=self._budget,
            numbers=self._numbers,
            post=inbox.put,
            on_crash=self._crashed,
            memory=self._memory.market(spec.market),
            born_ns=self._born_ns(),
            strategy=spec.strategy.name,
            venue_clock=self._venue_clock,
            receive_window_ns=self._terms.receive_window_ms * 1_000_000,
            cancel_orphans=self._terms.cancel_orphans,
            quarantine_hands=self._terms.foreign is ForeignPolicy.QUARANTINE,
            adopt_hands=self._terms.foreign is ForeignPolicy.ADOPT,
            hold=partial(self._held, spec.market),
            ended=partial(self._ended, spec.market),
            again=self._reachable,
            on_sent=self.orders.observe,
        )

    def _desk(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox, executor: Executor) -> Desk:
        return Desk(
            spec=spec,
            instrument=instrument,
            executor=executor,
            risk=self._risk,
            inbox=inbox,
            clock=self._world.clock,
            stops=self._terms.stops,
            foreign=self._terms.foreign,
            doubt=self._doubt,
            exits_slow=partial(self.circuits.in_trouble, spec.market, Lane.EXIT),
        )

    def _task(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox, desk: Desk) -> MarketTask:
        clock, executor = self._world.clock, desk.executor
        draw = self._world.fork(f"market/{spec.market}").random
        data_ended = partial(self._ended, spec.market, Operation.DATA)
        prices = Prices(
            instrument=instrument,
            venue=self._venue,
            budget=self._data_budget,
            inbox=inbox,
            clock=clock,
            tasks=self._errands,
            ended=data_ended,
            again=self._reachable,
        )
        preparation = Preparation(
            instrument=instrument,
            leverage=spec.leverage,
            venue=self._venue,
            feeds=self._feeds,
            budget=self._data_budget,
            inbox=inbox,
            tasks=self._errands,
            draw=draw,
            ended=data_ended,
            again=partial(self._fetch_again, executor),
        )
        return MarketTask(
            spec=spec,
            instrument=instrument,
            clock=clock,
            inbox=inbox,
            desk=desk,
            roster=self._roster,
            preparation=preparation,
            prices=prices,
            data_ended=data_ended,
            data_held=partial(self.circuits.in_trouble, spec.market, Lane.DATA),
            deaf=partial(self._deaf, spec.market),
            overseer=Overseer(executor=executor, bounds=self._terms.decisions, now_ns=clock.now_ns, alarm=self._alarm),
            supervisor=self._terms.supervisor(clock, draw),
            journal=self._journal,
            decisions=self.decisions,
            cancel_entries=self._terms.cancel_entries,
            offset_ns=self._offset_ns,
            ended=partial(self._ended, spec.market, Operation.TURN),
        )

    # -------------------------------------------------------------------------------------------------------- changes
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of markets that may join; those that the venue does not trade are absent.

        NeedsHuman where the venue refuses our key; Retryable where it does not answer in time.
        """
        draw = self._world.fork(f"floor/{self._venue.name}/joining").random
        try:
            async with asyncio.timeout(_JOINING_S):
                return await ask_patiently(
                    lambda: self._venue.instruments(symbols), budget=self._data_budget, draw=draw, what="instruments"
                )
        except TimeoutError:
            raise Retryable(f"{self._venue.name} did not name the markets' rules within {_JOINING_S:.0f} s") from None

    def change(
        self,
        *,
        joins: Sequence[tuple[MarketSpec, Instrument | None]],
        leaves: Sequence[MarketId],
        changes: Sequence[MarketSpec],
        caller: str,
    ) -> None:
        """Have markets join, leave and change, all of it before anything else can happen.

        A market that is back needs no instrument: its task has kept its books meanwhile.
        """
        for market in leaves:
            self._roster.leave(market)
        for spec, instrument in joins:
            if spec.market in self.markets:
                self.markets[spec.market].inbox.edit(spec)
            elif instrument is not None:
                self._add(spec, instrument)
                self._tasks.spawn(spec.market, self.markets[spec.market].keep())
            self._roster.join(spec.market, caller)
        for spec in changes:
            self.markets[spec.market].inbox.edit(spec)

    def look_again(self) -> None:
        """Have every market act on what changed for all of them: the kill switch."""
        for market in self.markets.values():
            market.inbox.look_again()

    def _look_again_at(self, market: MarketId | None) -> None:
        if market is None:
            self.look_again()
        elif (task := self.markets.get(market)) is not None:
            task.inbox.look_again()

    def known(self, market: MarketId) -> MarketId:
        """Return the market's name. UnknownMarketError where there is none of that name."""
        if market not in self.markets:
            raise UnknownMarketError(f"no market {market!r} runs here")
        return market

    def release(self, market: MarketId, caller: str) -> asyncio.Event:
        """Have the market lift its quarantine; what is set once it has.

        UnknownMarketError where there is none; Refused by a market that takes none.
        """
        inbox = self.markets[self.known(market)].inbox
        if refuses := inbox.refuses:
            raise Refused(f"{market}: {refuses}")
        return inbox.command(Released(caller, asyncio.Event())).lifted

    async def _reachable(self) -> None:
        """Return when a market may ask again for itself, by breakers and pace."""
        await self.circuits.reachable(_OWN_PACE_S)

    async def _fetch_again(self, executor: Executor) -> None:
        """Return when history that could not be fetched may be asked for again: a position is managed by its bars."""
        await self.circuits.reachable(_OWN_PACE_S if executor.position.net else None)

    def _waits(self, reason: str) -> None:
        self.waiting = reason

    def _held(self, market: MarketId) -> str:
        """Return why the market may not enter; "" where it may."""
        if self._risk.killed:
            return f"kill_switch: {self._risk.killed}"
        if self._doubted is not None and self._doubted[0] == self.account.rounds:
            return f"account: nobody has compared our books with the venue's since {self._doubted[1]}"
        if (task := self.markets.get(market)) is not None and task.inbox.missed_since_ns:
            return "inbox: news of the account did not fit, and are being asked for"
        return self.circuits.held(market) or self.faults.held(market)

    def _ended(self, market: MarketId, operation: Operation, error: Exception | None, subject: str = "") -> None:
        """Learn how something that a market did ended: its breakers count it, and it is acted on."""
        self._heed_stamp(error)
        if (lane := LANES.get(operation)) is not None:
            self.circuits.ended(market, lane, error)
        self.faults.ended(market, operation, error, subject)

    def _round_ended(self, error: Exception | None) -> None:
        """Learn how a round of the account's questions ended."""
        self._heed_stamp(error)
        self.faults.ended(None, Operation.RECONCILE, error)

    def _heed_stamp(self, error: Exception | None) -> None:
        """Have the venue's clock measured where it refused a stamp."""
        if isinstance(error, Misstamped) and self._venue_clock is not None:
            self._venue_clock.refused()

    def _account_fell(self, error: Exception, wait_ns: int | None) -> None:
        """Learn that the account's keeper fell. It is run again, and no market enters before it has made a round."""
        words = f"{type(error).__name__}: {error}"
        first = self._doubted is None or self._doubted != (self.account.rounds, words)
        self._doubted = (self.account.rounds, words)
        self.account.hurry()
        self.faults.ended(None, Operation.TURN, error)
        if first:  # the same again says nothing new
            log.error("account.fell", venue=self._venue.name, again=wait_ns is not None, exc_info=error)

    async def drain(self, timeout_s: float, hurry: asyncio.Event) -> bool:
        """Stop every market without forgetting that it ran; False where something is still in flight.

        Entries first, then whatever is in flight settles. Ends early where `hurry` is set.
        """
        self._roster.stop_all("daemon", remember=False)
        reached = Tasks("drain", self._crashed)
        rested = reached.spawn("rest", self._roster.reached(self.markets, RunState.STOPPED, RunState.FAILED))
        hurried = reached.spawn("hurry", hurry.wait())
        over = asyncio.Event()
        for waiting in (rested, hurried):
            waiting.add_done_callback(lambda _: over.set())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await over.wait()
        settled = rested.done()
        if not settled:
            flying = [order.client_id for task in self.markets.values() for order in task.desk.executor.orders]
            log.warning("floor.unsettled", orders=flying, hurried=hurried.done())
        await reached.aclose()
        return settled

    async def close(self) -> None:
        """End every task. What is unsettled is in the journal, and is settled at the next start."""
        if self._account_stream is not None:
            await self._account_stream.aclose()
        await self._tasks.aclose()
        await self._errands.aclose()
        for market in self.markets.values():
            market.strategist.close()
            await market.desk.executor.aclose()
        self.faults.close()

    # -------------------------------------------------------------------------------------------------------- private
    def _crashed(self, name: str, error: BaseException) -> None:
        log.error("task.crashed", task=name, exc_info=error)
