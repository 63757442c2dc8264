"""How far a venue's clock is from ours, and how well that is known.

A venue answers with its time somewhere between our request and our reading of the answer, so one question bounds the
offset from both sides: it lies within half the round trip of the middle. The offset is the median of several, which
lets one slow answer pass; what it may be wrong by is taken from the best of them, and grows with its age, since clocks
drift. A question whose bounds exclude an older one's proves that a clock was stepped, and the older one is dropped.

All our times are of the daemon's one clock, which never steps: the wall clock may do what it likes.
"""

import statistics

import msgspec

KEPT = 7
DRIFT_PER_MILLION = 100  # a bad crystal in a warm rack
_COARSE_NS = 1_000_000  # a venue that tells whole milliseconds


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One question for the time: when it left and when its answer was read, by our clock, and what was answered."""

    sent_ns: int
    received_ns: int
    server_ns: int

    @property
    def offset_ns(self) -> int:
        """The offset (theirs less ours) in the middle of its bounds."""
        return self.server_ns - (self.sent_ns + self.received_ns) // 2

    def bound_ns(self, now_ns: int) -> int:
        """Return by how much the offset may differ from that at `now_ns`."""
        half_ns = (self.received_ns - self.sent_ns + 1) // 2 + _COARSE_NS
        return half_ns + abs(now_ns - self.received_ns) * DRIFT_PER_MILLION // 1_000_000


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's clock is ours plus `offset_ns`, give or take `uncertainty_ns`."""

    offset_ns: int
    uncertainty_ns: int


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """The newest samples that agree with each other; returns its successor."""

    samples: tuple[Sample, ...] = ()
    median_ns: int = 0  # of their offsets

    def taken(self, sample: Sample) -> "Offset":
        """Return it with a new sample, and without the older ones that it proves outdated."""
        agreeing = [old for old in self.samples if _agree(old, sample)]
        samples = (*agreeing[-(KEPT - 1) :], sample)
        return Offset(samples=samples, median_ns=round(statistics.median(one.offset_ns for one in samples)))

    def estimate(self, now_ns: int) -> Estimate | None:
        """Return what is known at `now_ns`; None before the first sample."""
        if not self.samples:
            return None
        best = min(self.samples, key=lambda sample: sample.bound_ns(now_ns))
        uncertainty_ns = best.bound_ns(now_ns) + abs(self.median_ns - best.offset_ns)
        return Estimate(offset_ns=self.median_ns, uncertainty_ns=uncertainty_ns)


def _agree(old: Sample, new: Sample) -> bool:
    """Whether one offset, drifting, fits the bounds of both."""
    at_ns = new.received_ns
    return abs(old.offset_ns - new.offset_ns) <= old.bound_ns(at_ns) + new.bound_ns(at_ns)
