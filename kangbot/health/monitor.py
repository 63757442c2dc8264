"""Looks at what changes slowly (memory, averages) on a slow beat, gives memory back in time, and reports in words.

A check that stays critical becomes an event once a minute has confirmed it, so that people hear of it though nobody
looks for months. Memory and disk fill slowly and end all at once: of these the warning is one. So it is of a limit of
loss that is reached, which has all markets enter nothing and nothing else be wrong.

It runs beside trading: what falls here is told and reaches no market.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from kangbot.health.checks import Health, in_a_line, in_a_sentence
from kangbot.health.event_counts import EventCounts
from kangbot.health.latency import Latencies, Timings
from kangbot.health.memory import Limit, available_mb, limit, relieve
from kangbot.health.process import Cost, ProcessMeter
from kangbot.health.report import EventReport, MemoryReport, RestReport
from kangbot.health.rolling import Growth, Recent, Share
from kangbot.machines.ailing import Ailing
from kangbot.machines.relief import Relief
from kangbot.machines.verdict import Status
from kangbot.model.events import Severity
from kangbot.runtime.disk import Room, room
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

_BEAT_S = 15.0
_SAMPLE_NS = 60 * SECOND_NS
# What is behind these is an event of its own: stop.missing, order.unknown, market.failed, breaker.open, journal.full…
_TOLD_OTHERWISE = frozenset(
    {
        "unprotected",
        "left_behind",
        "unknown_orders",
        "kill_switch",
        "markets",
        "feeds",
        "breakers",
        "journal",
        "database",
    }
)
_TOLD_EARLY = frozenset({"memory", "disk", "loss_limits"})


class Monitor:
    """The slow figures of one process.

    `health` is asked once a minute, and for the report in the log every `report_every_s`. `note` takes what people are
    to hear: the kind of the event, its severity, which check it is of, and its words.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        meter: ProcessMeter,
        state_dir: Path,
        decisions: Latencies,
        timings: Timings,
        events: EventCounts,
        health: Callable[[], Health],
        note: Callable[[str, Severity, str, str], None],
        report_every_s: float,
        limit_of: Callable[[], Limit] = limit,
        relief: Callable[[], None] = relieve,
    ) -> None:
        self._clock = clock
        self._meter = meter
        self._state_dir = state_dir
        self._timings = timings
        self._events = events
        self._health = health
        self._note = note
        self._critical = self._early = Ailing()
        self._report_ns = int(report_every_s * SECOND_NS)
        self._limit_of = limit_of
        self._relieve = relief
        self._decisions = Recent(decisions)
        self._rest: dict[str, Recent] = {}
        self._growth = Growth()
        self._processor = Share()
        self._relief = Relief()
        self._seen: tuple[Limit, float | None] | None = None  # the limit, and what was available, when it looked last
        self._reliefs = 0
        now_ns = clock.now_ns()
        self._sampled_ns, self._reported_ns = now_ns, now_ns
        self._processor.sample(now_ns, meter.cpu_s())

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(_BEAT_S)
            self.look()

    def look(self) -> None:
        """Look once, and do what is due."""
        now_ns, rss_mb, (most, _) = self._clock.now_ns(), self._meter.rss_mb(), self._see()
        self._processor.sample(now_ns, self._meter.cpu_s())
        self._relief, due = self._relief.looked(rss_mb / most.mb, now_ns)
        if due:
            self._give_back(rss_mb, most)
        if now_ns - self._sampled_ns >= _SAMPLE_NS:
            self._sampled_ns = now_ns
            self._sample(now_ns, rss_mb)
            self._tell(self._health())
        if now_ns - self._reported_ns >= self._report_ns:
            self._reported_ns = now_ns
            health = self._health()
            log.info("health.report", status=health.status.value, score=health.score, words=in_a_line(health))

    def _see(self) -> tuple[Limit, float | None]:
        """Return the limit, and what the machine could still give to anybody, in MB; both as they are now."""
        self._seen = seen = self._limit_of(), available_mb()
        return seen

    def _give_back(self, before_mb: float, most: Limit) -> None:
        self._relieve()
        self._reliefs += 1
        after_mb = self._meter.rss_mb()
        log.warning(
            "memory.relieved",
            before_mb=round(before_mb, 1),
            after_mb=round(after_mb, 1),
            limit_mb=most.mb,
            limit=most.source,
        )

    def _tell(self, health: Health) -> None:
        """Tell people of the checks that stay critical, and when that is over."""
        unwell = {check.name: check.status for check in health.checks if check.status is not Status.HEALTHY}
        critical = {name for name, status in unwell.items() if status is Status.CRITICAL}
        self._critical, begun, over = self._critical.looked(frozenset(critical - _TOLD_OTHERWISE))
        self._early, early, passed = self._early.looked(frozenset(unwell.keys() & _TOLD_EARLY))
        for check in health.checks:
            name, words = check.name, in_a_sentence(check)
            if name in begun:
                log.error("health.critical", check=name, words=words)
                self._note("health.critical", Severity.ERROR, name, words)
            elif name in early:
                log.warning("health.warning", check=name, words=words)
                self._note("health.warning", Severity.WARNING, name, words)
            if name in (passed if name in _TOLD_EARLY else over):
                log.info("health.over", check=name, words=words)
                self._note("health.over", Severity.INFO, name, words)

    def _sample(self, now_ns: int, rss_mb: float) -> None:
        self._growth.sample(now_ns, rss_mb)
        self._decisions.sample()
        self._events.sample()
        for endpoint, latencies in self._timings.endpoints.items():
            self._rest.setdefault(endpoint, Recent(latencies)).sample()

    # -------------------------------------------------------------------------------------------------------- figures
    def cost(self) -> Cost:
        """Return what the process takes at this moment."""
        return self._meter.read()

    def cpu_percent(self, cost: Cost) -> float | None:
        """Return how much of a core was used over the last minute, as of that cost; None at the very beginning."""
        return self._processor.percent(self._clock.now_ns(), cost.cpu_s)

    def memory(self) -> MemoryReport:
        """Return what the process may take, as it was at the last beat, and how it grows.

        The limit is a dozen files to read, half a millisecond: not with every report.
        """
        most, free_mb = self._seen or self._see()
        return MemoryReport(
            limit_mb=most.mb,
            limit_source=most.source,
            available_mb=free_mb,
            growth_mb_h=self._growth.by_hour(),
            reliefs=self._reliefs,
        )

    def disk(self) -> Room | None:
        """Return what is left where the state folder is; None where that cannot be told."""
        try:
            return room(self._state_dir)
        except OSError:
            return None

    def decision_s(self) -> float | None:
        """Return the mean from frame to decision in the last quarter of an hour; None without any."""
        mean_ms = self._decisions.mean_ms()
        return None if mean_ms is None else mean_ms / 1000

    def events(self) -> list[EventReport]:
        """Return how many events of each kind were written."""
        return self._events.reports()

    def rest(self) -> list[RestReport]:
        """Return the calls to each endpoint."""
        return [self._endpoint(name, latencies) for name, latencies in self._timings.endpoints.items()]

    def _endpoint(self, name: str, latencies: Latencies) -> RestReport:
        recent, shares = self._rest.get(name) or Recent(latencies), latencies.summary()
        return RestReport(
            endpoint=name,
            calls=latencies.count,
            recent=recent.count,
            mean_ms=recent.mean_ms(),
            p50_ms=shares["p50"],
            p99_ms=shares["p99"],
        )
