"""Figures of the last minutes."""

import pytest

from kangbot.health.latency import Latencies
from kangbot.health.rolling import Growth, Recent, Share, slope_by_hour

MINUTE = 60_000_000_000
NOW = 1_790_000_000_000_000_000


def test_what_is_older_than_a_quarter_of_an_hour_counts_no_more() -> None:
    """The mean is of the recent ones alone."""
    latencies = Latencies()
    recent = Recent(latencies)
    assert (recent.count, recent.mean_ms()) == (0, None)
    latencies.observe(90_000_000_000)
    assert (recent.count, recent.mean_ms()) == (1, 90_000)
    for _ in range(15):
        recent.sample()
    latencies.observe(2_000_000)
    assert recent.count == 2
    recent.sample()
    assert (recent.count, recent.mean_ms()) == (1, 2)
    latencies.observe(4_000_000)
    assert (recent.count, recent.mean_ms()) == (2, 3)


def test_what_the_processor_did_before_the_last_minute_counts_no_more() -> None:
    """A daemon that took half a core for an hour and takes all of it now is told to take all of it."""
    share, beat = Share(), MINUTE // 4
    assert share.percent(NOW, 3.0) is None
    share.sample(NOW, 3.0)
    assert share.percent(NOW + 1, 3.0) is None
    assert share.percent(NOW + MINUTE // 60, 3.25) == 25
    for number in range(1, 241):
        share.sample(NOW + number * beat, 3 + number * 7.5)
    assert share.percent(NOW + 241 * beat, 3 + 241 * 7.5) == 50
    for number in range(241, 246):
        share.sample(NOW + number * beat, 3 + 240 * 7.5 + (number - 240) * 15)
    assert share.percent(NOW + 246 * beat, 3 + 240 * 7.5 + 6 * 15) == 100


def test_growth_is_told_by_the_hour() -> None:
    """6 MB in half an hour, with noise, are 12 an hour."""
    growth = Growth()
    for minute in range(31):
        growth.sample(NOW + minute * MINUTE, 70 + minute / 5 + (0.5 if minute % 2 else -0.5))
    assert growth.by_hour() == pytest.approx(12, abs=0.2)


def test_a_slope_needs_ten_minutes() -> None:
    """A start is no growth."""
    assert slope_by_hour([]) is None
    assert slope_by_hour([(NOW, 10.0), (NOW + 9 * MINUTE, 60.0)]) is None
    assert slope_by_hour([(NOW, 10.0), (NOW + 10 * MINUTE, 10.0)]) == 0
