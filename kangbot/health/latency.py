"""Latencies in bounded memory: a histogram whose buckets grow by a fixed ratio.

Sixteen buckets to each doubling bound the error of a quantile to about 4.4 % of its value, over 1 µs to 1,000 s in 480
counters, whatever the number of observations.
"""

from math import log2

_LOWEST_NS = 1_000
_A_DOUBLING = 16
_BUCKETS = 30 * _A_DOUBLING


class Latencies:
    """Durations in nanoseconds; quantiles in milliseconds."""

    __slots__ = ("_counts", "count", "longest_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.longest_ns = 0

    def observe(self, duration_ns: int) -> None:
        """Count one duration; negative ones count as the lowest."""
        place = int(log2(duration_ns / _LOWEST_NS) * _A_DOUBLING) if duration_ns > _LOWEST_NS else 0
        self._counts[min(place, _BUCKETS - 1)] += 1
        self.count += 1
        self.longest_ns = max(self.longest_ns, duration_ns)

    def quantile_ms(self, share: float) -> float | None:
        """Return the duration that `share` (0 to 1) of the observations do not exceed, in ms; None without any."""
        if not self.count:
            return None
        wanted, seen = share * self.count, 0
        for place, count in enumerate(self._counts):
            seen += count
            if seen >= wanted and count:
                upper_ns = _LOWEST_NS * 2 ** ((place + 1) / _A_DOUBLING)
                return round(min(upper_ns, self.longest_ns) / 1e6, 4)
        return round(self.longest_ns / 1e6, 4)

    def summary(self) -> dict[str, float | None]:
        """Return p50 and p99 in milliseconds."""
        return {"p50": self.quantile_ms(0.5), "p99": self.quantile_ms(0.99)}
