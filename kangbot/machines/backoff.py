"""How long to wait before trying again: exponential with equal jitter.

Equal jitter (half fixed, half drawn) keeps a floor under every wait, which full jitter does not: a venue that counts
connects must never see two at once. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
"""

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """The waits between attempts, in nanoseconds; returns its successor."""

    first_ns: int
    ceiling_ns: int
    failures: int = 0

    def failed(self) -> "Backoff":
        """Return the backoff after one more failure."""
        return msgspec.structs.replace(self, failures=self.failures + 1)

    def reset(self) -> "Backoff":
        """Return the backoff after a success worth the name (the caller decides what that is)."""
        return msgspec.structs.replace(self, failures=0) if self.failures else self

    def wait_ns(self, draw: float, *, at_least_ns: int = 0) -> int:
        """Return the wait after the last failure; `draw` in [0, 1). Never below what the other side asked for."""
        if self.failures == 0:
            return at_least_ns
        doublings = min(self.failures - 1, 40)  # beyond 2^40 the ceiling rules anyway
        full = min(self.first_ns << doublings, self.ceiling_ns)
        return max(full // 2 + int(full / 2 * draw), at_least_ns)
