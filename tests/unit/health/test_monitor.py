"""The slow figures of a process, memory that is given back in time, and the report in the log."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.health.checks import Health, health_of
from kangbot.health.event_counts import EventCounts
from kangbot.health.latency import Latencies, Timings
from kangbot.health.memory import Limit, relieve
from kangbot.health.monitor import Monitor
from kangbot.health.process import ProcessMeter
from kangbot.model.events import EntriesPaused, Severity
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.settings.health import HealthSettings
from tests.support.reporting import a_market, a_report


class Bench:
    """A monitor of this very process, with a limit and a time of its own."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = 0
        self.limit_mb = 1e6
        self.decisions, self.timings = Latencies(), Timings()
        self.events = EventCounts()
        self.disk_mb = 10_000.0
        self.waiting = ""
        self.losses: list[str] = []
        self.notes: list[tuple[str, Severity, str]] = []
        self.monitor = Monitor(
            clock=Clock(lambda: self.now_ns, 0),
            meter=ProcessMeter(),
            state_dir=folder,
            decisions=self.decisions,
            timings=self.timings,
            events=self.events,
            health=self.health,
            note=lambda kind, severity, check, words: self.notes.append((kind, severity, words)),
            report_every_s=900,
            limit_of=lambda: Limit(self.limit_mb, "cgroup"),
            relief=relieve,
        )

    def health(self) -> Health:
        hindered = "full" if self.disk_mb < 1 else ""
        report = a_report(
            a_market(),
            disk_free_mb=self.disk_mb,
            journal_hindered=hindered,
            waiting=self.waiting,
            losses=self.losses,
        )
        return health_of(report, HealthSettings().thresholds)

    def pass_by(self, seconds: int) -> list[dict[str, object]]:
        """Let time pass, on the monitor's beat; return what was logged."""
        with capture_logs() as logged:
            for _ in range(seconds // 15):
                self.now_ns += 15 * SECOND_NS
                self.monitor.look()
        return [dict(entry) for entry in logged]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_memory_near_its_limit_is_given_back_once_and_told(bench: Bench) -> None:
    """Before the kernel's killer comes; with the figures before and after."""
    assert bench.pass_by(60) == []
    kept: list[object] = [bytes(600) for _ in range(150_000)]
    kept.append(kept)  # garbage that only a collection finds
    bench.limit_mb = ProcessMeter().rss_mb() / 0.9
    del kept
    (told,) = bench.pass_by(60)
    assert told["event"] == "memory.relieved"
    assert float(str(told["after_mb"])) < float(str(told["before_mb"])) <= bench.limit_mb
    assert bench.monitor.memory().reliefs == 1


def test_a_readable_report_comes_every_quarter_of_an_hour(bench: Bench) -> None:
    """Two in half an hour."""
    told = bench.pass_by(1800)
    assert [entry["event"] for entry in told] == ["health.report"] * 2
    assert str(told[0]["words"]).startswith("healthy, score 100: 1 of 1 markets run")
    assert "\n" not in str(told[0]["words"])


def test_people_are_told_of_a_check_that_stays_critical_and_when_it_is_over(bench: Bench) -> None:
    """Once, when a second look has confirmed it; what has an event of its own (the journal that is full) is not."""
    bench.disk_mb = 0.5
    bench.pass_by(60)
    assert bench.notes == []
    bench.pass_by(600)
    words = "disk is critical: 0.5 MB, free for the state"
    assert bench.notes == [("health.critical", Severity.ERROR, words)]
    bench.disk_mb = 10_000.0
    bench.pass_by(600)
    assert bench.notes[1:] == [("health.over", Severity.INFO, "disk is healthy: 10,000 MB, free for the state")]


def test_people_are_warned_before_the_disk_is_full_and_told_when_it_is(bench: Bench) -> None:
    """It fills for weeks and is full at once; that it is critical no more is no end while it still warns."""
    for disk_mb in (500.0, 100.0, 500.0, 10_000.0):
        bench.disk_mb = disk_mb
        bench.pass_by(600)
    assert [(kind, words) for kind, _, words in bench.notes] == [
        ("health.warning", "disk is warning: 500 MB, free for the state"),
        ("health.critical", "disk is critical: 100 MB, free for the state"),
        ("health.over", "disk is healthy: 10,000 MB, free for the state"),
    ]


def test_people_are_told_of_a_limit_of_loss_that_is_reached_and_when_it_holds_no_more(bench: Bench) -> None:
    """Nothing else is wrong then, and a market that enters nothing looks like one that finds nothing."""
    bench.losses = ["the day has lost 25.00, the limit is 10; entries resume at 00:00 UTC"]
    bench.pass_by(3600)
    bench.losses = []
    bench.pass_by(3600)
    words = "1 reached, nothing enters: the day has lost 25.00, the limit is 10; entries resume at 00:00 UTC"
    assert bench.notes == [
        ("health.warning", Severity.WARNING, f"loss_limits is warning: {words}"),
        ("health.over", Severity.INFO, "loss_limits is healthy: 0 reached, no loss keeps entries back"),
    ]


def test_averages_are_of_the_last_quarter_of_an_hour(bench: Bench) -> None:
    """What was slow before is over."""
    assert bench.monitor.decision_s() is None
    bench.decisions.observe(40 * SECOND_NS)
    bench.timings.observe("GET /v5/order/realtime", 3 * SECOND_NS)
    bench.pass_by(60)
    assert bench.monitor.decision_s() == 40
    (rest,) = bench.monitor.rest()
    assert (rest.endpoint, rest.calls, rest.p50_ms) == ("GET /v5/order/realtime", 1, 3000)
    bench.pass_by(1000)
    bench.decisions.observe(SECOND_NS // 100)
    assert bench.monitor.decision_s() == 0.01
    (rest,) = bench.monitor.rest()
    assert (rest.calls, rest.recent, rest.mean_ms) == (1, 0, None)


def test_events_are_counted_over_the_last_quarter_of_an_hour(bench: Bench) -> None:
    """And since start."""
    bench.events.observe(EntriesPaused(market=None, until_ns=1, cause="no money", at_ns=0))
    bench.pass_by(840)
    (count,) = bench.monitor.events()
    assert (count.kind, count.recent, count.total) == ("entries_paused", 1, 1)
    bench.pass_by(180)
    (count,) = bench.monitor.events()
    assert (count.recent, count.total) == (0, 1)


def test_the_processor_of_the_last_minute_is_told(bench: Bench) -> None:
    """Six seconds more than this process had used when the minute began, and whatever the test took itself."""
    cost = bench.monitor.cost()
    assert bench.monitor.cpu_percent(cost) is None
    bench.pass_by(60)
    share = bench.monitor.cpu_percent(msgspec.structs.replace(cost, cpu_s=cost.cpu_s + 6))
    assert share is not None
    assert 10 <= share < 20


def test_growth_and_disk_are_of_this_machine(bench: Bench) -> None:
    """Growth after ten minutes; a folder that is gone has no figure."""
    assert bench.monitor.memory().growth_mb_h is None
    bench.pass_by(720)
    assert bench.monitor.memory().growth_mb_h is not None
    disk = bench.monitor.disk()
    assert disk is not None
    assert disk.mb > 0
    bench.monitor._state_dir = Path("/nowhere")
    assert bench.monitor.disk() is None


def test_the_limit_is_looked_at_on_the_beat_and_not_with_every_report(bench: Bench) -> None:
    """It is a dozen files; the figure before the first beat is that of the moment."""
    assert bench.monitor.memory().limit_mb == 1e6
    bench.limit_mb = 2e6
    assert bench.monitor.memory().limit_mb == 1e6
    bench.pass_by(15)
    assert bench.monitor.memory().limit_mb == 2e6


def test_people_hear_of_a_start_that_the_venue_does_not_let_begin(bench: Bench) -> None:
    """No market is there to be told as failed or without data; and they hear that it is over."""
    bench.waiting = "bybit was not reached"
    bench.pass_by(120)
    bench.waiting = ""
    bench.pass_by(120)
    begun, over = bench.notes
    assert begun[:2] == ("health.critical", Severity.ERROR)
    assert begun[2].endswith("no market begins before it answers: bybit was not reached")
    assert over[0] == "health.over"
