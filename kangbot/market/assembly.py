"""How one market is put together: its executor, its desk and its task, from what the markets of an account share."""

from collections.abc import Callable
from functools import partial

import msgspec

from kangbot.execution.circuits import Circuits
from kangbot.execution.executor import Executor
from kangbot.execution.numbers import Numbers
from kangbot.health.latency import Latencies
from kangbot.machines.faults import Operation
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.memory import Memory
from kangbot.market.desk import Desk
from kangbot.market.gateway import Gateway
from kangbot.market.inbox import Inbox
from kangbot.market.marks import Marks
from kangbot.market.outcomes import Outcomes
from kangbot.market.overseer import Overseer
from kangbot.market.preparation import Preparation
from kangbot.market.prices import Prices
from kangbot.market.roster import Roster
from kangbot.market.spec import MarketSpec
from kangbot.market.task import MarketTask
from kangbot.market.terms import Terms
from kangbot.market.together import Together
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.ports import Journal
from kangbot.risk.account import AccountRisk
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.tasks import OnCrash, Tasks
from kangbot.runtime.world import World

_OWN_PACE_S = 60.0  # how often a market asks for itself, while one probe asks for all of them


class Assembly(msgspec.Struct, frozen=True, kw_only=True):
    """What the markets of one account share.

    `born_ns` is when the journal began by our clock, or the floor where it was empty. `crashed` is told of an errand
    that ended by an error of ours; `deaf` and `alarm` are as in `Floor`.
    """

    world: World
    journal: Journal
    memory: Memory
    born_ns: int
    numbers: Numbers
    gateway: Gateway
    risk: AccountRisk
    roster: Roster
    terms: Terms
    circuits: Circuits
    outcomes: Outcomes
    errands: Tasks  # what markets have fetched and subscribed to
    crashed: OnCrash
    alarm: Alarm | None
    deaf: Callable[[MarketId], bool]
    decisions: Latencies  # frame to decision
    orders: Latencies  # frame to the order's request
    together: Together = msgspec.field(default_factory=Together)

    def market(self, spec: MarketSpec, instrument: Instrument) -> MarketTask:
        """Return a market that knows what the journal remembers of it, and that nobody runs yet."""
        inbox = Inbox(self.world.clock)
        executor = self._executor(spec, instrument, inbox)
        inbox.overfull = lambda: executor.overfull
        marks = Marks(
            instrument=instrument,
            venue=self.gateway.venue,
            budget=self.gateway.data_budget,
            post=inbox.put,
            clock=self.world.clock,
            tasks=self.errands,
            again=self._reachable,
            say=partial(self.together.say, spec.market),
        )
        desk = self._desk(spec, instrument, inbox, executor, marks)
        return self._task(spec, instrument, inbox, desk, marks)

    def _executor(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox) -> Executor:
        return Executor(
            world=self.world,
            journal=self.journal,
            venue=self.gateway.venue,
            instrument=instrument,
            budget=self.gateway.budget,
            numbers=self.numbers,
            post=inbox.put,
            on_crash=self.crashed,
            memory=self.memory.market(spec.market),
            born_ns=self._born_ns(),
            strategy=spec.strategy.name,
            venue_clock=self.gateway.clock,
            receive_window_ns=self.terms.receive_window_ms * 1_000_000,
            cancel_orphans=self.terms.cancel_orphans,
            quarantine_hands=self.terms.foreign is ForeignPolicy.QUARANTINE,
            adopt_hands=self.terms.foreign is ForeignPolicy.ADOPT,
            hold=partial(self.outcomes.held, spec.market),
            ended=partial(self.outcomes.ended, spec.market),
            again=self._reachable,
            on_sent=self.orders.observe,
        )

    def _desk(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox, executor: Executor, marks: Marks) -> Desk:
        return Desk(
            spec=spec,
            instrument=instrument,
            executor=executor,
            risk=self.risk,
            inbox=inbox,
            clock=self.world.clock,
            stops=self.terms.stops,
            foreign=self.terms.foreign,
            doubt=self.gateway.clock.doubt,
            exits_slow=partial(self.circuits.in_trouble, spec.market, Lane.EXIT),
            mark=lambda: marks.price,
        )

    def _task(self, spec: MarketSpec, instrument: Instrument, inbox: Inbox, desk: Desk, marks: Marks) -> MarketTask:
        clock, executor = self.world.clock, desk.executor
        draw = self.world.fork(f"market/{spec.market}").random
        say = partial(self.together.say, spec.market)
        data_ended = partial(self.outcomes.ended, spec.market, Operation.DATA)
        prices = Prices(
            instrument=instrument,
            venue=self.gateway.venue,
            budget=self.gateway.data_budget,
            inbox=inbox,
            clock=clock,
            tasks=self.errands,
            tell=executor.tell,
            ended=data_ended,
            again=self._reachable,
            say=say,
        )
        preparation = Preparation(
            instrument=instrument,
            leverage=spec.leverage,
            venue=self.gateway.venue,
            feeds=self.gateway.feeds,
            budget=self.gateway.data_budget,
            inbox=inbox,
            tasks=self.errands,
            draw=draw,
            ended=data_ended,
            again=partial(self._fetch_again, executor),
            say=say,
        )
        return MarketTask(
            spec=spec,
            instrument=instrument,
            clock=clock,
            inbox=inbox,
            desk=desk,
            roster=self.roster,
            preparation=preparation,
            prices=prices,
            marks=marks,
            data_ended=data_ended,
            data_held=partial(self.circuits.in_trouble, spec.market, Lane.DATA),
            deaf=partial(self.deaf, spec.market),
            overseer=Overseer(executor=executor, bounds=self.terms.decisions, now_ns=clock.now_ns, alarm=self.alarm),
            supervisor=self.terms.supervisor(clock, draw),
            journal=self.journal,
            decisions=self.decisions,
            # One that is filled at a spot venue while nobody looks has no stop: none rides with it.
            cancel_entries=self.terms.cancel_entries or desk.holds_coins,
            offset_ns=self.gateway.offset_ns,
            ended=partial(self.outcomes.ended, spec.market, Operation.TURN),
            say=say,
        )

    def _born_ns(self) -> int:
        """Return by the venue's clock when the journal began, or earlier; for a market that joins later as well."""
        return self.born_ns + min(0, self.gateway.offset_ns())

    async def _reachable(self) -> None:
        """Return when a market may ask again for itself, by breakers and pace."""
        await self.circuits.reachable(_OWN_PACE_S)

    async def _fetch_again(self, executor: Executor) -> None:
        """Return when history that could not be fetched may be asked for again: a position is managed by its bars."""
        await self.circuits.reachable(_OWN_PACE_S if executor.position.net else None)
