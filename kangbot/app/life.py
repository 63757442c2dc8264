"""The daemon's life: every part is made here, and this is the order in which they begin and end.

Begin: journal, history, venue, feeds, markets, control. End: the other way round. What the nesting says is what stops
when: the markets settle while the venue and the journal are still there, and the journal is the last to close.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import Self

import structlog

from kangbot.app import parameters
from kangbot.app.answers import Answers
from kangbot.app.beside import Beside
from kangbot.app.books import Books
from kangbot.app.ending import Ending
from kangbot.app.key import KeyWatch
from kangbot.app.last_run import keep
from kangbot.app.margin import MarginWatch
from kangbot.app.remembered import Remembered
from kangbot.control.beginning import Beginning
from kangbot.control.chat.commands import ChatCommands
from kangbot.control.dashboard.assets import Assets
from kangbot.control.server import ControlServer
from kangbot.editing import Editor, spec_of
from kangbot.errors import NeedsHuman
from kangbot.execution.budget import TRANSIT_NS, Budget, remembered_budget
from kangbot.health.event_counts import EventCounts
from kangbot.health.faults import FaultDesk
from kangbot.health.foreign_fees import ForeignFees
from kangbot.health.lag import LoopLag
from kangbot.health.monitor import Monitor
from kangbot.health.process import ProcessMeter
from kangbot.health.report import Report
from kangbot.health.vitals import Vitals
from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.logs import Masker
from kangbot.machines.faults import Kind, Operation
from kangbot.machines.limiter import Window
from kangbot.machines.memory import Memory
from kangbot.machines.service import Phase
from kangbot.market.floor import Floor
from kangbot.market.gateway import Gateway
from kangbot.market.killswitch import KillSwitch, not_flat
from kangbot.market.roster import Roster
from kangbot.market.vitals import TURN_S, watch, watch_market
from kangbot.model.events import Noted, RunState, Severity
from kangbot.model.ids import MarketId
from kangbot.modes import Connection, connection
from kangbot.notify.wording import headlines
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.garbage import freeze
from kangbot.runtime.synced import synced
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import World
from kangbot.settings.file import ConfigFile, Saved
from kangbot.settings.versions import Versions
from kangbot.venues.bybit.venue import BybitVenue

log = structlog.get_logger(__name__)

_DRAIN_S = 5.0  # how long the end waits for the history: what it does not get then, it gets after the next start
_SETTLED = (RunState.LIVE, RunState.PAUSED, RunState.STOPPED, RunState.FAILED)


class App:
    """The whole daemon between `async with` and its end; `answers` is there in between."""

    def __init__(
        self, file: ConfigFile, saved: Saved, world: World, reached: Callable[[Phase], None], masker: Masker
    ) -> None:
        self._file = file
        self._saved = saved
        self._settings = settings = saved.settings
        self._world = world
        self._reached = reached
        self._masker = masker
        self._remembered = Remembered.new(settings, settings.risk.limits)
        self._meter = ProcessMeter()
        self._lag = LoopLag()
        self._vitals = Vitals()
        self._tasks = Tasks("app", self._crashed)
        self._starts = Tasks("app", self._crashed)  # what has markets begin; the first to end
        self.summary: Report | None = None  # of the whole run, once trading has ended in order
        self._beginning: Beginning | None = None
        self.left: Noted | None = None  # what the kill switch had yet to close then
        self._exits = contextlib.AsyncExitStack()
        self._started_ns = world.clock.now_ns()
        self._ending = Ending()

    # ---------------------------------------------------------------------------------------------------------- begin
    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._exits.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    def begins(self) -> str:
        """Return how far its beginning is, in one line, for as long as there are no `answers`."""
        return "recovering" if self._beginning is None else self._beginning.words()

    async def _begin(self) -> None:
        await self._open_books()
        self._beside = Beside(self._world, self._books.note)
        writer = self._books.writer
        async with Beginning(self._settings.control_socket, first=writer.floor, last=writer.last) as beginning:
            self._beginning = beginning
            memory = await self._remember(beginning)
            for tasks in (self._tasks, self._starts, self._beside):
                self._exits.push_async_callback(tasks.aclose)
            self._link = await self._exits.enter_async_context(self._connected(memory))
            self._make_floor(memory)
            await self._stand_watch()
            self.answers = self._answering()
        self._control = self._served()
        self._exits.push_async_callback(self._control.aclose)
        await self._control.start()

    async def _open_books(self) -> None:
        """Open the journal, and make the history with what feeds it and makes room behind itself."""
        settings = self._settings
        writer = await self._exits.enter_async_context(await JournalWriter.open(settings.state_dir, self._world))
        kind, history = parameters.history(settings, self._world)
        self._exits.push_async_callback(history.aclose)
        self._books = Books(
            writer=writer,
            history=history,
            kind=kind,
            world=self._world,
            batch=settings.database.batch,
            fresh=lambda: Remembered.new(settings, self._remembered.risk.limits).by_name(),
            changed=self._history_changed,
        )
        self._books.watch(self._vitals)

    async def _remember(self, beginning: Beginning) -> Memory:
        """Return what the journal remembers; whoever else remembers by it hears of that too."""
        settings, remembered, journal = self._settings, self._remembered, self._books.journal
        memory = await replay(self._books.writer, remembered.by_name(), come_to=beginning.come_to)
        journal.listen(remembered.risk.observe)
        journal.listen(remembered.transfers.observe)
        journal.listen(remembered.margin.observe)
        remembered.past.check(settings)
        for told in remembered.past.news(settings, self._world.clock.now_ns()):
            journal.append(told)
        log.info("journal.replayed", records=memory.last_sequence, markets=len(memory.markets), tag=journal.tag)
        self._faults = FaultDesk(
            world=self._world,
            journal=journal,
            policy=settings.errors.policy,
            shut_down=self._ending.end_for,
            mask=Masker(settings.secrets).text,
            holds=remembered.holds,
        )
        return memory

    def _connected(self, memory: Memory) -> contextlib.AbstractAsyncContextManager[Connection]:
        past = self._remembered.past
        return connection(self._settings, self._world, memory=memory, past=past, on_note=self._feed_noted)

    def _make_floor(self, memory: Memory) -> None:
        """Make the markets' floor, on the way to the venue and within what the venue bears."""
        settings, way, hub = self._settings, self._link.way, self._link.hub
        self._roster = Roster(
            clock=self._world.clock,
            journal=self._books.journal,
            draw=self._world.fork("start-all").random,
            interval_s=settings.start.interval_s,
            jitter_s=settings.start.jitter_s,
        )
        # The account's windows are all that venues allow; of public data they allow several times as much.
        budget = self._budget("account", way.account_windows, TRANSIT_NS)
        self._data_budget = data_budget = self._budget("data", way.data_windows, 0)
        for one in (budget, data_budget):
            one.on_ban(hub.keep_still)
        self._floor = Floor(
            world=self._world,
            journal=self._books.journal,
            memory=memory,
            gateway=Gateway(
                venue=self._link.venue,
                feeds=self._link.feeds,
                budget=budget,
                data_budget=data_budget,
                clock=way.clock,
            ),
            risk=self._remembered.risk,
            roster=self._roster,
            specs=[spec_of(market) for market in settings.trading if market.enabled],
            terms=parameters.terms(settings, way.receive_window_ms),
            breakers=self._remembered.breakers,
            faults=self._faults,
            died=self._crashed,
            alarm=self._alarm(),
            deaf=self._link.deaf,
            twin=self._doubled,
            unheard=hub.renew_account,
        )
        hub.on_dial(self._floor.circuits.dialled)
        self._exits.push_async_callback(self._floor.close)

    async def _stand_watch(self) -> None:
        """Make what stands over the floor: the figures, the kill switch, the configuration's editor."""
        events = EventCounts()
        self._books.overhear(events.observe)
        self._books.overhear(ForeignFees(self._books.note).observe)
        self._monitor = Monitor(
            clock=self._world.clock,
            meter=self._meter,
            state_dir=self._settings.state_dir,
            decisions=self._floor.decisions,
            timings=self._link.way.timings,
            events=events,
            health=lambda: self.answers.health(),  # noqa: PLW0108 -- the answers are made later
            note=lambda kind, severity, check, words: self._books.note(kind, severity, None, words, check),
            report_every_s=self._settings.health.report_every_s,
        )
        self._kill_switch = KillSwitch(
            clock=self._world.clock,
            journal=self._books.apart,
            risk=self._remembered.risk,
            folder=self._settings.state_dir,
            changed=self._floor.look_again,
            synced=synced,
        )
        await self._kill_switch.look()
        self._editor = Editor(
            saved=self._saved,
            file=self._file,
            versions=Versions(self._settings.state_dir),
            world=self._world,
            floor=self._floor,
            risk=self._remembered.risk,
            hold=lambda: self.answers.closed(),  # noqa: PLW0108 -- the answers are made later
            note=self._books.note,
            learnt=lambda read: self._masker.add(*read.secrets),
            joined=self._joined,
        )

    def _answering(self) -> Answers:
        return Answers(
            clock=self._world.clock,
            mode=self._settings.mode,
            version=version("kangbot"),
            started_ns=self._started_ns,
            thresholds=self._settings.health.thresholds,
            link=self._link,
            floor=self._floor,
            roster=self._roster,
            risk=self._remembered.risk,
            kill_switch=self._kill_switch,
            faults=self._faults,
            editor=self._editor,
            masker=self._masker,
            books=self._books,
            vitals=self._vitals,
            monitor=self._monitor,
            lag=self._lag,
            starts=self._starts,
            beside=self._beside,
            ending=self._ending,
            margin=self._remembered.margin,
        )

    def _served(self) -> ControlServer:
        assets = Assets(self._settings.state_dir)
        assets.tidy()
        return ControlServer(
            self.answers,
            self._settings.control_socket,
            clock=self._world.clock,
            listen=parameters.listen(self._settings),
            pages=assets.mount,
            mask=self._masker.text,
            hide=self._masker.add,
        )

    def _budget(self, kind: str, windows: tuple[Window, ...], transit_ns: int) -> Budget:
        return remembered_budget(
            clock=self._world.clock,
            venue=f"{self._link.venue.name} {kind}",
            windows=windows,
            transit_ns=transit_ns,
            journal=self._books.journal,
            pauses=self._remembered.pauses,
        )

    def _alarm(self) -> Alarm:
        """Return what interrupts a strategy on the loop: at twice what makes it a slow one, which is asked aside."""
        alarm = Alarm(2 * self._settings.supervision.slow_decision_ms / 1000)
        self._exits.callback(alarm.close)
        return alarm

    def _doubled(self, words: str) -> None:
        """Enter nothing while another daemon takes our orders for its own: between them they would trade for ever."""
        self._tasks.spawn("twin", self._killed_by_twin(words))

    async def _killed_by_twin(self, words: str) -> None:
        with contextlib.suppress(NeedsHuman):  # a disk that does not take it is told of, and tried again each second
            await self._kill_switch.kill(words, "kangbot")

    # ------------------------------------------------------------------------------------------------------------ run
    async def run(self, *, stop: asyncio.Event, hurry: asyncio.Event) -> None:
        """Trade until `stop`, then end in order; `hurry` cuts that short. Raises what made going on impossible."""
        self._beside.keep("lag", self._lag.run)
        self._vitals.register("timers", TURN_S, done=lambda: self._lag.latencies.count)
        self._beside.keep("drain", partial(self._unless_torn, self._books.drain.run))
        self._beside.keep("compact", partial(self._unless_torn, self._books.compactor.run))
        self._tasks.spawn("kill-switch", self._kill_switch.run())
        self._vitals.register("kill-switch", TURN_S, done=lambda: self._kill_switch.looks)
        self._beside.keep("monitor", self._monitor.run)
        self._beside.keep("control", self._control.run)
        for notifier in parameters.notifiers(self._settings, self._world, lambda: headlines(self.answers.report())):
            self._books.overhear(notifier.tell)
            self._beside.keep(f"notify-{notifier.service}", notifier.run)
        self._books.journal.append(self._remembered.lives.begun(self._world.clock.now_ns()))
        commands = ChatCommands(self.answers, lambda: headlines(self.answers.report()))
        if (telegram := parameters.telegram(self._settings, self._world, commands.answer)) is not None:
            self._beside.keep("telegram", telegram.run)
        self._starts.spawn("open", self._open())
        stopped = self._tasks.spawn("stop", stop.wait())
        stopped.add_done_callback(lambda _: self._ending.wish())
        await self._ending.begun()
        await self._end(hurry)
        self._ending.conclude()

    async def _unless_torn(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run what reads the journal again: where that is damaged, or an older copy, nobody may trade by it."""
        try:
            await run()
        except NeedsHuman as error:
            self._crashed("the journal's readers", error)

    async def _open(self) -> None:
        await self._floor.open()
        watch(self._vitals, self._floor, self._world.clock, self._settings.supervision.longest_wait_s)
        freeze(collect=False)
        self._tasks.spawn("recovered", self._recovered())
        log.info("daemon.ready", markets=len(self._floor.markets), mode=self._settings.mode)
        self._beside.keep("config", self._editor.run, among=self._starts)
        if isinstance(venue := self._link.venue, BybitVenue):  # on paper there is no key
            key = KeyWatch(
                clock=self._world.clock, rights=venue.key_rights, budget=self._data_budget, note=self._books.note
            )
            self._beside.keep("key", key.run, among=self._starts)
            margin = MarginWatch(
                clock=self._world.clock,
                journal=self._books.journal,
                ask=venue.margin_mode,
                budget=self._data_budget,
                known=self._remembered.margin,
            )
            self._beside.keep("margin", margin.run, among=self._starts)
            transfers = self._floor.watch_transfers(self._remembered.transfers)
            self._beside.keep("transfers", transfers.run, among=self._starts)
        await self._roster.start_all("daemon")
        self._tasks.spawn("freeze", self._freeze())

    async def _recovered(self) -> None:
        """Say that the recovery is over: the venue has answered for everything that the journal left open."""
        await self._floor.account.reconciled.wait()
        self._reached(Phase.RUNNING)

    async def _freeze(self) -> None:
        """Spare the garbage collector what every market has made to go live."""
        await self._roster.reached(self._floor.markets, *_SETTLED)
        freeze(collect=False)

    async def _end(self, hurry: asyncio.Event) -> None:
        self._reached(Phase.STOPPING)
        loop = asyncio.get_running_loop()
        grace_s, flatten = self._settings.shutdown.grace_s, self._remembered.risk.flatten
        over_s = loop.time() + grace_s
        await self._starts.aclose()
        if self._floor.markets:
            await self._floor.drain(grace_s if flatten else max(0.5, grace_s - _DRAIN_S), hurry)
        if left := self._floor.unflattened:
            self.left = not_flat(left, self._world.clock.now_ns())
            log.critical(self.left.kind, message=self.left.message)
            self._books.writer.append(self.left, reserve=True)  # whoever overhears ends with us: last words have it
        await self._floor.close()
        with contextlib.suppress(TimeoutError, NeedsHuman):  # a full disk has been told of
            async with asyncio.timeout(0.1 if hurry.is_set() else max(0.5, over_s - loop.time())):
                await self._books.close()
        self.summary = self.answers.report()
        keep(self.summary, self._settings.state_dir)

    # -------------------------------------------------------------------------------------------------------- private
    def _joined(self, market: MarketId) -> None:
        """Learn that a market joined the floor: its task must never die, like the others'."""
        longest_wait_s = self._settings.supervision.longest_wait_s
        watch_market(self._vitals, self._floor.markets[market], self._world.clock, longest_wait_s)

    def _feed_noted(self, kind: str, severity: Severity, market: MarketId | None, message: str) -> None:
        """Take what the feeds tell: what is not well with them is an error of theirs."""
        if severity is not Severity.INFO:
            self._faults.met(Kind.FEED, Operation.FEED, market, f"{kind}: {message}")
        self._books.note(kind, severity, market, message)

    def _history_changed(self, error: Exception | None) -> None:
        self._faults.ended(None, Operation.HISTORY, error)

    def _crashed(self, name: str, error: BaseException) -> None:
        """Learn that a task of the whole daemon ended by an error: going on without it would be silence."""
        self._faults.ended(None, Operation.TASK, error)
        self._ending.break_off(name, error)
