"""A circuit breaker: when too much fails, leave it alone for a while, then ask once before going on.

::

             10 failures in 300 s, or 5 in a row within 60 s
    CLOSED ──────────────────────────────────────────────────▶ OPEN(until)
       ▲                                                        │ until has passed: one permit is lent
       │ the probe succeeded                                    ▼
       └──────────────────────────────────────────────────── HALF_OPEN(lease)
                       the probe failed, or its lease ran out ──▶ OPEN, for longer
    any ── isolate ──▶ ISOLATED ── reset ──▶ CLOSED          by hand, kept over restarts

The probe is a question that changes nothing, never an order: who lends the permit sees to that. A result that comes
after its lease is over says nothing. What is no failure of the venue (a refusal, our own cancellation) is not told to
the breaker at all: `venues_fault`.
"""

import msgspec

from kangbot.errors import Ambiguous, Misstamped, NeedsHuman, Refused
from kangbot.model.events import BreakerState

_SECOND_NS = 1_000_000_000
_STATUS = 3  # digits of a status of HTTP: a proxy may have given it, or whoever sells the network


class BreakerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens and for how long; a cool-down is the ceiling of an equal jitter, half of it is certain."""

    failures: int = 10
    within_ns: int = 300 * _SECOND_NS
    cool_down_ns: int = 600 * _SECOND_NS
    in_a_row: int = 5
    row_within_ns: int = 60 * _SECOND_NS
    row_cool_down_ns: int = 300 * _SECOND_NS
    longest_ns: int = 3600 * _SECOND_NS  # cool-downs double with each trip that follows another, up to this
    lease_ns: int = 30 * _SECOND_NS  # a probe that takes longer has failed


DEFAULTS = BreakerTerms()


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """One breaker; returns its successor."""

    terms: BreakerTerms = DEFAULTS
    state: BreakerState = BreakerState.CLOSED
    since_ns: int = 0  # it came into this state then
    until_ns: int = 0  # OPEN: no probe before; HALF_OPEN: the lease ends
    failed_ns: tuple[int, ...] = ()  # the newest failures while closed, oldest first; as many as the rules count
    row: int = 0  # so many of them since the last success
    trips: int = 0  # one after another, without a while of peace between them
    lease: int = 0  # number of the newest permit
    cause: str = ""  # the last failure, or who isolated it

    # -------------------------------------------------------------------------------------------------------- results
    def failed(self, now_ns: int, cause: str, draw: float, *, retry_after_ns: int = 0) -> "Breaker":
        """Learn of a failure while closed; `draw` in [0, 1). In every other state only a probe's result counts."""
        if self.state is not BreakerState.CLOSED:
            return self
        failed_ns = (*self.failed_ns, now_ns)[-max(self.terms.failures, self.terms.in_a_row) :]
        row = self.row + 1
        after = msgspec.structs.replace(self, failed_ns=failed_ns, row=row, cause=cause)
        cool_down_ns = _tripped(after, now_ns)
        return _opened(after, now_ns, cool_down_ns, draw, retry_after_ns) if cool_down_ns else after

    def succeeded(self) -> "Breaker":
        """Learn of a success while closed: the failures in a row begin anew, those within the window stay."""
        return msgspec.structs.replace(self, row=0) if self.state is BreakerState.CLOSED and self.row else self

    def forgiven(self, since_ns: int) -> "Breaker":
        """Forget the failures since then: they were not of this market."""
        kept = tuple(at_ns for at_ns in self.failed_ns if at_ns < since_ns)
        return msgspec.structs.replace(self, failed_ns=kept, row=max(0, self.row - (len(self.failed_ns) - len(kept))))

    # --------------------------------------------------------------------------------------------------------- probing
    def deadline_ns(self) -> int | None:
        """Return when something is due: a probe, or the end of a lease; None where nothing is."""
        return self.until_ns if self.state in (BreakerState.OPEN, BreakerState.HALF_OPEN) else None

    def lend(self, now_ns: int) -> "Breaker | None":
        """Lend the one permit to probe, `lease` of the successor; None where there is none to lend now."""
        if self.state is not BreakerState.OPEN or now_ns < self.until_ns:
            return None
        until_ns = now_ns + self.terms.lease_ns
        lease = self.lease + 1
        return msgspec.structs.replace(
            self, state=BreakerState.HALF_OPEN, since_ns=now_ns, until_ns=until_ns, lease=lease
        )

    def probed(self, lease: int, now_ns: int, failure: str, draw: float, *, retry_after_ns: int = 0) -> "Breaker":
        """Learn how the probe of `lease` ended; `failure` "" for well. Nothing where the lease is not the one out."""
        if self.state is not BreakerState.HALF_OPEN or lease != self.lease or now_ns > self.until_ns:
            return self
        if not failure:
            return _closed(self, now_ns)
        return _opened(
            msgspec.structs.replace(self, cause=failure), now_ns, self.terms.row_cool_down_ns, draw, retry_after_ns
        )

    def expired(self, now_ns: int, draw: float) -> "Breaker":
        """Take back a permit whose lease is over."""
        if self.state is not BreakerState.HALF_OPEN or now_ns <= self.until_ns:
            return self
        lost = msgspec.structs.replace(self, cause="the probe did not come back")
        return _opened(lost, now_ns, self.terms.row_cool_down_ns, draw)

    def proved(self, now_ns: int) -> "Breaker":
        """Close it because a real call succeeded: for a lane that goes on while it is open."""
        return _closed(self, now_ns) if self.state in (BreakerState.OPEN, BreakerState.HALF_OPEN) else self

    # --------------------------------------------------------------------------------------------------------- by hand
    def isolate(self, now_ns: int, cause: str) -> "Breaker":
        """Keep it open until somebody resets it."""
        if self.state is BreakerState.ISOLATED:
            return self
        return msgspec.structs.replace(self, state=BreakerState.ISOLATED, since_ns=now_ns, until_ns=0, cause=cause)

    def reset(self, now_ns: int) -> "Breaker":
        """Close it and forget every failure and trip."""
        if self.state is BreakerState.CLOSED and not self.failed_ns and not self.trips:
            return self
        return Breaker(terms=self.terms, since_ns=now_ns, lease=self.lease)

    def begun(self, now_ns: int) -> "Breaker":
        """Go on with it in another life; opened in the future counts as opened now: the clock was set back between."""
        if self.state is not BreakerState.OPEN or self.since_ns <= now_ns:
            return self
        return msgspec.structs.replace(self, since_ns=now_ns, until_ns=now_ns + self.until_ns - self.since_ns)

    def force_retry(self, now_ns: int) -> "Breaker":
        """Let it probe now instead of later; nothing where it is not open."""
        return (
            msgspec.structs.replace(self, until_ns=min(self.until_ns, now_ns))
            if self.state is BreakerState.OPEN
            else self
        )


def _tripped(breaker: Breaker, now_ns: int) -> int:
    """Return for how long the failures open it, in nanoseconds; 0 where they do not."""
    terms, newest = breaker.terms, breaker.failed_ns
    if len(newest) >= terms.failures and now_ns - newest[-terms.failures] <= terms.within_ns:
        return terms.cool_down_ns
    row = min(breaker.row, len(newest))
    if row >= terms.in_a_row and now_ns - newest[-terms.in_a_row] <= terms.row_within_ns:
        return terms.row_cool_down_ns
    return 0


def _opened(breaker: Breaker, now_ns: int, cool_down_ns: int, draw: float, retry_after_ns: int = 0) -> Breaker:
    peace = breaker.state is BreakerState.CLOSED and now_ns - breaker.since_ns > 2 * breaker.terms.cool_down_ns
    trips = 1 if peace else breaker.trips + 1
    full_ns = min(cool_down_ns << min(trips - 1, 20), breaker.terms.longest_ns)
    wait_ns = max(full_ns // 2 + int(full_ns / 2 * draw), retry_after_ns)
    return msgspec.structs.replace(
        breaker, state=BreakerState.OPEN, since_ns=now_ns, until_ns=now_ns + wait_ns, failed_ns=(), row=0, trips=trips
    )


def _closed(breaker: Breaker, now_ns: int) -> Breaker:
    return msgspec.structs.replace(breaker, state=BreakerState.CLOSED, since_ns=now_ns, until_ns=0)


def venues_fault(error: Exception | None) -> bool:
    """Whether a call that ended so speaks against the venue or the way to it.

    A refusal (no funds, a filter, a duplicate id, a stamp, a key that has ended) is an answer: the venue is there. A
    cancellation is ours, and never comes here, since it is no Exception.
    """
    return error is not None and not isinstance(error, Refused | Misstamped | NeedsHuman)


def venues_words(error: Exception | None) -> bool:
    """Whether the venue itself has said that it does not know what became of the call: the way to it is open."""
    return isinstance(error, Ambiguous) and error.code is not None and len(error.code) > _STATUS
