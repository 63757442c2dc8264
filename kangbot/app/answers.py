"""What the daemon answers, and what it does when told: the port behind every route (`control/port.py`).

It has what the composition root has made and owns none of it. Every answer is of this moment, but for those who only
look: they share a report that is half a second old at most, and the judgement of it.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kangbot.app.beside import Beside
from kangbot.app.books import Books
from kangbot.app.ending import Ending
from kangbot.control.kept import Lately, Once
from kangbot.editing import Editor
from kangbot.errors import Refused
from kangbot.health.checks import Health, Thresholds, health_of
from kangbot.health.faults import FaultDesk
from kangbot.health.headline import headline
from kangbot.health.lag import LoopLag
from kangbot.health.metrics import exposition
from kangbot.health.monitor import Monitor
from kangbot.health.report import LatencyReport, MarketReport, OrderCounts, Reloaded, Report
from kangbot.health.vitals import Vitals
from kangbot.logs import Masker
from kangbot.machines.margin import Margin
from kangbot.machines.offset import Estimate
from kangbot.market.drawdown import Recount, count_anew
from kangbot.market.floor import Floor
from kangbot.market.killswitch import KillSwitch, Standing
from kangbot.market.promises import lifted
from kangbot.market.reporting import breaker_reports, error_reports, money_of, report_of, stream_report, tripped
from kangbot.market.roster import Command, Place, Roster
from kangbot.model.events import Lane, RunState, Severity
from kangbot.model.ids import MarketId
from kangbot.modes import Connection
from kangbot.ports import Page, Row
from kangbot.risk.account import AccountRisk
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.settings.shown import shown

_MILLISECOND_NS = 1_000_000
_RELOAD_S = 10.0  # that somebody waits for an edit; one usually takes less than a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The running daemon, to whoever asks."""

    clock: Clock
    mode: str
    version: str
    started_ns: int
    thresholds: Thresholds
    link: Connection
    floor: Floor
    roster: Roster
    risk: AccountRisk
    kill_switch: KillSwitch
    faults: FaultDesk
    editor: Editor
    masker: Masker
    books: Books
    vitals: Vitals
    monitor: Monitor
    lag: LoopLag
    starts: Tasks  # what has markets begin
    beside: Beside
    ending: Ending
    margin: Margin
    _lately: Lately[Report] = field(init=False, default_factory=Lately)
    _judged: Once[Report, Health] = field(init=False, default_factory=Once)

    def names(self) -> Collection[MarketId]:
        """Return the names of the markets, those that left the configuration included."""
        return self.floor.markets or [market.id for market in self.editor.settings.trading if market.enabled]

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        """Command one market. UnknownMarketError where there is none; Refused before it is there and at the end."""
        self._must_be_at_work()
        place = self.roster.command(market, command, caller)
        if command is Command.RESUME:
            self._let_in(market, caller)
            self._let_in(None, caller)
        return place

    def command_all(self, command: Command, caller: str) -> None:
        """START (staggered, in the background) or STOP every market. Refused before they are there and at the end."""
        self._must_be_at_work()
        if command is Command.START:
            self.roster.want_all(caller)
            self.starts.spawn("start-all", self.roster.start_all(caller))
        else:
            self.roster.stop_all(caller, remember=True)

    async def kept(self) -> None:
        """Wait until what was commanded is on disk. NeedsHuman where a restart would forget it."""
        await self.roster.promises.kept()

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        """Set the kill switch. NeedsHuman where no disk took it."""
        return await self.kill_switch.kill(reason, caller, flatten=flatten)

    async def release(self, caller: str) -> Standing:
        """Release the kill switch. NeedsHuman where it stays set."""
        return await self.kill_switch.release(caller)

    def reset_drawdown(self, caller: str) -> Recount:
        """Count the drawdown anew from the equity of now. Refused before and after the daemon's work."""
        if held := self.closed():
            raise Refused(f"{held.rstrip('.')}; nothing is reset")
        promises, now_ns = self.roster.promises, self.clock.now_ns()
        recount, written = count_anew(self.risk, self.books.journal, caller, now_ns, again=bool(promises.broken))
        promises.give(written)
        self.floor.look_again()
        return recount

    async def release_market(self, market: MarketId, caller: str) -> None:
        """Lift a market's quarantine. What `command` raises, and what `promises.lifted` does."""
        self._must_be_at_work()
        done = self.floor.release(market, caller)
        await lifted(done, self.floor.markets[market].desk.executor.kept)

    def headline(self) -> str:
        """Return the daemon in one line, for a service manager; cheap."""
        return headline(
            live=self.roster.count(RunState.LIVE),
            total=self._total,
            waiting=self.floor.waiting,
            tripped=tripped(self.floor.circuits.breakers, self.roster.places),
            killed=self.risk.killed,
            journal=self.books.writer.hindered,
            history_away=self.books.history_away,
        )

    def stuck(self) -> str:
        """Return which vital part has work and does none; "" where none is stuck."""
        if self.ending.stopping:
            return ""
        return self.vitals.stuck(self.clock.now_ns())

    def reset_breaker(self, market: MarketId, lane: Lane | None, caller: str) -> None:
        """Close the market's breakers, or one lane's. UnknownMarketError and Refused as above."""
        promises = self.roster.promises
        promises.give(self.floor.circuits.reset(self._known(market), lane, caller, again=bool(promises.broken)))

    def isolate(self, market: MarketId, lane: Lane, caller: str) -> None:
        """Keep a lane's breaker open until it is reset. UnknownMarketError and Refused as above."""
        promises = self.roster.promises
        promises.give(self.floor.circuits.isolate(self._known(market), lane, caller, again=bool(promises.broken)))

    def force_retry(self, market: MarketId, caller: str) -> None:
        """Probe the market's open lanes now, end a pause of its entries, and have what the venue refuses tried soon.

        Both errors as above.
        """
        self._let_in(self._known(market), caller)
        self._let_in(None, caller)
        self.floor.force_retry(market, caller)

    async def page(self, page: Page) -> Sequence[Row]:
        """Return a page of the history. Retryable where it is away."""
        return await self.books.history.page(page)

    async def reload_config(self, caller: str) -> Reloaded:
        """Read the configuration's file now, and apply what is different. Refused before and after the daemon's work.

        With problems nothing was changed; where it takes long, it goes on when this has returned.
        """
        if held := self.closed():
            raise Refused(held)
        return await self.editor.reload_within(caller, _RELOAD_S)

    def reload_soon(self, caller: str) -> None:
        """Do the same in the background, as soon as the daemon does its work."""
        self.editor.ask(caller)

    def told(self, what: str, caller: str) -> None:
        """Write into the journal that `caller` was obeyed."""
        self.books.note("control.command", Severity.INFO, None, f"{what}, by {caller}")

    def closed(self) -> str:
        """Return why the configuration cannot be changed: before the daemon's work, and at its end; "" where it can.

        That some of it is not well is no reason: an edit may be what is done about it.
        """
        return "the daemon is stopping" if self.ending.stopping else self.floor.unrecovered

    def unready(self) -> str:
        """Return why the daemon does not do its work; "" where it does."""
        return self.closed() or self.judge(self.report()).ready

    def metrics(self) -> str:
        """Return the figures in Prometheus' text format."""
        report, floor = self.lately(), self.floor
        latencies = {
            "frame_to_decision": floor.decisions.histogram(),
            "frame_to_order": floor.orders.histogram(),
            "loop_lag": self.lag.latencies.histogram(),
        }
        rest = {name: one.histogram() for name, one in self.link.way.timings.endpoints.items()}
        return exposition(report, self.judge(report), latencies, rest)

    def latency(self, market: MarketId) -> LatencyReport:
        """Return how long the market's decisions took. UnknownMarketError where there is none."""
        buckets = self.floor.markets[self.floor.known(market)].strategist.latency
        longest_ms = round(buckets.longest_ns / _MILLISECOND_NS, 3)
        return LatencyReport(market=market, bounds_ms=buckets.bounds_ms, counts=buckets.counts, longest_ms=longest_ms)

    def health(self) -> Health:
        """Return how well the daemon is, or was a moment ago."""
        return self.judge(self.lately())

    def judge(self, report: Report) -> Health:
        """Return how well the daemon is that says this of itself."""
        return self._judged.of(report, lambda report: health_of(report, self.thresholds))

    def config(self) -> Mapping[str, object]:
        """Return the configuration as plain data, without a secret."""
        plain = self.masker.value(shown(self.editor.settings))
        return plain if isinstance(plain, dict) else {}

    def report(self) -> Report:
        """Return the whole daemon at this moment."""
        return self._lately.put(self._report())

    def lately(self) -> Report:
        """Return the report of this moment or of the one before: making one takes a millisecond, and many may look."""
        return self._lately.of(self._report)

    # -------------------------------------------------------------------------------------------------------- private
    def _report(self) -> Report:
        now_ns, cost = self.clock.now_ns(), self.monitor.cost()
        hub, tasks = self.link.hub, self.floor.markets.items()
        markets = [
            report_of(task, self.roster[name], now_ns, hub.troubles(name), self.faults.hold(name))
            for name, task in tasks
        ]
        elapsed_s = (now_ns - self.started_ns) / SECOND_NS
        seen, account = hub.counters, self.floor.account
        disk = self.monitor.disk()
        equity = money_of(account.equity, self.risk.currency, self.floor.markets)
        return Report(
            version=self.version,
            mode=self.mode,
            pid=os.getpid(),
            started_ns=self.started_ns,
            at_ns=now_ns,
            markets=markets,
            total=self._total,
            live=self.roster.count(RunState.LIVE),
            waiting=self.floor.waiting,
            banned=self.floor.banned,
            margin=self.margin.mode,
            frames=seen.frames,
            bars=sum(market.bars for market in markets),
            decisions=sum(market.decisions for market in markets),
            orders=_orders(markets),
            reconnects=seen.reconnects,
            frame_to_decision_ms=self.floor.decisions.summary(),
            frame_to_order_ms=self.floor.orders.summary(),
            loop_lag_ms=self.lag.latencies.summary(),
            loop_lag_recent_ms=self.lag.recent_ms(),
            loop=type(asyncio.get_running_loop()).__module__.partition(".")[0],
            rss_mb=cost.rss_mb,
            rss_peak_mb=cost.peak_mb,
            cpu_percent=round(cost.cpu_s / elapsed_s * 100, 2),
            cpu_recent_percent=self.monitor.cpu_percent(cost),
            cpu_s=cost.cpu_s,
            handles=cost.handles,
            task_falls=dict(self.beside.falls),
            clock=_clock_report(self.link.way.clock.estimate),
            unprotected=sum(bool(market.unprotected) for market in markets),
            left_behind=dict(self.floor.left_behind),
            killed=self.risk.killed,
            flatten=self.risk.flatten,
            unflattened=dict(self.floor.unflattened),
            losses=self.risk.spent(now_ns),
            stuck=self.stuck(),
            recovered=self.floor.account.reconciled.is_set(),
            decision_recent_s=self.monitor.decision_s(),
            memory=self.monitor.memory(),
            disk_free_mb=None if disk is None else disk.mb,
            disk_files_left=None if disk is None else disk.files,
            rest=self.monitor.rest(),
            equity=equity,
            equity_ns=min((account.marked_ns.get(currency, 0) for currency in equity), default=0),
            streams=[stream_report(stream, now_ns, private=stream in hub.private) for stream in hub.streams],
            config=self.editor.report(),
            breakers=breaker_reports(self.floor.circuits.breakers),
            errors=error_reports(self.faults.tallies()),
            errors_of_late={kind.value: count for kind, count in self.faults.errors().items()},
            events=self.monitor.events(),
            local_fault_ns=self.floor.circuits.local_fault_ns,
            journal_sequence=self.books.journal.last,
            journal_hindered=self.books.writer.hindered,
            journal_waiting=self.books.writer.queued,
            journal_bytes=self.books.writer.size_bytes(),
            history=self.books.history_kind,
            history_backlog=self.books.drain.backlog,
            history_away=self.books.history_away,
            pool=self.books.history.pool(),
        )

    @property
    def _total(self) -> int:
        """How many markets are to be traded."""
        return sum(market.enabled for market in self.editor.settings.markets)

    def _let_in(self, market: MarketId | None, caller: str) -> None:
        """End a pause of entries, over restarts too."""
        self.roster.promises.give(self.faults.forgive(market, caller))

    def _known(self, market: MarketId) -> MarketId:
        self._must_be_at_work()
        return self.floor.known(market)

    def _must_be_at_work(self) -> None:
        """Refuse what would be lost: before there are markets nobody hears it, and they would begin all the same."""
        if self.ending.stopping:
            raise Refused("the daemon is stopping")
        if not self.floor.markets:
            raise Refused(
                f"no market is there yet, and nothing was done: {self.closed().rstrip('.')}. "
                "Ask again then; `kangbot kill` holds every entry from now on"
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
