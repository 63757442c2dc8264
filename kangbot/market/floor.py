"""The trading floor: all markets of one venue account, opened, changed while they run, and closed in order.

It is given the way to the venue, a journal and what that remembers, and knows nothing of which concrete ones they are:
the daemon gives real ones, the simulation its own. How a market is put together is `assembly.py`, what follows from
how things end `outcomes.py`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.execution.account import Account
from kangbot.execution.circuits import Circuits
from kangbot.execution.numbers import Numbers
from kangbot.execution.transfers import TransferWatch
from kangbot.execution.venue_clock import FIRST_SAMPLES
from kangbot.health.checks import UNRECOVERED
from kangbot.health.faults import FaultDesk
from kangbot.health.latency import Latencies
from kangbot.machines.breakers import Breakers
from kangbot.machines.faults import Operation
from kangbot.machines.memory import Memory
from kangbot.machines.transfers import Transfers
from kangbot.market.asking import ask_patiently
from kangbot.market.assembly import Assembly
from kangbot.market.gateway import Gateway
from kangbot.market.inbox import Released
from kangbot.market.left_behind import held, left_behind
from kangbot.market.naming import UnknownMarketError
from kangbot.market.outcomes import Outcomes
from kangbot.market.roster import Roster
from kangbot.market.rules import Ruled, Rules
from kangbot.market.spec import MarketSpec
from kangbot.market.task import MarketTask
from kangbot.market.terms import Terms
from kangbot.model.events import Desired, Noted, RunState, Severity
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.market import Instrument
from kangbot.model.money import Quantity
from kangbot.ports import Journal, Subscription
from kangbot.risk.account import AccountRisk
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.tasks import OnCrash, Tasks
from kangbot.runtime.world import World

log = structlog.get_logger(__name__)

_LOOK_S = 0.1
_JOINING_S = 20.0  # how long the venue may take to tell the rules of markets that are to join


class Floor:
    """The markets of one account. `open` before anything else, `close` in the end.

    `breakers` are those that the journal remembers; without them every one is closed.
    `faults` is where errors are classified and acted on; without one the floor has its own.
    `died` is told of a task whose end leaves a market or the account to nobody; by default that is only logged.
    `alarm` interrupts a strategy that does not return to the loop; without one it is waited for.
    `deaf` tells whether a market's stop is watched by nobody but us, and hears no price.
    `twin` is told of another daemon that goes on with a copy of this journal. `unheard` connects the account's stream
    anew.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        memory: Memory,
        gateway: Gateway,
        risk: AccountRisk,
        roster: Roster,
        specs: Sequence[MarketSpec],
        terms: Terms,
        breakers: Breakers | None = None,
        faults: FaultDesk | None = None,
        died: OnCrash | None = None,
        alarm: Alarm | None = None,
        deaf: Callable[[MarketId], bool] = lambda _market: False,
        twin: Callable[[str], None] = lambda _words: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> None:
        self.markets: dict[MarketId, MarketTask] = {}
        self.waiting = ""  # why the venue has not told yet what is needed to open; "" where nothing is waited for
        self.decisions = Latencies()  # frame to decision
        self.orders = Latencies()  # frame to the order's request
        self._world = world
        self._journal = journal
        self._memory = memory
        self._risk = risk
        self._gateway = gateway
        self._roster = roster
        self._specs = specs
        self._terms = terms
        gateway.budget.stand_beside(gateway.data_budget)
        self.faults = FaultDesk(world=world, journal=journal) if faults is None else faults
        self._numbers = Numbers(memory.next_number, unheard=True)
        self.account = self._make_account(journal, risk, twin, unheard)
        self.faults.attend(changed=self._look_again_at, reset=self.account.hurry)
        self.circuits = self._make_circuits(journal, Breakers() if breakers is None else breakers)
        self._rules = Rules(
            gateway,
            clock=world.clock,
            draw=world.fork(f"floor/{gateway.venue.name}/rules").random,
            known=lambda: [task.instrument for task in self.markets.values()],
            changed=lambda instrument: self.markets[instrument.market].inbox.put(Ruled(instrument)),
            listed=self._tell_listed,
            beat_s=terms.rules_s,
            pause_s=terms.rules_pause_s,
            exit_pause_s=terms.rules_exit_pause_s,
        )
        self._outcomes = Outcomes(
            risk=risk,
            account=self.account,
            circuits=self.circuits,
            faults=self.faults,
            rules=self._rules,
            venue_clock=gateway.clock,
            markets=self.markets,
        )
        self._account_stream: Subscription | None = None
        self._left_behind: Mapping[MarketId, str] = {}  # at the start
        self._errands = Tasks("markets", _crashed)
        self._tasks = Tasks("floor", died or _crashed)
        self._assembly = Assembly(
            world=world,
            journal=journal,
            memory=memory,
            born_ns=memory.born_ns or world.clock.now_ns(),
            numbers=self._numbers,
            gateway=gateway,
            risk=risk,
            roster=roster,
            terms=terms,
            circuits=self.circuits,
            outcomes=self._outcomes,
            errands=self._errands,
            crashed=_crashed,
            alarm=alarm,
            deaf=deaf,
            decisions=self.decisions,
            orders=self.orders,
        )

    def _make_account(
        self, journal: Journal, risk: AccountRisk, twin: Callable[[str], None], unheard: Callable[[], None]
    ) -> Account:
        venue, known = self._gateway.venue, self._memory.markets.values()
        equity = {currency: money for (name, currency), money in self._memory.equity.items() if name == venue.name}
        if not risk.equity_known:  # forgotten, with another currency or balance: the next statement is news
            equity = {}
        return Account(
            world=self._world,
            journal=journal,
            venue=venue,
            budget=self._gateway.budget,
            numbers=self._numbers,
            last_execution_ns=max((market.last_execution_ns for market in known), default=0),
            born_ns=self._memory.born_ns,
            equity=equity,
            offset_ns=self._gateway.offset_ns,
            ended=self._round_ended,
            twin=twin,
            unheard=unheard,
        )

    def watch_transfers(self, known: Transfers) -> TransferWatch:
        """Return what asks for transfers, to be run beside trading; `known` hears what the journal is told."""
        watch = TransferWatch(
            world=self._world,
            journal=self._journal,
            venue=self._gateway.venue,
            budget=self._gateway.budget,
            known=known,
            offset_ns=self._gateway.offset_ns,
            told=self.account.hurry,
        )
        self.account.on_leap(watch.hurry)
        return watch

    def _make_circuits(self, journal: Journal, breakers: Breakers) -> Circuits:
        return Circuits(
            world=self._world,
            journal=journal,
            venue=self._gateway.venue,
            budget=self._gateway.budget,
            data_budget=self._gateway.data_budget,
            breakers=breakers,
            changed=self._look_again_at,
            closed=self.account.hurry,
        )

    # ----------------------------------------------------------------------------------------------------------- life
    async def open(self) -> None:
        """Learn the instruments, make the markets, and begin to keep their books. Waits while the venue is away.

        NeedsHuman where the venue refuses our key, or trades none of the markets: nothing has begun then.
        """
        gateway, name = self._gateway, self._gateway.venue.name
        draw = self._world.fork(f"floor/{name}").random
        symbols = [spec.symbol for spec in self._specs]
        instruments = await ask_patiently(
            lambda: gateway.venue.instruments(symbols),
            budget=gateway.data_budget,
            draw=draw,
            what="instruments",
            waits=self._waits,
        )
        await self._set_clock(draw)
        await ask_patiently(
            gateway.venue.balances, budget=gateway.budget, draw=draw, what="the account", waits=self._waits
        )
        unknown = [symbol for symbol in symbols if symbol not in instruments]
        if len(unknown) == len(symbols):
            raise NeedsHuman(
                f"{name} trades none of the configured markets: {', '.join(symbols)}",
                remedy="correct the symbols, or the mode: a testnet lists fewer markets",
            )
        self._tell_unknown([spec for spec in self._specs if spec.symbol in unknown])
        for spec in self._specs:
            if spec.symbol in instruments:
                self._add(spec, instruments[spec.symbol])
        self._tell_left_behind()
        self._account_stream = gateway.feeds.account(self.account)
        keeper = self._terms.supervisor(self._world.clock, self._world.fork(f"floor/{name}/account").random)
        self._tasks.spawn("account", keeper.keep(self.account.run, self._outcomes.account_fell))
        self._tasks.spawn("circuits", self.circuits.run())
        self._tasks.spawn("rules", self._rules.run())

    async def _set_clock(self, draw: Callable[[], float]) -> None:
        """Measure the venue's clock before anything is stamped by it, and have it measured from then on."""
        clock, budget, ask = self._gateway.clock, self._gateway.data_budget, self._gateway.venue.server_time_ns
        for _ in range(FIRST_SAMPLES):
            await ask_patiently(
                lambda: clock.measure(ask), budget=budget, draw=draw, what="its time", waits=self._waits
            )
        self._tasks.spawn("clock", clock.keep(ask, budget))

    def _tell_unknown(self, specs: Sequence[MarketSpec]) -> None:
        """Tell of markets that the venue does not list; the others are traded."""
        name, now_ns = self._gateway.venue.name, self._world.clock.now_ns()
        for spec in specs:
            log.error("market.unknown_at_venue", venue=name, symbol=spec.symbol)
            self._journal.append(
                Noted(
                    kind="market.unknown_at_venue",
                    severity=Severity.ERROR,
                    market=spec.market,
                    message=f"{name} does not list {spec.symbol}: it is not traded",
                    at_ns=now_ns,
                )
            )

    def _tell_listed(self, instrument: Instrument, listed: bool) -> None:
        """Tell of a market that the venue trades no more, or again."""
        name, now_ns = self._gateway.venue.name, self._world.clock.now_ns()
        kind, severity, text = "market.listed", Severity.INFO, f"{name} trades {instrument.symbol} again"
        if not listed:
            text = f"{name} does not trade {instrument.symbol} any more, or not now: orders are refused there"
            kind, severity = "market.unlisted", Severity.ERROR
        log.warning(kind, market=instrument.market, message=text)
        self._journal.append(Noted(kind=kind, severity=severity, market=instrument.market, message=text, at_ns=now_ns))

    def _tell_left_behind(self) -> None:
        notes = left_behind(
            self._memory.markets.values(),
            self.markets,
            self._world.clock.now_ns(),
            on_paper=self._terms.on_paper,
            configured=[spec.market for spec in self._specs],
        )
        for note in notes:
            log.warning(note.kind, market=note.market, message=note.message)
            self._journal.append(note)
        self._left_behind = {note.market: note.message for note in notes if note.market is not None}

    @property
    def unlisted(self) -> list[Symbol]:
        """The markets with a task that the venue does not list any more, or not now."""
        gone = self._rules.unlisted
        return [task.instrument.symbol for market, task in self.markets.items() if market in gone]

    @property
    def left_behind(self) -> Mapping[MarketId, str]:
        """What is left in markets that do not run here, in words; one that has joined since is looked after again."""
        return {market: what for market, what in self._left_behind.items() if market not in self.markets}

    @property
    def unrecovered(self) -> str:
        """Why nothing can be changed here yet: the venue has still to answer for what is there; "" where it has."""
        if not self.markets:
            return self.waiting or "the markets are being prepared"
        return "" if self.account.reconciled.is_set() else self.waiting or UNRECOVERED

    @property
    def banned(self) -> str:
        """Until when the venue wants to be left alone, in words; "" where it may be asked."""
        return self._gateway.budget.banned

    def _waits(self, reason: str) -> None:
        self.waiting = reason

    def _add(self, spec: MarketSpec, instrument: Instrument) -> None:
        """Put a market together and run it; the roster, the account and the breakers know of it from then on."""
        market = spec.market
        task = self.markets[market] = self._assembly.market(spec, instrument)
        desk, inbox = task.desk, task.inbox
        desired = self._memory.market(market).desired or Desired.RUNNING
        self._roster.add(market, task.obey, desired, refuses=lambda: inbox.refuses)
        stake = desk.stake if desk.holds_coins else None
        self.account.register(market, inbox.tell, lambda: desk.executor.pulse(inbox.missed_since_ns), stake)
        self.circuits.add(instrument)
        self._tasks.spawn(market, task.keep())

    def _look_again_at(self, market: MarketId | None) -> None:
        if market is None:
            self.look_again()
        elif (task := self.markets.get(market)) is not None:
            task.inbox.look_again()

    def _round_ended(self, error: Exception | None) -> None:
        """Learn how a round of the account's questions ended."""
        self._gateway.clock.heed(error)
        self.faults.ended(None, Operation.RECONCILE, error)

    async def drain(self, timeout_s: float, hurry: asyncio.Event) -> bool:
        """Stop every market without forgetting that it ran; False where something is still in flight.

        Entries first, then whatever is in flight settles, and what the kill switch closes is closed. Ends early where
        `hurry` is set.
        """
        failed = [
            market
            for market, task in self.markets.items()
            if self._roster[market].state is RunState.FAILED and not task.at_rest
        ]
        self._roster.stop_all("daemon", remember=False)
        reached = Tasks("drain", _crashed)
        rested = reached.spawn("rest", self._rest(failed))
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

    async def _rest(self, failed: Iterable[MarketId]) -> None:
        """Wait until every market rests, those too that have `failed` and have something in flight."""
        await self._roster.reached(failed, RunState.STOPPED)
        await self._roster.reached(self.markets, RunState.STOPPED, RunState.FAILED)
        while self.unflattened:  # noqa: ASYNC110 -- once, at the end, and bounded; a stopped market tells nobody of it
            await asyncio.sleep(_LOOK_S)

    @property
    def unflattened(self) -> Mapping[MarketId, Quantity]:
        """What the kill switch has yet to close, signed; by the journal where no market could begin yet."""
        left = {market: task.desk.unflattened for market, task in self.markets.items()}
        if self._risk.flatten and not left:
            left = {spec.market: held(self._memory.market(spec.market)) for spec in self._specs}
        return {market: net for market, net in left.items() if net}

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

    # -------------------------------------------------------------------------------------------------------- changes
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of markets that may join; those that the venue does not trade are absent.

        NeedsHuman where the venue refuses our key; Retryable where it does not answer in time.
        """
        venue, budget = self._gateway.venue, self._gateway.data_budget
        draw = self._world.fork(f"floor/{venue.name}/joining").random
        try:
            async with asyncio.timeout(_JOINING_S):
                return await ask_patiently(
                    lambda: venue.instruments(symbols), budget=budget, draw=draw, what="instruments"
                )
        except TimeoutError:
            raise Retryable(f"{venue.name} did not name the markets' rules within {_JOINING_S:.0f} s") from None

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
            self._roster.join(spec.market, caller)
        for spec in changes:
            self.markets[spec.market].inbox.edit(spec)

    def look_again(self) -> None:
        """Have every market act on what changed for all of them: the kill switch, the drawdown."""
        for market in self.markets.values():
            market.inbox.look_again()

    def known(self, market: MarketId) -> MarketId:
        """Return the market's name. UnknownMarketError where there is none of that name."""
        if market not in self.markets:
            raise UnknownMarketError(f"no market {market!r} runs here")
        return market

    def force_retry(self, market: MarketId, caller: str) -> None:
        """Have the market's open lanes probed now, and what the venue refuses it tried again soon.

        UnknownMarketError where there is none.
        """
        self.circuits.force_retry(self.known(market), caller)
        self.markets[market].inbox.look_again(renewed=True)

    def release(self, market: MarketId, caller: str) -> asyncio.Event:
        """Have the market lift its quarantine; what is set once it has.

        UnknownMarketError where there is none; Refused by a market that takes none.
        """
        inbox = self.markets[self.known(market)].inbox
        if refuses := inbox.refuses:
            raise Refused(f"{market}: {refuses}")
        return inbox.command(Released(caller, asyncio.Event())).lifted


def _crashed(name: str, error: BaseException) -> None:
    log.error("task.crashed", task=name, exc_info=error)
