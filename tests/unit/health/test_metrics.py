"""What is scraped is in Prometheus' format, by its own tool's judgement."""

import re
from decimal import Decimal

import pytest

from kangbot.health.checks import health_of
from kangbot.health.latency import Latencies
from kangbot.health.metrics import exposition
from kangbot.health.report import BreakerReport, ErrorReport, EventReport, MemoryReport, PoolReport, Report
from kangbot.model.ids import MarketId
from kangbot.settings.health import HealthSettings
from tests.support.prometheus import CONFIG, families, promtool
from tests.support.reporting import a_market, a_report

BREAKER = BreakerReport(
    market=MarketId("v:A"), lane="entry", state="open", since_ns=1, until_ns=2, failures=5, trips=1, cause="timeouts"
)
MEMORY = MemoryReport(limit_mb=100, limit_source="cgroup", available_mb=1, growth_mb_h=3.6, reliefs=2)
ERRORS = [
    ErrorReport(kind="timeout", severity="low", market=MarketId("v:A"), recent=1, total=3, message="late"),
    ErrorReport(kind="timeout", severity="low", market=None, recent=0, total=2, message="late"),
]


def scraped(report: Report) -> str:
    """Return the text of a daemon that says this."""
    latencies = Latencies()
    for duration_ns in (100_000, 3_000_000):
        latencies.observe(duration_ns)
    health = health_of(report, HealthSettings().thresholds)
    return exposition(report, health, {"frame_to_decision": latencies.histogram()}, {"GET /a": latencies.histogram()})


FULL = a_report(
    a_market("A", troubles={"mute": 2}),
    a_market("B", feed_age_s=None, dropped=5),
    breakers=[BREAKER],
    memory=MEMORY,
    disk_free_mb=5.0,
    errors=ERRORS,
    events=[EventReport(kind="order_intended", recent=1, total=7), EventReport(kind="stop.missing", recent=0, total=1)],
    journal_bytes=8192,
    task_falls={"monitor": 3},
    pool=PoolReport(size=4, open=2, busy=1),
    rss_mb=66.5,
    loop_lag_recent_ms={"p50": 1.0, "p99": 150.0},
    clock={"offset": -6500.0},
)


def test_promtool_finds_nothing_wrong_with_the_metrics() -> None:
    """Names, units, types, HELP, and histograms that add up."""
    promtool("check", "metrics", given=scraped(FULL))


def test_promtool_takes_the_rules() -> None:
    """Every alert of `config/prometheus`."""
    promtool("check", "rules", str(CONFIG / "prometheus" / "alerts.yml"))


def test_promtool_takes_the_configuration() -> None:
    """Its syntax: the token's file is on the machine that scrapes."""
    promtool("check", "config", "--syntax-only", str(CONFIG / "prometheus" / "prometheus.yml"))


def test_a_reader_that_is_not_ours_understands_it_all() -> None:
    """Every line belongs to a family with a type; counters end with `_total`, and so does nothing else."""
    text = scraped(FULL)
    read = families(text)
    assert sum(len(one.samples) for one in read.values()) == len(re.findall(r"^kangbot", text, re.MULTILINE))
    assert {one.type for one in read.values()} == {"gauge", "counter", "histogram"}
    assert all(one.documentation and one.documentation.endswith(".") for one in read.values())
    assert all((one.type == "counter") == name.endswith("_total") for name, one in read.items())
    again = [(one.name, *sorted(one.labels.items())) for family in read.values() for one in family.samples]
    assert len(again) == len(set(again))


def test_errors_are_counted_by_kind_severity_and_market() -> None:
    """Those of the account have no market."""
    counted = {one.labels["market"]: one.value for one in families(scraped(FULL))["kangbot_errors_total"].samples}
    assert counted == {"v:A": 3.0, "": 2.0}


def test_what_did_not_fit_into_an_inbox_is_counted_by_market() -> None:
    """None is a figure too: a rate needs its beginning."""
    samples = families(scraped(FULL))["kangbot_inbox_dropped_total"].samples
    counted = {one.labels["market"]: one.value for one in samples}
    assert counted == {"bybit:A-USDT:USDT": 0.0, "bybit:B-USDT:USDT": 5.0}


def test_events_are_counted_by_kind() -> None:
    """Since start: what is of late is Prometheus' to say."""
    counted = {one.labels["kind"]: one.value for one in families(scraped(FULL))["kangbot_events_total"].samples}
    assert counted == {"order_intended": 7.0, "stop.missing": 1.0}


def test_a_breaker_that_has_counted_nothing_is_closed() -> None:
    """Each lane of each market has its figure, so that a sum over lanes is never without one."""
    samples = families(scraped(FULL))["kangbot_breaker_open"].samples
    assert len(samples) == 2 * 3 + 1  # two markets, and the open lane of one that has left
    assert sum(one.value for one in samples) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kangbot_journal_records_total", 10),
        ("kangbot_journal_waiting_groups", 0),
        ("kangbot_journal_bytes", 8192),
        ("kangbot_history_connections_limit", 4),
        ("kangbot_history_connections", 2),
        ("kangbot_history_connections_busy", 1),
        ("kangbot_start_time_seconds", 1_789_999_000),
        ("kangbot_loop_lag_recent_seconds", 0.15),
        ("kangbot_clock_offset_seconds", -6.5),
        ("kangbot_memory_bytes", 66.5 * 1024 * 1024),
        ("kangbot_memory_limit_bytes", 100 * 1024 * 1024),
        ("kangbot_memory_available_bytes", 1024 * 1024),
        ("kangbot_memory_growth_bytes_per_second", 3.6 * 1024 * 1024 / 3600),
        ("kangbot_memory_peak_bytes", 68 * 1024 * 1024),
        ("kangbot_local_fault", 0),
        ("kangbot_task_falls_total", 3),
    ],
)
def test_a_figure_is_in_the_unit_of_its_name(name: str, value: float) -> None:
    """Whatever the report counts in."""
    (sample,) = families(scraped(FULL))[name].samples
    assert sample.value == pytest.approx(value)


def test_each_check_has_its_level() -> None:
    """Which the alerts compare with: 0, 1 and 2."""
    levels = {one.labels["check"]: one.value for one in families(scraped(FULL))["kangbot_check_level"].samples}
    assert (levels["vitals"], levels["loop_lag"], levels["clock"]) == (0, 1, 2)


def test_the_state_of_a_market_is_a_series_of_its_own() -> None:
    """There is one for each market, and it is one: a sum by state counts markets."""
    states = {
        (one.labels["market"], one.labels["state"]): one.value
        for one in families(scraped(FULL))["kangbot_market_state"].samples
    }
    assert states == {("bybit:A-USDT:USDT", "live"): 1, ("bybit:B-USDT:USDT", "live"): 1}


def test_an_embedded_history_has_no_pool_to_tell_of() -> None:
    """The family is there and empty: nothing is no zero."""
    assert families(scraped(a_report()))["kangbot_history_connections"].samples == []


def test_what_was_not_measured_is_not_said() -> None:
    """A missing figure is no zero."""
    text = scraped(FULL)
    assert 'kangbot_market_feed_age_seconds{market="bybit:A-USDT:USDT"} 0.1' in text
    assert 'feed_age_seconds{market="bybit:B-USDT:USDT"}' not in text
    assert "\nkangbot_disk_free_bytes 5242880.0\n" in text
    assert "\nkangbot_disk_free_bytes " not in scraped(a_report())
    assert "\nkangbot_memory_reliefs_total 2.0\n" in text
    assert 'kangbot_breaker_open{market="v:A",lane="entry"} 1.0' in text


def test_a_histogram_ends_with_all_there_were() -> None:
    """Cumulative, with its sum."""
    text = scraped(FULL)
    assert 'kangbot_frame_to_decision_seconds_bucket{le="0.000256"} 1\n' in text
    assert 'kangbot_rest_call_seconds_bucket{endpoint="GET /a",le="+Inf"} 2\n' in text
    assert 'kangbot_rest_call_seconds_count{endpoint="GET /a"} 2\n' in text


def test_no_label_breaks_the_format() -> None:
    """Whatever a venue calls its money."""
    text = scraped(a_report(equity={'a"b\\c\nd': Decimal(1)}))
    assert 'kangbot_equity{currency="a\\"b\\\\c\\nd"} 1.0\n' in text


def test_alerts_ask_for_what_is_served() -> None:
    """No rule waits for a metric that does not exist, and each has its entry for a person."""
    rules, page = (CONFIG / "prometheus" / "alerts.yml").read_text(), (CONFIG.parent / "docs" / "health.md").read_text()
    assert set(re.findall(r"kangbot_\w+", rules)) <= set(families(scraped(FULL)))
    for alert in re.findall(r"alert: (\w+)", rules):
        assert f"`{alert}`" in page


def test_the_page_names_every_metric_that_is_served() -> None:
    """And no other."""
    page = (CONFIG.parent / "docs" / "health.md").read_text()
    table = page[page.index("| about | metrics |") : page.index("`config/grafana/`")]
    named = {f"kangbot_{name}" for name in re.findall(r"`(\w+)`", table)}
    served = set(families(scraped(FULL)))
    assert named == served | {"kangbot_frame_to_order_seconds", "kangbot_loop_lag_seconds"}
