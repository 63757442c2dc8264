"""Latencies in bounded memory: a histogram whose buckets grow by a fixed ratio.

Sixteen buckets to each doubling bound the error of a quantile to about 4.4 % of its value, over 1 µs to 1,000 s in 480
counters, whatever the number of observations.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import log2
from typing import NamedTuple

_LOWEST_NS = 1_000
_A_DOUBLING = 16
_BUCKETS = 30 * _A_DOUBLING
_EDGES = range(6, 26, 2)  # doublings that a histogram shows: 64 µs, then four times as much each, to 17 s
_ENDPOINTS = 64
_FINEST_NS = 64_000
_DOUBLINGS = 19


class Histogram(NamedTuple):
    """Counts up to each bound, which include those of the bounds before it, and what all came to."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    total: int
    sum_s: float


class Latencies:
    """Durations in nanoseconds; quantiles in milliseconds."""

    __slots__ = ("_counts", "_summary", "count", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._summary: tuple[int, float | None, float | None] = (0, None, None)  # as of so many observations
        self.count = 0
        self.total_ns = 0
        self.longest_ns = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration; negative ones count as the lowest."""
        place = int(log2(duration_ns / _LOWEST_NS) * _A_DOUBLING) if duration_ns > _LOWEST_NS else 0
        self._counts[min(place, _BUCKETS - 1)] += 1
        self.count += 1
        self.total_ns += max(0, duration_ns)
        self.longest_ns = max(self.longest_ns, duration_ns)

    def summary(self) -> dict[str, float | None]:
        """Return p50 and p99 in milliseconds."""
        if self._summary[0] != self.count:
            upto = tuple(accumulate(self._counts))
            self._summary = self.count, self._quantile_ms(upto, 0.5), self._quantile_ms(upto, 0.99)
        return {"p50": self._summary[1], "p99": self._summary[2]}

    def _quantile_ms(self, upto: Sequence[int], share: float) -> float | None:
        """Return the end of the first bucket by which so many were counted; `upto` has the counts up to each end."""
        if not self.count:
            return None
        place = bisect_left(upto, max(1, share * self.count))
        upper_ns = _LOWEST_NS * 2 ** ((place + 1) / _A_DOUBLING)
        return round(min(upper_ns, self.longest_ns) / 1e6, 4)

    def histogram(self) -> Histogram:
        """Return the counts up to bounds four times apart, exactly."""
        bounds = tuple(_LOWEST_NS * 2**edge / 1e9 for edge in _EDGES)
        counts = tuple(sum(self._counts[: edge * _A_DOUBLING]) for edge in _EDGES)
        return Histogram(bounds, counts, self.count, self.total_ns / 1e9)


class Buckets:
    """Durations by the doubling they fall into, and no more: a thousand markets with one each take 0.3 MB."""

    __slots__ = ("_counts", "longest_ns")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (_DOUBLINGS + 1)))
        self.longest_ns = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration; negative ones count as the lowest."""
        self._counts[min((max(0, duration_ns) // _FINEST_NS).bit_length(), _DOUBLINGS)] += 1
        self.longest_ns = max(self.longest_ns, duration_ns)

    @property
    def bounds_ms(self) -> list[float]:
        """What the durations of each bucket but the last are below: 64 µs, then twice as much each, to 17 s."""
        return [_FINEST_NS * 2**place / 1e6 for place in range(_DOUBLINGS)]

    @property
    def counts(self) -> list[int]:
        """How many fell into each bucket; the last has no bound."""
        return self._counts.tolist()


class Timings:
    """Latencies by endpoint, "GET /v5/order/realtime"; what comes after so many is counted as "other"."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Latencies] = {}

    def observe(self, endpoint: str, duration_ns: int) -> None:
        """Count one call, however it ended."""
        latencies = self.endpoints.get(endpoint)
        if latencies is None:
            name = endpoint if len(self.endpoints) < _ENDPOINTS else "other"
            latencies = self.endpoints.setdefault(name, Latencies())
        latencies.observe(duration_ns)
