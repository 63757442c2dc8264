"""Plays one plan: the venue moves, the daemon lives and dies, faults come and go, and then they must be repaired.

    outcome = run(played(seed, options))     # kangbot.sim.world.loop.run

Three acts: trading under faults; calm, in which everything must heal within a minute; the end, in which all markets
are stopped, the books are compared to the last execution, and two starts on a venue that stands still must do nothing.
"""

import asyncio
from collections.abc import Container, Sequence
from functools import partial
from typing import Any

from kangbot.market.task import MarketTask
from kangbot.model.events import BreakerChanged, BreakerState, Desired, EquityMarked, Event, Noted, RunState
from kangbot.model.ids import MarketId
from kangbot.model.money import Quantity
from kangbot.model.orders import OrderStatus
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.scenario.hush import hushed
from kangbot.scenario.life import DATA_REQUESTS, Life, Outside, rememberers
from kangbot.scenario.mishaps import Mishaps
from kangbot.scenario.outcome import Outcome
from kangbot.scenario.people import People
from kangbot.scenario.plan import BALANCE, DAY_NS, MINUTE_S, Options, Plan, plan_of
from kangbot.scenario.saved import SavedFile
from kangbot.settings.change import difference
from kangbot.sim.exchange.front import Front
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.spec import VenueSpec
from kangbot.sim.proof.held import held, lingering, managed, resting, unguarded, unwanted
from kangbot.sim.proof.invariants import Invariants, Rules
from kangbot.sim.proof.recovery import Recovery
from kangbot.sim.proof.trace import Trace
from kangbot.sim.world.disk import Disk
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.history import SimHistory
from kangbot.sim.world.loop import VirtualLoop
from kangbot.sim.world.network import Network
from kangbot.sim.world.process import Process, Spot
from kangbot.sim.world.pump import Pump
from kangbot.sim.world.venue_time import VenueTime

_SESSION = "session"  # the name of the one task that is not the daemon's
_STEP_NS = SECOND_NS // 2  # how often calm is looked at
_INSTANT_NS = SECOND_NS // 100
_LOOK_NS = 5 * SECOND_NS  # how soon a session ends after a promise was broken
_HISTORY_MINUTES = 20  # what a market on bars of a minute looks back; the others need no more than a quarter of it
_RATE = 0.2  # frames a second and market: one for each bar of the shortest kind
_TIMEOUT_S = 6.0  # of a request
_RESOLVED_S = 30.0  # the promise for orders of unknown outcome
_FREEZES = 5  # until nothing is under way when the venue stands still
_PASSING_NS = 5 * SECOND_NS  # what is in flight may disagree for so long
_WANTED = {
    Desired.RUNNING: (RunState.LIVE,),
    Desired.PAUSED: (RunState.PAUSED,),
    Desired.STOPPED: (RunState.STOPPED,),
}
_DECIDING = (RunState.LIVE, RunState.PAUSED)


class Session:
    """The world of one plan. Large state with one writer, the virtual loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._loop = asyncio.get_running_loop()
        if not isinstance(self._loop, VirtualLoop):
            raise TypeError("a session takes place in virtual time: run it by kangbot.sim.world.loop")
        self._time = self._loop
        self._loop.set_exception_handler(self._unhandled)
        self.trace = Trace()
        chance = World(clock=Clock(lambda: 0, 0), seed=f"session {plan.seed}".encode())
        self.faults = Faults(chance.fork("faults"))
        self.engine = SimVenue(_venue(plan), chance.fork)
        self.engine.account.coins.update(plan.stash)
        rules = Rules(
            limits=plan.limits,
            id_rule=plan.id_rule,
            account_requests=plan.requests_a_second,
            data_requests=DATA_REQUESTS,
            breakers=plan.breakers,
        )
        self.invariants = Invariants(engine=self.engine, rules=rules, trace=self.trace, now_ns=self.now_ns)
        self._venue_time = VenueTime(self.true_ns, plan.drift_ppm)
        venue_now_ns, door_ns = self._venue_time.now_ns, self._venue_time.door_ns
        pump = Pump(self.engine, venue_now_ns)
        self._saved = None if plan.begun is None else SavedFile(plan.begun)
        disk = Disk(tag=chance.token("journal", 8), faults=self.faults, synced=self._synced)
        self._outside = Outside(
            plan=plan,
            front=Front(self.engine),
            pump=pump,
            network=Network(faults=self.faults, venue_now_ns=door_ns, served=pump.flush, timeout_s=_TIMEOUT_S),
            files={},
            saved=self._saved,
            disk=disk,
            recovery=Recovery(disk, rememberers(plan, plan.limits)),
            history=SimHistory(self.faults),
            faults=self.faults,
            invariants=self.invariants,
            venue_now_ns=venue_now_ns,
            door_ns=door_ns,
        )
        pump.listen(self.invariants.told)
        self._people = People(
            plan=plan,
            engine=self.engine,
            flush=pump.flush,
            venue_now_ns=venue_now_ns,
            invariants=self.invariants,
            trace=self.trace,
            alive=lambda: self._alive,
            now_ns=self.now_ns,
            saved=self._saved,
        )
        self._mishaps = Mishaps(
            outside=self._outside,
            venue_time=self._venue_time,
            trace=self.trace,
            alive=lambda: self._alive,
            now_ns=self.now_ns,
        )
        self._life: Life | None = None
        self._main: asyncio.Task[None] | None = None
        self.lives = 0

    # ---------------------------------------------------------------------------------------------------------- time
    def now_ns(self) -> int:
        """Return the time since the start."""
        return self._time.now_ns

    def true_ns(self) -> int:
        """Return true time since the epoch."""
        return self.plan.start_ns + self._time.now_ns

    async def _pass(self, for_ns: int) -> bool:
        """Let time pass; False where a promise has been broken."""
        await asyncio.sleep(for_ns / SECOND_NS)
        return self.invariants.violation is None

    async def _until(self, at_ns: int) -> None:
        """Let time pass, unless a promise has been broken."""
        while (left_ns := at_ns - self.now_ns()) > 0 and await self._pass(min(left_ns, _LOOK_NS)):
            pass

    # ---------------------------------------------------------------------------------------------------------- lives
    def _start(self) -> None:
        """Start the daemon."""
        if leftover := [name for task in self._time.tasks() if (name := task.get_name()) != _SESSION]:
            self.invariants.fail("cancel", f"tasks of a dead process go on: {', '.join(leftover)}")
        self.invariants.forgive()
        self.lives += 1
        if self._saved is not None:
            self._saved.mend()  # it would not start by a file that is wrong
        clock = Clock(partial(getattr, self._time, "now_ns"), self.true_ns() + self._mishaps.wrong_ns)
        self._life = Life(self._outside, clock, Process(self._died))
        self.trace.note(self.now_ns(), "daemon", f"starts for the {self.lives}. time")
        self._main = self._loop.create_task(self._life.run(), name="daemon")
        self._main.add_done_callback(self._ended)

    def _ended(self, main: asyncio.Task[None]) -> None:
        if not main.cancelled() and (error := main.exception()) is not None:
            self.invariants.fail("fall", f"the daemon fell: {error!r}")

    def fell(self, what: str) -> None:
        """Learn of a task that ended by an error of its own."""
        if self._alive is not None:  # what the dead do has no meaning
            self.invariants.fail("fall", what)

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.fell(f"{context['message']}: {context.get('exception')!r}")

    def _died(self, spot: Spot | None) -> None:
        """Learn of a death, which comes within whatever calls this; tasks are swept up in the next turn of the loop."""
        self.invariants.attend(None)
        self.trace.note(self.now_ns(), "daemon", f"dies {'where it stands' if spot is None else spot.name.lower()}")
        self._loop.call_soon(self._bury)
        self._loop.call_later(self._mishaps.away_ns / 1e9, self._start)

    def _bury(self) -> None:
        if self._life is not None:
            self._life.feeds.close()
        for task in self._time.tasks():
            if task.get_name() != _SESSION:
                task.cancel()

    @property
    def _alive(self) -> Life | None:
        return self._life if self._life is not None and self._life.process.alive else None

    def _synced(self, first: int, rows: Sequence[tuple[Event, str]]) -> None:
        del first
        self.invariants.synced(rows)
        self.invariants.reserved()

    # ----------------------------------------------------------------------------------------------------------- acts
    async def play(self) -> None:
        """Play the three acts; ends early where a promise is broken."""
        self._outside.pump.start()
        self._start()
        self._mishaps.begin()
        self._people.begin()
        await self._until(self.plan.calm_ns)
        await self._calm()
        self._people.leave()
        await self._stop()
        await self._start_twice()
        self._outside.pump.stop()

    async def _calm(self) -> None:
        """Faults have stopped: everything must heal in time."""
        self._mishaps.end()
        await self._back()
        if (life := self._alive) is not None and self._saved is not None and self._waits_for_restart(life, self._saved):
            self.invariants.deeds["restarted_for_edit"] += 1
            self._mishaps.away_ns = SECOND_NS
            life.process.die()
            await self._back()
        began_ns = self.now_ns()
        self._people.calm()
        wrong_since: dict[str, int] = {}
        while self.now_ns() < began_ns + 60 * SECOND_NS and await self._pass(_STEP_NS):
            found = self._wrong(began_ns)
            wrong_since = {what: wrong_since.get(what, self.now_ns()) for what in found}
        for what, since_ns in wrong_since.items():
            if self.now_ns() - since_ns > _PASSING_NS:
                self.invariants.fail(7, f"{what}, {(self.now_ns() - began_ns) / 1e9:.0f} s after the faults stopped")

    async def _back(self) -> None:
        """Wait until there is a daemon."""
        while self._alive is None and await self._pass(_STEP_NS):
            pass

    @staticmethod
    def _waits_for_restart(life: Life, saved: SavedFile) -> bool:
        return life.foreign.value != saved.settings.risk.foreign

    def _wrong(self, began_ns: int) -> list[str]:
        """Return what is not as it must be in the end."""
        life = self._alive
        if life is None or life.floor is None or life.roster is None:
            return ["the daemon is not up"]
        wrong = ["the kill switch is set and was to be released"] if self.invariants.killing.set else []
        if self._saved is not None:
            wrong += _unapplied(life, self._saved) + self.invariants.behind.wrong()
        configured = self._configured(life)
        for market, task in life.floor.markets.items():
            executor, place = task.desk.executor, life.roster[market]
            for order in executor.orders:
                old = order.intent.at_ns - self.plan.start_ns < began_ns
                if order.status is OrderStatus.UNKNOWN and old and self.now_ns() > began_ns + _RESOLVED_S * SECOND_NS:
                    self.invariants.fail(7, f"order {order.client_id} is UNKNOWN 30 s after the faults stopped")
            net = held(self.engine, market, self.invariants.hands)
            if executor.position.net != net:
                wrong.append(f"{market}: we count {executor.position.net}, the venue {net}")
            bare = unguarded(self.engine, market, self._managed(market))
            if bare and not unwanted(self.engine, market):  # what is beyond its stop is being sold instead
                wrong.append(f"{market}: {bare}")
            elif place.state in _DECIDING and (astray := self._astray(task)):
                wrong.append(f"{market}: {astray}")
            patient_ns = self._venue_time.now_ns() - task.spec.style.patience_ns
            wrong += [f"{market}: {late}" for late in lingering(self.engine, market, patient_ns)]
            desired = place.desired if market in configured else Desired.STOPPED
            if place.state not in _WANTED[desired]:
                wrong.append(f"{market}: is {place.state.value} ({place.reason}) and should be {desired.value}")
            if task.instrument != self.engine.desks[market].spec.instrument:
                wrong.append(f"{market}: the venue has other rules by now")
            if executor.quarantine:
                wrong.append(f"{market}: {executor.quarantine}")
        return wrong

    def _astray(self, task: MarketTask) -> str:
        """Return what is wrong with where a stop rests, in a market whose strategy alone decides about its position."""
        check, market = self.invariants, task.spec.market
        net = self._managed(market)
        if not net or check.killing.set or market in check.hands.traded_ns:
            return ""
        desk = self.engine.desks[market]
        tick, quote = desk.spec.instrument.tick, desk.book.quote
        return check.targets.astray(task.spec, 1 if net > 0 else -1, quote, tick, resting(self.engine, market))

    def _configured(self, life: Life) -> Container[MarketId]:
        """Return the markets that the configuration has."""
        if self._saved is None or life.floor is None:
            return self.engine.desks if life.floor is None else life.floor.markets
        return [market.id for market in self._saved.settings.trading if market.enabled]

    def _managed(self, market: MarketId) -> Quantity:
        """Return what of the market's holdings is the strategy's."""
        return managed(self.engine, market, self.invariants.hands, adopted=self.invariants.adopts)

    async def _stop(self) -> None:
        """Stop all markets, and compare the books to the last execution."""
        if self.invariants.violation is not None:
            return
        life = self._alive
        assert life is not None
        assert life.roster is not None
        life.roster.stop_all("operator", remember=True)
        over_ns = self.now_ns() + 20 * SECOND_NS
        while self.now_ns() < over_ns and self.invariants.violation is None:
            await asyncio.sleep(1.0)
            if all(place.state is RunState.STOPPED for place in life.roster.places.values()):
                break
        else:
            standing = {m: p.state.value for m, p in life.roster.places.items() if p.state is not RunState.STOPPED}
            self.invariants.fail(7, f"markets that were stopped 20 s ago: {standing}")
        for _ in range(_FREEZES):
            self.engine.frozen = False
            over_ns = self.now_ns() + 20 * SECOND_NS
            while not self._at_rest() and self.now_ns() < over_ns and await self._pass(_STEP_NS):
                pass
            self.engine.frozen = True
            await self._until(self.now_ns() + 3 * SECOND_NS)
            orders = len(self.engine.orders)
            await self._until(self.now_ns() + 5 * SECOND_NS)
            if len(self.engine.orders) == orders:
                break  # else the last price triggered a stop, which finds no offers while all stands still
        over_ns = self.now_ns() + 10 * SECOND_NS  # the last record may be on its way to the history
        while self._outside.disk.last != len(self._outside.history.rows) and self.now_ns() < over_ns:
            await self._pass(_INSTANT_NS)
        self._compare()

    def _at_rest(self) -> bool:
        """Whether every position has its stop: one that has just been triggered may still be looking for offers."""
        markets = self.invariants.looked_after
        return not any(unguarded(self.engine, market, self._managed(market)) for market in markets)

    def _compare(self) -> None:
        """Hold the journal against the venue and the history against the journal, to the row."""
        check, disk, history = self.invariants, self._outside.disk, self._outside.history
        for market in check.looked_after:
            net = held(self.engine, market, check.hands)
            if check.net(market) != net:
                check.fail(4, f"{market}: the journal sums to {check.net(market)}, the venue has {net}")
        if missed := check.missed():
            check.fail(4, f"executions that the journal never got: {missed}")
        if endless := check.open_ended():
            check.fail(7, f"intents without an end: {endless}")
        check.moving.overdue(self._venue_time.now_ns())
        stepped = self.faults.counts[Kind.CLOCK_STEP] or self.faults.counts[Kind.VENUE_CLOCK_STEP]
        if self._alive is not None and not stepped:
            # A clock that was wrong may have mixed up some marks.
            check.moving.judges(self._alive.drawdown_percent, check.losses.marks)
            check.losses.judges(self._alive.day_loss, self.true_ns())
        behind = disk.last - len(history.rows)
        if behind or history.conflicts:
            check.fail("history", f"the history lacks {behind} records, {history.conflicts} have another content")

    async def _start_twice(self) -> None:
        """Start twice on a venue that stands still: nothing may be sent, nothing may be learnt or forgotten."""
        self.invariants.hands.overdue(self._venue_time.now_ns() + 1, self.invariants.looked_after)
        worth_anew = True  # what the open positions are worth by now may be news to the first start, and after funding
        for _ in range(2):
            if self.invariants.violation is not None:
                return
            life = self._alive
            assert life is not None
            before, orders = self._outside.disk.last, len(self.engine.orders)
            told, in_step = len(self.engine.executions), self.invariants.in_step
            quarantines = _quarantines(life)
            self._mishaps.away_ns = SECOND_NS
            life.process.die()
            await asyncio.sleep(6.0)
            if len(self.engine.orders) != orders:
                self.invariants.fail(8, "a restart on an unchanged venue placed an order")
            quarantines = {market: why for market, why in quarantines.items() if market in self.invariants.looked_after}
            if (found := _quarantines(self._alive)) != quarantines:
                self.invariants.fail(8, f"before a restart these were in quarantine: {quarantines}, and after: {found}")
            records = [self._outside.disk.record(n).event for n in range(before + 1, self._outside.disk.last + 1)]
            news = [
                event
                for event in records
                if not _of_time(event) and not (worth_anew and isinstance(event, EquityMarked))
            ]
            worth_anew = told != len(self.engine.executions)  # funding was paid, and there is news
            if news and in_step and not worth_anew:
                self.invariants.fail(8, f"a restart on an unchanged venue journalled {news}")

    def end(self) -> None:
        """Let nothing go on."""
        if self._life is not None:
            self._life.process.alive = False
        self._bury()

    def outcome(self) -> Outcome:
        """Return what is told of it."""
        violation = self.invariants.violation
        if self.true_ns() // DAY_NS > self.plan.start_ns // DAY_NS:
            self.invariants.deeds["midnight"] += 1
        self.faults.counts[Kind.STALE_ANSWERS] = self._outside.front.hidden
        return Outcome(
            seed=self.plan.seed,
            digest=self.trace.digest,
            virtual_seconds=self.now_ns() / SECOND_NS,
            violation=violation,
            timeline=() if violation is None else tuple(self.trace.timeline()),
            faults={kind.value: count for kind, count in self.faults.counts.items() if count},
            deeds=dict(self.invariants.deeds + self._outside.disk.deeds),
            orders=len(self.invariants.venue_orders),
            fills=len(self.invariants.applied),
            records=self._outside.disk.last,
            lives=self.lives,
            crashes=self.faults.counts[Kind.CRASH],
        )


def _of_time(event: Event) -> bool:
    """Whether the event is no news: a cool-down that is over while the daemon happens to start, or what each says.

    That is of markets which are not configured any more, and hold something or have an order at the venue.
    """
    if isinstance(event, Noted):
        return event.kind in ("market.left_behind", "account.unrouted")
    return isinstance(event, BreakerChanged) and event.before is not BreakerState.CLOSED


def _unapplied(life: Life, saved: SavedFile) -> list[str]:
    """Return what of the newest configuration does not run, and does not wait for a restart."""
    if life.editor is None:
        return ["nobody looks at the configuration's file"]
    change = difference(life.editor.settings, saved.settings)
    return [f"the configuration is not in force: {'; '.join(change.applied)}"] if change.applied else []


def _quarantines(life: Life | None) -> dict[MarketId, str]:
    """Return why markets are in quarantine."""
    if life is None or life.floor is None:
        return {}
    reasons = {market: task.desk.executor.quarantine for market, task in life.floor.markets.items()}
    return {market: reason for market, reason in reasons.items() if reason}


def _looks_back(plan: Plan) -> bool:
    return bool(plan.edits) or any(spec.timeframe_s >= MINUTE_S for spec in plan.specs)


def _venue(plan: Plan) -> VenueSpec:
    return VenueSpec(
        markets=plan.markets,
        seed=f"venue {plan.seed}".encode(),
        start_ns=plan.start_ns,
        rate=_RATE,
        balance=BALANCE,
        history_minutes=_HISTORY_MINUTES if _looks_back(plan) else 5,
        funding_interval_s=plan.funding_s,
    )


async def played(seed: int, options: Options) -> Outcome:
    """Play the session of that seed on the running virtual loop."""
    task = asyncio.current_task()
    if task is not None:
        task.set_name(_SESSION)
    chance = World(clock=Clock(lambda: 0, 0), seed=f"plan {seed}".encode())
    session = Session(plan_of(seed, chance.fork("plan"), options))
    with hushed(session.fell):
        await session.play()
        session.end()
        await asyncio.sleep(0)
    return session.outcome()
