"""One life of the daemon in the simulated world, composed as `app/` composes the real one."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import msgspec

from kangbot.editing import Editor, spec_of
from kangbot.errors import NeedsHuman
from kangbot.execution.budget import TRANSIT_NS, Budget, remembered_budget
from kangbot.execution.calls import turn
from kangbot.execution.venue_clock import VenueClock
from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.compact import Compactor
from kangbot.journal.drain import Drain
from kangbot.journal.replay import Others, replay
from kangbot.machines.breakers import Breakers
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.killswitch import FILE, Wish, write
from kangbot.machines.limiter import Window
from kangbot.machines.memory import Memory
from kangbot.machines.pauses import Pauses
from kangbot.machines.transfers import Transfers
from kangbot.market.drawdown import count_anew
from kangbot.market.floor import Floor
from kangbot.market.gateway import Gateway
from kangbot.market.killswitch import KillSwitch
from kangbot.market.roster import Roster
from kangbot.market.spec import MarketSpec
from kangbot.market.terms import Terms
from kangbot.model.events import Lane, Noted, Severity
from kangbot.model.ids import ClientId, MarketId, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Money, Price, Quantity
from kangbot.model.orders import Intent, OrderReport, Purpose
from kangbot.ports import Journal
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.scenario.plan import Plan
from kangbot.scenario.reloads import By
from kangbot.scenario.saved import Bench, NoVersions, SavedFile
from kangbot.scenario.told_floor import ToldFloor
from kangbot.settings.file import Saved
from kangbot.sim.exchange.front import Front
from kangbot.sim.proof.breaking import BreakerWatch
from kangbot.sim.proof.invariants import Invariants
from kangbot.sim.proof.recovery import Recovery
from kangbot.sim.world.disk import Disk, SimJournal
from kangbot.sim.world.faults import Faults
from kangbot.sim.world.feeds import SimFeeds
from kangbot.sim.world.folder import SimPath
from kangbot.sim.world.history import SimHistory
from kangbot.sim.world.network import Network
from kangbot.sim.world.port import SimPort
from kangbot.sim.world.process import Process, ProcessCarrier
from kangbot.sim.world.pump import Pump

VENUE = VenueName("bybit")  # what the listing calls itself
STATE = PurePosixPath("/state")
DATA_REQUESTS = 20  # a second
WINDOW_MS = 5000
_DOUBT_NS = SECOND_NS  # by which the venue's clock may be wrong where an entry is stamped, as in `modes/bybit.py`
_KEEP_S = 10.0  # how long records stay in the journal: longer than the end of a session looks back
_LEAST = 40  # records that are worth a compaction
_PAUSE_S = 0.5
_RULES_S, _RULES_PAUSE_S = 30.0, 10.0  # an hour has no room in a session


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What there is beside the daemon, and outlives it."""

    plan: Plan
    front: Front
    pump: Pump
    network: Network
    disk: Disk
    recovery: Recovery
    files: dict[PurePosixPath, str]  # in the state folder
    saved: SavedFile | None  # the configuration's file; None: it stays as the plan has it
    history: SimHistory
    faults: Faults
    invariants: Invariants
    venue_now_ns: Callable[[], int]
    door_ns: Callable[[], int]  # by which the venue judges what arrives, and which it tells


def rememberers(plan: Plan, limits: Limits) -> Others:
    """Return those who remember by the journal, anew."""
    return {
        "risk": AccountRisk(limits),
        "breakers": Breakers(plan.breakers),
        "pauses": Pauses(),
        "transfers": Transfers(),
    }


def _terms(plan: Plan, foreign: ForeignPolicy) -> Terms:
    usual = Terms(receive_window_ms=WINDOW_MS, foreign=foreign)
    return msgspec.structs.replace(usual, rules_s=_RULES_S, rules_pause_s=_RULES_PAUSE_S) if plan.rulings else usual


class Life:
    """From a start to a crash. `run` is its main task; every task of it was made under that one."""

    def __init__(self, outside: Outside, clock: Clock, process: Process) -> None:
        self.process = process
        self.clock = clock
        self.floor: Floor | None = None
        self.roster: Roster | None = None
        self.feeds = SimFeeds(pump=outside.pump, faults=outside.faults, process=process)
        self.drain: Drain | None = None
        self._switch: KillSwitch | None = None
        self._journal: Journal | None = None
        self.editor: Editor | None = None
        self._read = None if outside.saved is None else outside.saved.read()
        risk = None if self._read is None else self._read.settings.risk
        self._risk = AccountRisk(outside.plan.limits if risk is None else risk.limits)
        self.foreign = outside.plan.foreign if risk is None else ForeignPolicy(risk.foreign)
        self._outside = outside
        self._tasks = Tasks("app", self._crashed)

    async def run(self) -> None:
        """Begin, trade, and go on for ever."""
        outside, plan = self._outside, self._outside.plan
        world = World(clock=self.clock, seed=plan.seed.to_bytes(8, "big"))
        journal = SimJournal(outside.disk, self.process)
        risk, breakers, pauses, transfers = self._risk, Breakers(plan.breakers), Pauses(), Transfers()
        others: Others = {"risk": risk, "breakers": breakers, "pauses": pauses, "transfers": transfers}
        memory = await replay(journal, others)
        self._recovered(memory, others)
        self._journal = announced = AnnouncedJournal(journal)
        announced.listen(risk.observe)
        announced.listen(transfers.observe)
        announced.listen(outside.invariants.intended)
        check = outside.invariants
        check.entering.deaf, check.entering.adopts = self.feeds.deaf, self.foreign is ForeignPolicy.ADOPT
        for watch in (check.losses, check.breaking, check.entering):
            watch.begins()
            announced.listen(watch.announced)
        self.drain = Drain(journal, outside.history, world, mark=journal.mark_drained)
        roster = Roster(
            clock=self.clock,
            journal=announced,
            draw=world.fork("start-all").random,
            interval_s=0.2,
            jitter_s=0.2,
        )
        self.floor = self._floor(world, announced, memory, risk=risk, roster=roster, breakers=breakers, pauses=pauses)
        self.roster = roster
        self._tasks.spawn("drain", self.drain.run())
        if plan.compact_s is not None:
            self._tasks.spawn("compact", self._compactor(journal, plan.compact_s).run())
        await self._resume_switch(journal)
        await self.floor.open()
        executors = [task.desk.executor for task in self.floor.markets.values()]
        outside.invariants.attend(risk, executors, breakers, foreign=self.foreign)
        if self._read is not None and outside.saved is not None:
            self.editor = self._editing(self._read, outside.saved, world, announced)
            self._tasks.spawn("config", self.editor.run())
        self._tasks.spawn("transfers", self.floor.watch_transfers(transfers).run())
        await roster.start_all("daemon")
        await asyncio.get_running_loop().create_future()

    # --------------------------------------------------------------------------------------------------------- journal
    def _compactor(self, journal: SimJournal, beat_s: float) -> Compactor:
        return Compactor(
            journal,
            self.clock,
            fresh=lambda: rememberers(self._outside.plan, self._risk.limits),
            beat_s=beat_s,
            keep_s=_KEEP_S,
            least=_LEAST,
            pause_s=_PAUSE_S,
        )

    def _recovered(self, memory: Memory, others: Others) -> None:
        """Hold what a checkpoint and the records after it come to against the fold of every record there was."""
        disk, check = self._outside.disk, self._outside.invariants
        if not disk.floor:
            return
        check.deeds["checkpoint_recovered"] += 1
        if wrong := self._outside.recovery.wrong(memory, others):
            check.fail("journal", wrong)

    def _floor(
        self,
        world: World,
        journal: Journal,
        memory: Memory,
        *,
        risk: AccountRisk,
        roster: Roster,
        breakers: Breakers,
        pauses: Pauses,
    ) -> Floor:
        outside, plan = self._outside, self._outside.plan
        venue_clock = VenueClock(self.clock, most_ns=_DOUBT_NS)
        port = _WatchedPort(
            self._leaves,
            outside.invariants.breaking,
            name=VENUE,
            front=outside.front,
            carrier=ProcessCarrier(outside.network, self.process, outside.invariants),
            clock=venue_clock,
            venue_now_ns=outside.venue_now_ns,
            door_ns=outside.door_ns,
            id_rule=plan.id_rule,
            window_ns=WINDOW_MS * 1_000_000,
            turn=turn,
            rows_a_page=plan.rows_a_page,
        )
        return ToldFloor(
            outside.invariants,
            self.process,
            world=world,
            journal=journal,
            memory=memory,
            gateway=Gateway(
                venue=port,
                feeds=self.feeds,
                budget=self._budget("account", plan.requests_a_second, TRANSIT_NS, journal, pauses),
                data_budget=self._budget("data", DATA_REQUESTS, 0, journal, pauses),
                clock=venue_clock,
            ),
            risk=risk,
            roster=roster,
            specs=tuple(map(outside.invariants.targets.heard, self._specs)),
            terms=_terms(plan, self.foreign),
            breakers=breakers,
            died=self._crashed,
            twin=self._doubled,
        )

    # --------------------------------------------------------------------------------------------------- configuration
    @property
    def _specs(self) -> Sequence[MarketSpec]:
        if self._read is None:
            return self._outside.plan.specs
        return [spec_of(market) for market in self._read.settings.trading if market.enabled]

    def _editing(self, read: Saved, file: SavedFile, world: World, journal: Journal) -> Editor:
        assert self.floor is not None
        floor = self.floor

        check = self._outside.invariants

        def note(kind: str, severity: Severity, market: MarketId | None, message: str) -> None:
            journal.append(
                Noted(kind=kind, severity=severity, market=market, message=message, at_ns=self.clock.now_ns())
            )
            if self.process.alive:
                check.deeds[kind] += 1
                if kind == "config.applied":
                    check.limited(editor.settings.risk.limits)

        def joined(market: MarketId) -> None:
            if self.process.alive:
                known = any(intent.market == market for intent in check.intents.values())
                check.deeds["market_back_after_restart" if known else "market_joined"] += 1
                check.joins(floor.markets[market].desk.executor)

        editor = Editor(
            saved=read,
            file=file,
            versions=NoVersions(read.settings.state_dir),
            world=world,
            floor=floor,
            risk=self._risk,
            hold=lambda: floor.unrecovered,
            note=note,
            learnt=lambda _settings: None,
            joined=joined,
            bench=Bench,
        )
        return editor

    def reload(self, by: By) -> None:
        """Have the file read now, by a signal or by a call; a look of its own needs nobody."""
        if self.editor is None or self.floor is None:
            return
        if by is By.SIGNAL:
            self.editor.ask("SIGHUP")
        elif by is By.CALL and not self.floor.unrecovered:  # else the call is refused
            self._tasks.spawn("operator/reload", self._reload(self.editor))

    async def _reload(self, editor: Editor) -> None:
        await editor.reload("operator")

    # ----------------------------------------------------------------------------------------------------- kill switch
    async def _resume_switch(self, journal: Journal) -> None:
        outside = self._outside
        self._switch = KillSwitch(
            clock=self.clock,
            journal=journal,
            risk=self._risk,
            folder=SimPath(STATE, outside.files, outside.faults, self.process),
            changed=self._switched,
        )
        await self._switch.look()
        if self.process.alive:
            outside.invariants.killing.resumed(self._risk.killed, flatten=self._risk.flatten)
        self._tasks.spawn("kill-switch", self._switch.run())

    def _switched(self) -> None:
        assert self.floor is not None
        self.floor.look_again()
        if not self.process.alive:
            return
        killing = self._outside.invariants.killing
        killing.changed(self._risk.killed, flatten=self._risk.flatten)
        asyncio.get_running_loop().call_soon(killing.turned)

    @property
    def drawdown_percent(self) -> Decimal:
        """How far the daemon takes its equity to be below its highest."""
        return self._risk.drawdown_percent

    @property
    def day_loss(self) -> Money:
        """What the daemon takes the day to have lost, by its clock."""
        return self._risk.day_loss(self.clock.now_ns())

    def accept(self) -> bool:
        """Have the drawdown counted anew, as the call does; False where there was nothing to reset."""
        assert self.floor is not None
        assert self._journal is not None
        recount, _ = count_anew(self._risk, self._journal, "operator", self.clock.now_ns())
        self.floor.look_again()
        return recount.reset

    def kill(self, wish: Wish, *, by_file: bool) -> None:
        """Set the kill switch, by its file or by a call."""
        if by_file:
            file = SimPath(STATE, self._outside.files, self._outside.faults, None) / FILE
            file.write_text(write(wish), encoding="utf-8")
            self._outside.invariants.killing.keeps()
        elif self._switch is not None:
            self._tasks.spawn("operator/kill", self._kill(self._switch, wish))

    async def _kill(self, switch: KillSwitch, wish: Wish) -> None:
        try:
            await switch.kill(wish.reason, "operator", flatten=wish.flatten)
        except NeedsHuman:
            return  # no disk took it, and the operator knows: it is set in this life alone
        if self.process.alive:
            self._outside.invariants.killing.keeps()

    def release(self, *, by_file: bool) -> None:
        """Release the kill switch; what refuses it is told to the operator, who tries again."""
        self._outside.invariants.killing.gives_up()
        if by_file:
            file = SimPath(STATE, self._outside.files, self._outside.faults, None) / FILE
            file.unlink(missing_ok=True)
        elif self._switch is not None:
            self._tasks.spawn("operator/release", self._release(self._switch))

    async def _release(self, switch: KillSwitch) -> None:
        with contextlib.suppress(NeedsHuman):
            await switch.release("operator")

    def _budget(self, kind: str, a_second: int, transit_ns: int, journal: Journal, pauses: Pauses) -> Budget:
        return remembered_budget(
            clock=self.clock,
            venue=f"{VENUE} {kind}",
            windows=(Window(most=a_second, span_ns=SECOND_NS),),
            transit_ns=transit_ns,
            journal=journal,
            pauses=pauses,
        )

    def _leaves(self, intent: Intent) -> None:
        if self.process.alive:
            self._outside.invariants.sends(intent, self.clock.now_ns())

    def _doubled(self, words: str) -> None:
        if self.process.alive:  # there is one daemon
            self._outside.invariants.fail("twin", words)

    def _crashed(self, name: str, error: BaseException) -> None:
        if self.process.alive:
            self._outside.invariants.fail("fall", f"{name} fell: {error!r}")


class _WatchedPort(SimPort):
    """The port, with somebody who looks at each order as it leaves, and at how the calls end that change orders."""

    def __init__(self, leaves: Callable[[Intent], None], breaking: BreakerWatch, **named: Any) -> None:
        super().__init__(**named)
        self._leaves = leaves
        self._breaking = breaking

    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        self._leaves(intent)
        lane = Lane.ENTRY if intent.purpose is Purpose.ENTRY else Lane.EXIT
        return await self._breaking.watch(instrument.market, lane, super().submit(instrument, intent, sent_ns=sent_ns))

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        await self._breaking.watch(instrument.market, Lane.EXIT, super().cancel(instrument, client_id))

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        await self._breaking.watch(instrument.market, Lane.EXIT, super().protect(instrument, stop))

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        covered = super().cover(instrument, stop, quantity, order, fresh=fresh)
        return await self._breaking.watch(instrument.market, Lane.EXIT, covered)
