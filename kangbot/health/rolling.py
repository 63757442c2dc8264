"""Figures of the last minutes, out of counters that only grow: samples on a beat, and as many as are wanted."""

from collections import deque
from collections.abc import Sequence

from kangbot.health.latency import Latencies

MINUTES = 15
_HOUR_NS = 3_600_000_000_000
_LEAST_NS = 600_000_000_000  # a slope over less than ten minutes says nothing
_SAMPLES = 5  # of the processor: a minute, at four a minute
_SECOND_NS = 1_000_000_000


class Recent:
    """The latencies of the last quarter of an hour: how many, and their mean."""

    def __init__(self, latencies: Latencies) -> None:
        self._latencies = latencies
        self._samples: deque[tuple[int, int]] = deque([(0, 0)], maxlen=MINUTES + 1)

    def sample(self) -> None:
        """Remember where the counters are; once a minute."""
        self._samples.append((self._latencies.count, self._latencies.total_ns))

    @property
    def count(self) -> int:
        """How many there were."""
        return self._latencies.count - self._samples[0][0]

    def mean_ms(self) -> float | None:
        """Return their mean; None without any."""
        total_ns = self._latencies.total_ns - self._samples[0][1]
        return round(total_ns / self.count / 1e6, 4) if self.count else None


class Share:
    """How much of a core was used over the last minute, or since there is a first sample."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)

    def sample(self, now_ns: int, used_s: float) -> None:
        """Remember how much has been used; four times a minute."""
        self._samples.append((now_ns, used_s))

    def percent(self, now_ns: int, used_s: float) -> float | None:
        """Return the share; None within the first second."""
        before_ns, before_s = self._samples[0] if self._samples else (now_ns, used_s)
        if now_ns - before_ns < _SECOND_NS:
            return None
        return round((used_s - before_s) / ((now_ns - before_ns) / _SECOND_NS) * 100, 2)


class Growth:
    """How a figure grows, over the last hour, by least squares."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque(maxlen=61)

    def sample(self, now_ns: int, figure: float) -> None:
        """Remember the figure; once a minute."""
        self._samples.append((now_ns, figure))

    def by_hour(self) -> float | None:
        """Return the growth in an hour; None before ten minutes are over."""
        return slope_by_hour(self._samples)


def slope_by_hour(samples: Sequence[tuple[int, float]]) -> float | None:
    """Return the slope of the line with the least squares, for samples (ns, figure); None where they are too near."""
    if len(samples) < 2 or samples[-1][0] - samples[0][0] < _LEAST_NS:
        return None
    hours = [(at_ns - samples[0][0]) / _HOUR_NS for at_ns, _ in samples]
    mean_h, mean = sum(hours) / len(hours), sum(figure for _, figure in samples) / len(samples)
    spread = sum((hour - mean_h) ** 2 for hour in hours)
    together = sum((hour - mean_h) * (figure - mean) for hour, (_, figure) in zip(hours, samples, strict=True))
    return round(together / spread, 2)
