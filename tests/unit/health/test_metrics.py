"""What is scraped is in Prometheus' format, by its own tool's judgement."""

import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.health.checks import health_of
from kangbot.health.latency import Latencies
from kangbot.health.metrics import exposition
from kangbot.health.report import BreakerReport, MemoryReport, Report
from kangbot.model.ids import MarketId
from kangbot.settings.health import HealthSettings
from tests.support.reporting import a_market, a_report

CONFIG = Path(__file__).parents[3] / "config" / "prometheus"
BREAKER = BreakerReport(
    market=MarketId("v:A"), lane="entry", state="open", since_ns=1, until_ns=2, failures=5, trips=1, cause="timeouts"
)
MEMORY = MemoryReport(limit_mb=100, limit_source="cgroup", available_mb=1, growth_mb_h=None, reliefs=2)


def scraped(report: Report) -> str:
    """Return the text of a daemon that says this."""
    latencies = Latencies()
    for duration_ns in (100_000, 3_000_000):
        latencies.observe(duration_ns)
    health = health_of(report, HealthSettings().thresholds)
    return exposition(report, health, {"frame_to_decision": latencies.histogram()}, {"GET /a": latencies.histogram()})


FULL = a_report(a_market("A"), a_market("B", feed_age_s=None), breakers=[BREAKER], memory=MEMORY, disk_free_mb=5.0)


def promtool(*arguments: str, given: str | None = None) -> None:
    """Have Prometheus' own tool judge."""
    tool = shutil.which("promtool")
    if tool is None:
        assert os.environ.get("CI") != "true", "there is no promtool, and CI skips nothing"
        pytest.skip("there is no promtool; install the package prometheus")
    judged = subprocess.run([tool, *arguments], input=given, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_promtool_finds_nothing_wrong_with_the_metrics() -> None:
    """Names, units, types, HELP, and histograms that add up."""
    promtool("check", "metrics", given=scraped(FULL))


def test_promtool_takes_the_rules() -> None:
    """Every alert of `config/prometheus`."""
    promtool("check", "rules", str(CONFIG / "alerts.yml"))


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
    rules, page = (CONFIG / "alerts.yml").read_text(), (CONFIG.parents[1] / "docs" / "health.md").read_text()
    served = set(re.findall(r"^# TYPE (\S+)", scraped(FULL), re.MULTILINE))
    assert set(re.findall(r"kangbot_\w+", rules)) <= served
    for alert in re.findall(r"alert: (\w+)", rules):
        assert f"`{alert}`" in page
