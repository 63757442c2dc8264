"""Latencies in bounded memory: how near their figures are, and how much is counted apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.health.latency import Buckets, Latencies, Timings


def test_without_observations_there_is_no_quantile() -> None:
    """None, not zero."""
    assert Latencies().summary() == {"p50": None, "p99": None}


@given(st.lists(st.integers(2_000, 900_000_000_000), min_size=1, max_size=200), st.sampled_from([50, 99]))
def test_quantiles_are_within_a_bucket(durations: list[int], percent: int) -> None:
    """Never under the true quantile, and at most one bucket (4.5 %) above it."""
    latencies = Latencies()
    for duration in durations:
        latencies.observe(duration)
    ranked = sorted(durations)
    true = ranked[max(0, -(-len(ranked) * percent // 100) - 1)] / 1e6
    told = latencies.summary()[f"p{percent}"]
    assert told is not None
    assert true - 0.001 <= told <= true * 1.045 + 0.001


def test_durations_outside_the_range_are_counted_at_its_ends() -> None:
    """A negative one (clocks of two cores) and an endless one are no error."""
    latencies = Latencies()
    latencies.observe(-5)
    latencies.observe(10**18)
    assert latencies.count == 2
    assert latencies.longest_ns == 10**18


@given(st.integers(-5, 10**12))
def test_a_duration_falls_into_the_bucket_of_its_doubling(duration: int) -> None:
    """It is below the bound of its own, and not below that of the one before; the longest is kept."""
    buckets = Buckets()
    buckets.observe(duration)
    bounds, place = buckets.bounds_ms, buckets.counts.index(1)
    assert len(buckets.counts) == len(bounds) + 1
    assert place == len(bounds) or duration / 1e6 < bounds[place]
    assert place == 0 or duration / 1e6 >= bounds[place - 1]
    assert (sum(buckets.counts), buckets.longest_ns) == (1, max(0, duration))


def test_what_is_below_the_lowest_bucket_is_in_it() -> None:
    """A negative duration takes nothing from the sum of the others."""
    latencies = Latencies()
    for duration in (-5, 500, 1_000):
        latencies.observe(duration)
    histogram = latencies.histogram()
    assert (histogram.counts[0], histogram.sum_s) == (3, 1_500 / 1e9)


def test_what_came_since_is_in_the_next_summary() -> None:
    """It is kept for as long as nothing comes."""
    latencies = Latencies()
    latencies.observe(1_000_000)
    first = latencies.summary()
    latencies.observe(9_000_000)
    second = latencies.summary()
    assert (second["p50"], second["p99"]) != (first["p50"], first["p99"])
    assert second["p99"] == 9.0


def test_a_histogram_counts_exactly() -> None:
    """Each bound counts all below it; the last is no bound at all."""
    latencies = Latencies()
    for duration_ns in (10_000, 65_000, 300_000, 30_000_000_000):
        latencies.observe(duration_ns)
    histogram = latencies.histogram()
    assert histogram.bounds_s[:3] == (0.000064, 0.000256, 0.001024)
    assert histogram.counts == (1, 2, *[3] * 8)
    assert histogram.total == 4
    assert histogram.sum_s == pytest.approx(30.000375)


def test_endpoints_without_end_are_one() -> None:
    """A venue that makes up addresses takes no memory."""
    timings = Timings()
    for number in range(1000):
        timings.observe(f"GET /{number}", 1)
    timings.observe("GET /0", 1)
    assert timings.endpoints["GET /0"].count == 2
    assert len(timings.endpoints) == 65
    assert timings.endpoints["other"].count == 1000 - 64
