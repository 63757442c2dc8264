"""The composition root: the one module that names every concrete class, and the order in which they begin and end.

Begin: journal, history, venue, feeds, markets, control. End: the other way round. What the nesting says is what stops
when: the markets settle while the venue and the journal are still there, and the journal is the last to close.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Self

import msgspec
import structlog

from kangbot.control.chat.commands import ChatCommands
from kangbot.control.chat.telegram import Telegram
from kangbot.control.dashboard.assets import Assets
from kangbot.control.server import ControlServer, Listen
from kangbot.editing import Editor, spec_of
from kangbot.errors import NeedsHuman, Refused
from kangbot.execution.budget import Budget
from kangbot.health.checks import Health, health_of
from kangbot.health.faults import FaultDesk
from kangbot.health.headline import headline
from kangbot.health.lag import LoopLag
from kangbot.health.metrics import exposition
from kangbot.health.monitor import Monitor
from kangbot.health.process import ProcessMeter
from kangbot.health.report import MarketReport, OrderCounts, Reloaded, Report
from kangbot.health.vitals import Vitals
from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.compact import Compactor
from kangbot.journal.drain import Drain
from kangbot.journal.replay import Others, replay
from kangbot.journal.writer import JournalWriter
from kangbot.logs import Masker
from kangbot.machines.breakers import Breakers
from kangbot.machines.faults import Kind, Operation
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.limiter import Window
from kangbot.machines.offset import Estimate
from kangbot.machines.pauses import Pauses
from kangbot.machines.service import Phase
from kangbot.machines.slowness import Bounds
from kangbot.market.floor import Floor
from kangbot.market.killswitch import KillSwitch, Standing
from kangbot.market.reporting import breaker_reports, error_reports, report_of, stream_report
from kangbot.market.roster import Command, Place, Roster
from kangbot.market.terms import Terms
from kangbot.market.vitals import TURN_S, watch, watch_market
from kangbot.model.events import Lane, Noted, RequestsPaused, RunState, Severity
from kangbot.model.ids import MarketId
from kangbot.modes import Past, connection, noted
from kangbot.notify.notifier import Notifier
from kangbot.notify.outside import Outside
from kangbot.notify.wording import headlines
from kangbot.ports import Page, Row
from kangbot.risk.account import AccountRisk
from kangbot.runtime.alarm import Alarm
from kangbot.runtime.garbage import freeze
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, World
from kangbot.settings import Settings
from kangbot.settings.file import ConfigFile, Saved
from kangbot.settings.shown import shown
from kangbot.storage.opening import Readable, open_history
from kangbot.storage.url import SqliteUrl
from kangbot.storage.url import parse as parse_url

log = structlog.get_logger(__name__)

_MILLISECOND_NS = 1_000_000
_DRAIN_S = 5.0  # how long the end waits for the history: what it does not get then, it gets after the next start
_SETTLED = (RunState.LIVE, RunState.PAUSED, RunState.STOPPED, RunState.FAILED)
LAST_RUN = "last_run.json"


class App:
    """The whole daemon between `async with` and its end."""

    def __init__(
        self, file: ConfigFile, saved: Saved, world: World, reached: Callable[[Phase], None], masker: Masker
    ) -> None:
        self._file = file
        self._saved = saved
        self._settings = settings = saved.settings
        self._world = world
        self._reached = reached
        self._masker = masker
        self._specs = [spec_of(market) for market in settings.trading if market.enabled]
        self._risk = AccountRisk(settings.risk.limits, settings.currency)
        self._meter = ProcessMeter()
        self._lag = LoopLag()
        self._vitals = Vitals()
        self._tasks = Tasks("app", self._crashed)
        self._outside = Tasks("outside", self._lost)  # whose end is nobody's end but their own
        self._starts = Tasks("app", self._crashed)  # what has markets begin; the first to end
        self._stopping = False
        self._exits = contextlib.AsyncExitStack()
        self._started_ns = world.clock.now_ns()
        self._version = version("kangbot")  # read once: it is looked for in every folder of the import path
        self._history_away = ""
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

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

    async def _begin(self) -> None:
        settings = self._settings
        writer = await self._exits.enter_async_context(await JournalWriter.open(settings.state_dir, self._world))
        self._vitals.register("journal", TURN_S, done=lambda: writer.settled, waiting=lambda: writer.waiting)
        self._writer, self._journal = writer, AnnouncedJournal(writer)
        self._apart = AnnouncedJournal(
            writer
        )  # the kill switch's: risk learns of it by another way, people by this one
        past = Past(settings.venue)
        breakers = Breakers(settings.breakers.terms)
        pauses = self._pauses = Pauses()
        memory = await replay(writer, {"risk": self._risk, "past": past, "breakers": breakers, "pauses": pauses})
        self._journal.listen(self._risk.observe)
        past.check(settings)
        if not past.mode:
            self._journal.append(noted(settings, self._world.clock.now_ns()))
        log.info("journal.replayed", records=memory.last_sequence, markets=len(memory.markets), tag=writer.tag)

        self._faults = FaultDesk(
            world=self._world,
            journal=self._journal,
            policy=settings.errors.policy,
            shut_down=self._crashed,
            mask=Masker(settings.secrets).text,
        )
        history = self._history()
        self._shelf: Readable = history
        self._exits.push_async_callback(history.aclose)
        self._drain = Drain(
            writer,
            history,
            self._world,
            mark=writer.mark_drained,
            changed=self._history_changed,
            batch=settings.database.batch,
        )
        self._compactor = Compactor(writer, self._world.clock, fresh=self._rememberers)
        self._exits.push_async_callback(self._tasks.aclose)
        self._exits.push_async_callback(self._starts.aclose)
        self._exits.push_async_callback(self._outside.aclose)

        self._link = await self._exits.enter_async_context(
            connection(settings, self._world, memory=memory, past=past, on_note=self._noted)
        )
        self._roster = Roster(
            clock=self._world.clock,
            journal=self._journal,
            draw=self._world.fork("start-all").random,
            interval_s=settings.start.interval_s,
            jitter_s=settings.start.jitter_s,
        )
        way, hub = self._link.way, self._link.hub
        budget, data_budget = self._budget("account", way.account_windows), self._budget("data", way.data_windows)
        for one in (budget, data_budget):
            one.on_ban(hub.keep_still)
        self._floor = Floor(
            world=self._world,
            journal=self._journal,
            memory=memory,
            venue=self._link.venue,
            feeds=self._link.feeds,
            budget=budget,
            data_budget=data_budget,
            risk=self._risk,
            roster=self._roster,
            specs=self._specs,
            terms=self._terms(),
            venue_clock=self._link.way.clock,
            breakers=breakers,
            faults=self._faults,
            died=self._crashed,
            alarm=self._alarm(),
        )
        self._exits.push_async_callback(self._floor.close)
        self._monitor = Monitor(
            clock=self._world.clock,
            meter=self._meter,
            state_dir=settings.state_dir,
            decisions=self._floor.decisions,
            timings=self._link.way.timings,
            health=self.health,
            report_every_s=settings.health.report_every_s,
        )
        self._kill_switch = KillSwitch(
            clock=self._world.clock,
            journal=self._apart,
            risk=self._risk,
            folder=settings.state_dir,
            changed=self._floor.look_again,
        )
        await self._kill_switch.look()
        self._editor = Editor(
            saved=self._saved,
            file=self._file,
            world=self._world,
            floor=self._floor,
            risk=self._risk,
            hold=self.ready,
            note=self._noted,
            learnt=lambda read: self._masker.add(*read.secrets),
            joined=self._joined,
        )
        control = ControlServer(
            self,
            settings.control_socket,
            clock=self._world.clock,
            listen=_listen(settings),
            pages=Assets(settings.state_dir).mount,
            mask=self._masker.text,
            hide=self._masker.add,
        )
        self._exits.push_async_callback(control.aclose)
        await control.start()

    def _notifier(self) -> Notifier | None:
        """Return who tells people; None where nobody is to be told. What becomes of it never reaches trading."""
        settings = self._settings.notify
        if settings.addresses is None:
            return None
        sender = Outside(settings.addresses.value)
        name = settings.name or self._settings.mode
        notifier = Notifier(self._world, sender, settings.terms, name=name, standing=lambda: headlines(self.report()))
        for journal in (self._journal, self._apart):
            journal.listen(notifier.tell)
        return notifier

    def _telegram(self) -> Telegram | None:
        """Return who takes commands from a chat; None where nobody may give any there."""
        settings = self._settings.telegram
        if settings.token is None:
            return None
        commands = ChatCommands(self, lambda: headlines(self.report()))
        token = settings.token.value
        return Telegram(self._world, url=settings.api_url, token=token, chats=settings.chats, answer=commands.answer)

    def _rememberers(self) -> Others:
        """Return those who remember by the journal, before they have heard of anything."""
        return {
            "risk": AccountRisk(self._risk.limits, self._settings.currency),
            "past": Past(self._settings.venue),
            "breakers": Breakers(self._settings.breakers.terms),
            "pauses": Pauses(),
        }

    def _history(self) -> Readable:
        url, database = parse_url(self._settings.history_url), self._settings.database
        self._history_kind = "sqlite" if isinstance(url, SqliteUrl) else "mysql"
        return open_history(
            url,
            self._world.fork("storage").random,
            pool_size=database.pool_size,
            connect_s=database.connect_timeout_s,
            statement_s=database.statement_timeout_s,
        )

    def _budget(self, kind: str, windows: tuple[Window, ...]) -> Budget:
        name, clock = f"{self._link.venue.name} {kind}", self._world.clock

        def keep(until_ns: int) -> None:
            self._journal.append(RequestsPaused(budget=name, until_ns=until_ns, at_ns=clock.now_ns()), reserve=True)

        paused_ns = self._pauses.left_ns(name, clock.now_ns())
        return Budget(clock=clock, venue=name, windows=windows, paused_ns=paused_ns, keep=keep)

    def _alarm(self) -> Alarm:
        """Return what interrupts a strategy that does not return: at twice what stops it where it does."""
        alarm = Alarm(2 * self._settings.supervision.blocking_decision_ms / 1000)
        self._exits.callback(alarm.close)
        return alarm

    def _terms(self) -> Terms:
        supervision = self._settings.supervision
        return Terms(
            restarts=supervision.restarts,
            restarts_within_s=supervision.within_s,
            first_wait_s=supervision.first_wait_s,
            longest_wait_s=supervision.longest_wait_s,
            receive_window_ms=self._link.way.receive_window_ms,
            cancel_entries=self._settings.shutdown.open_entries == "cancel",
            cancel_orphans=self._settings.risk.orphans == "cancel",
            foreign=ForeignPolicy(self._settings.risk.foreign),
            stops=self._settings.risk.stops,
            decisions=Bounds(
                slow_ns=supervision.slow_decision_ms * _MILLISECOND_NS,
                block_ns=supervision.blocking_decision_ms * _MILLISECOND_NS,
                times=supervision.slow_decisions,
            ),
        )

    # ------------------------------------------------------------------------------------------------------------ run
    async def run(self, *, stop: asyncio.Event, hurry: asyncio.Event) -> None:
        """Trade until `stop`, then end in order; `hurry` cuts that short. Raises what made going on impossible."""
        self._tasks.spawn("lag", self._lag.run())
        self._vitals.register("timers", TURN_S, done=lambda: self._lag.latencies.count)
        self._tasks.spawn("drain", self._drain.run())
        self._tasks.spawn("compact", self._compactor.run())
        self._tasks.spawn("kill-switch", self._kill_switch.run())
        self._vitals.register("kill-switch", TURN_S, done=lambda: self._kill_switch.looks)
        self._outside.spawn("monitor", self._monitor.run())
        if (notifier := self._notifier()) is not None:
            self._outside.spawn("notify", notifier.run())
        if (telegram := self._telegram()) is not None:
            self._outside.spawn("telegram", telegram.run())
        self._starts.spawn("open", self._open())
        stopped = self._tasks.spawn("stop", stop.wait())
        stopped.add_done_callback(self._stop_asked)
        await self._failed
        await self._end(hurry)

    def _stop_asked(self, _: asyncio.Task[bool]) -> None:
        if not self._failed.done():
            self._failed.set_result(None)

    async def _open(self) -> None:
        await self._floor.open()
        watch(self._vitals, self._floor, self._world.clock, self._settings.supervision.longest_wait_s)
        freeze(collect=False)
        self._tasks.spawn("recovered", self._recovered())
        log.info("daemon.ready", markets=len(self._floor.markets), mode=self._settings.mode)
        self._starts.spawn("config", self._editor.run())
        await self._roster.start_all("daemon", only_desired=True)
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
        self._stopping = True
        self._reached(Phase.STOPPING)
        loop = asyncio.get_running_loop()
        over_s = loop.time() + self._settings.shutdown.grace_s
        await self._starts.aclose()
        if self._floor.markets:
            await self._floor.drain(max(0.5, self._settings.shutdown.grace_s - _DRAIN_S), hurry)
        await self._floor.close()
        with contextlib.suppress(TimeoutError, NeedsHuman):  # a full disk has been told of
            async with asyncio.timeout(0.1 if hurry.is_set() else max(0.5, over_s - loop.time())):
                await self._drained()
        report = self.report()
        try:
            (self._settings.state_dir / LAST_RUN).write_bytes(msgspec.json.encode(report))
        except OSError as error:
            log.warning("daemon.no_last_run", file=LAST_RUN, error=error.strerror)
        log.info(
            "daemon.summary",
            frames=report.frames,
            bars=report.bars,
            decisions=report.decisions,
            orders=report.orders.sent,
            filled=report.orders.filled,
            reconnects=report.reconnects,
            rss_peak_mb=report.rss_peak_mb,
            history_backlog=report.history_backlog,
        )

    async def _drained(self) -> None:
        """Wait until the journal holds still and the history has it all, or is away."""
        await self._journal.append(self._note("daemon.stopped", "stopped in order"))
        while self._drain.stats.backlog and not self._history_away:  # noqa: ASYNC110 -- once, at the end, and bounded
            await asyncio.sleep(0.05)

    # -------------------------------------------------------------------------------------------------------- control
    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        """Command one market. UnknownMarketError where there is none; Refused while the daemon stops."""
        self._must_go_on()
        return self._roster.command(market, command, caller)

    def command_all(self, command: Command, caller: str) -> None:
        """START (staggered, in the background) or STOP every market. Refused while the daemon stops."""
        self._must_go_on()
        if command is Command.START:
            self._starts.spawn("start-all", self._roster.start_all(caller))
        else:
            self._roster.stop_all(caller, remember=True)

    async def kept(self) -> None:
        """Wait until what was commanded is on disk. NeedsHuman where a restart would forget it."""
        await self._roster.kept()

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        """Set the kill switch. NeedsHuman where no disk took it."""
        return await self._kill_switch.kill(reason, caller, flatten=flatten)

    async def release(self, caller: str) -> Standing:
        """Release the kill switch. NeedsHuman where it stays set."""
        return await self._kill_switch.release(caller)

    def release_market(self, market: MarketId, caller: str) -> None:
        """Lift a market's quarantine. UnknownMarketError where there is none."""
        self._floor.release(market, caller)

    def headline(self) -> str:
        """Return the daemon in one line, for a service manager; cheap."""
        return headline(
            live=self._roster.count(RunState.LIVE),
            total=self._total,
            waiting=self._floor.waiting,
            killed=self._risk.killed,
            history_away=self._history_away,
        )

    def stuck(self) -> str:
        """Return which vital part has work and does none; "" where none is stuck."""
        if self._stopping:
            return ""
        return self._vitals.stuck(self._world.clock.now_ns())

    def reset_breaker(self, market: MarketId, lane: Lane | None, caller: str) -> None:
        """Close the market's breakers, or one lane's. UnknownMarketError where there is none of that name."""
        self._floor.circuits.reset(self._floor.known(market), lane, caller)

    def isolate(self, market: MarketId, lane: Lane, caller: str) -> None:
        """Keep a lane's breaker open until it is reset. UnknownMarketError as above."""
        self._floor.circuits.isolate(self._floor.known(market), lane, caller)

    def force_retry(self, market: MarketId, caller: str) -> None:
        """Probe the market's open lanes now, and end a pause of its entries. UnknownMarketError as above."""
        self._faults.forgive(self._floor.known(market))
        self._floor.circuits.force_retry(self._floor.known(market), caller)

    async def page(self, page: Page) -> Sequence[Row]:
        """Return a page of the history. Retryable where it is away."""
        return await self._shelf.page(page)

    async def reload_config(self, caller: str) -> Reloaded:
        """Read the configuration's file now, and apply what is different. Refused before and after the daemon's work.

        With problems nothing was changed.
        """
        if held := self.ready():
            raise Refused(held)
        return await self._editor.reload(caller)

    def reload_soon(self, caller: str) -> None:
        """Do the same in the background, as soon as the daemon does its work."""
        self._editor.ask(caller)

    def told(self, what: str, caller: str) -> None:
        """Write into the journal that `caller` was obeyed."""
        self._journal.append(self._note("control.command", f"{what}, by {caller}"))

    def ready(self) -> str:
        """Return why the daemon does not do its work; "" where it does."""
        if self._stopping:
            return "the daemon is stopping"
        if not self._floor.markets:
            return self._floor.waiting or "the markets are being prepared"
        return self.health().ready

    def live(self) -> str:
        """Return why the process should be ended; "" where it should not."""
        return self.stuck()

    def metrics(self) -> str:
        """Return the figures in Prometheus' text format."""
        report, floor = self.report(), self._floor
        latencies = {
            "frame_to_decision": floor.decisions.histogram(),
            "frame_to_order": floor.orders.histogram(),
            "loop_lag": self._lag.latencies.histogram(),
        }
        rest = {name: one.histogram() for name, one in self._link.way.timings.endpoints.items()}
        return exposition(report, health_of(report, self._settings.health.thresholds), latencies, rest)

    def health(self) -> Health:
        """Return how well the daemon is."""
        return health_of(self.report(), self._settings.health.thresholds)

    def config(self) -> Mapping[str, object]:
        """Return the configuration as plain data, without a secret."""
        plain = self._masker.value(shown(self._editor.settings))
        return plain if isinstance(plain, dict) else {}

    def report(self) -> Report:
        """Return the whole daemon at this moment."""
        now_ns, cost = self._world.clock.now_ns(), self._meter.read()
        hub, tasks = self._link.hub, self._floor.markets.items()
        markets = [report_of(task, self._roster[name], now_ns, hub.troubles(name)) for name, task in tasks]
        elapsed_s = (now_ns - self._started_ns) / SECOND_NS
        seen = hub.counters
        return Report(
            version=self._version,
            mode=self._settings.mode,
            pid=os.getpid(),
            started_ns=self._started_ns,
            at_ns=now_ns,
            markets=markets,
            total=self._total,
            live=self._roster.count(RunState.LIVE),
            waiting=self._floor.waiting,
            frames=seen.frames,
            bars=sum(market.bars for market in markets),
            decisions=sum(market.decisions for market in markets),
            orders=_orders(markets),
            reconnects=seen.reconnects,
            frame_to_decision_ms=self._floor.decisions.summary(),
            frame_to_order_ms=self._floor.orders.summary(),
            loop_lag_ms=self._lag.latencies.summary(),
            loop_lag_recent_ms=self._lag.recent_ms(),
            loop=type(asyncio.get_running_loop()).__module__.partition(".")[0],
            rss_mb=cost.rss_mb,
            rss_peak_mb=cost.peak_mb,
            cpu_percent=round(cost.cpu_s / elapsed_s * 100, 2),
            cpu_s=cost.cpu_s,
            handles=cost.handles,
            clock=_clock_report(self._link.way.clock.estimate),
            unprotected=sum(bool(market.unprotected) for market in markets),
            killed=self._risk.killed,
            flatten=self._risk.flatten,
            stuck=self.stuck(),
            recovered=self._floor.account.reconciled.is_set(),
            decision_recent_s=self._monitor.decision_s(),
            memory=self._monitor.memory(),
            disk_free_mb=self._monitor.disk_free_mb(),
            rest=self._monitor.rest(),
            equity=dict(self._floor.equity),
            streams=[stream_report(stream) for stream in hub.streams],
            config=self._editor.report(),
            breakers=breaker_reports(self._floor.circuits.breakers),
            errors=error_reports(self._faults.tallies()),
            local_fault_ns=self._floor.circuits.local_fault_ns,
            journal_sequence=self._journal.last,
            journal_waiting=self._writer.queued,
            journal_bytes=self._writer.size_bytes(),
            history=self._history_kind,
            history_backlog=self._drain.stats.backlog,
            history_away=self._history_away,
            pool=self._shelf.pool(),
        )

    # -------------------------------------------------------------------------------------------------------- private
    @property
    def _total(self) -> int:
        """How many markets are to be traded."""
        return sum(market.enabled for market in self._editor.settings.markets)

    def _joined(self, market: MarketId) -> None:
        """Learn that a market joined the floor: its task must never die, like the others'."""
        longest_wait_s = self._settings.supervision.longest_wait_s
        watch_market(self._vitals, self._floor.markets[market], self._world.clock, longest_wait_s)

    def _must_go_on(self) -> None:
        if self._stopping:
            raise Refused("the daemon is stopping")

    def _note(self, kind: str, message: str) -> Noted:
        return Noted(kind=kind, severity=Severity.INFO, market=None, message=message, at_ns=self._world.clock.now_ns())

    def _noted(self, kind: str, severity: Severity, market: MarketId | None, message: str) -> None:
        now_ns = self._world.clock.now_ns()
        if severity is not Severity.INFO:
            self._faults.met(Kind.FEED, Operation.FEED, market, f"{kind}: {message}")
        self._journal.append(Noted(kind=kind, severity=severity, market=market, message=message, at_ns=now_ns))

    def _history_changed(self, reason: str | None) -> None:
        self._history_away = reason or ""
        if reason is None:
            self._faults.ended(None, Operation.HISTORY, None)
        else:
            self._faults.met(Kind.HISTORY, Operation.HISTORY, None, reason)

    def _lost(self, name: str, error: BaseException) -> None:
        """Learn that a task ended by an error which trading does not need."""
        log.error("task.crashed", task=name, exc_info=error)

    def _crashed(self, name: str, error: BaseException) -> None:
        """Learn that a task of the whole daemon ended by an error: going on without it would be silence."""
        self._faults.ended(None, Operation.TASK, error)
        if self._failed.done():
            log.error("task.crashed", task=name, exc_info=error)
            return
        error.add_note(f"in the task {name}")  # told once, by whoever ends the process
        self._failed.set_exception(error)


def _listen(settings: Settings) -> Listen:
    control = settings.control
    return Listen(
        host=control.host,
        port=control.port,
        names=control.hosts,
        control_token=settings.control_token,
        read_token=settings.read_token,
    )


def _clock_report(estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {"offset": None, "uncertainty": None}
    return {
        "offset": round(estimate.offset_ns / _MILLISECOND_NS, 3),
        "uncertainty": round(estimate.uncertainty_ns / _MILLISECOND_NS, 3),
    }


def _orders(markets: list[MarketReport]) -> OrderCounts:
    total = OrderCounts()
    for market in markets:
        total.add(market.orders)
    return total
