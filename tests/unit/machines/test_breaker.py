"""One circuit breaker: when it opens, for how long, and what closes it."""

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kangbot.errors import Ambiguous, InsufficientFunds, Misstamped, NeedsHuman, Refused, Retryable
from kangbot.machines.breaker import DEFAULTS, Breaker, BreakerTerms, venues_fault, venues_words
from kangbot.model.events import BreakerState

S = 1_000_000_000
START = 1_000_000 * S


def failing(breaker: Breaker, count: int, *, every_s: float, now_ns: int = START) -> tuple[Breaker, int]:
    """Return the breaker after so many failures, and when the last one was."""
    at_ns = now_ns
    for number in range(count):
        at_ns = now_ns + int(number * every_s * S)
        breaker = breaker.failed(at_ns, f"failure {number}", 0.5)
    return breaker, at_ns


def opened() -> tuple[Breaker, int]:
    """Return a breaker that five failures in a row have opened."""
    return failing(Breaker(), 5, every_s=1)


def test_five_failures_in_a_row_within_a_minute_open_it() -> None:
    """The fifth opens it for 150 to 300 s, drawn."""
    breaker, at_ns = opened()
    assert breaker.state is BreakerState.OPEN
    assert breaker.until_ns == at_ns + 225 * S
    assert breaker.cause == "failure 4"


def test_a_success_between_them_breaks_the_row() -> None:
    """Four failures, a success and four failures are no row of five."""
    breaker, at_ns = failing(Breaker(), 4, every_s=1)
    breaker, _ = failing(breaker.succeeded(), 4, every_s=1, now_ns=at_ns)
    assert breaker.state is BreakerState.CLOSED


def test_a_row_that_takes_longer_than_a_minute_does_not_open_it() -> None:
    """Fifteen seconds apart five failures take just a minute."""
    assert failing(Breaker(), 5, every_s=15)[0].state is BreakerState.OPEN
    assert failing(Breaker(), 5, every_s=15.01)[0].state is BreakerState.CLOSED


def test_ten_failures_within_five_minutes_open_it_in_spite_of_successes() -> None:
    """A venue that answers every other call is no venue to trade at."""
    breaker, at_ns = Breaker(), START
    for number in range(10):
        at_ns = START + number * 300 * S // 9
        breaker = breaker.failed(at_ns, "5xx", 0.0).succeeded()
    assert breaker.state is BreakerState.OPEN
    assert breaker.until_ns == at_ns + 300 * S


def test_ten_failures_over_a_longer_time_do_not_open_it() -> None:
    """One failure in 34 s is ordinary weather."""
    breaker = Breaker()
    for number in range(20):
        breaker = breaker.failed(START + number * 34 * S, "5xx", 0.0).succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_a_row_counts_though_it_is_longer_than_what_may_fail_within_the_window() -> None:
    """Both rules have the failures that they need."""
    breaker = Breaker(terms=BreakerTerms(failures=2, within_ns=S, in_a_row=3))
    assert failing(breaker, 2, every_s=10)[0].state is BreakerState.CLOSED
    assert failing(breaker, 3, every_s=10)[0].state is BreakerState.OPEN


def test_it_is_never_open_for_less_than_the_venue_asked_for() -> None:
    """Retry-After is a floor."""
    breaker, at_ns = failing(Breaker(), 4, every_s=1)
    breaker = breaker.failed(at_ns, "429", 0.0, retry_after_ns=900 * S)
    assert breaker.until_ns == at_ns + 900 * S


def test_nothing_is_lent_before_its_time_and_one_permit_only_afterwards() -> None:
    """Of fifty that ask at the same moment one is admitted."""
    breaker, _ = opened()
    assert breaker.lend(breaker.until_ns - 1) is None
    admitted = 0
    now_ns = breaker.until_ns
    for _ in range(50):
        lent = breaker.lend(now_ns)
        if lent is not None:
            breaker, admitted = lent, admitted + 1
    assert admitted == 1
    assert breaker.state is BreakerState.HALF_OPEN


def test_a_probe_that_succeeds_closes_it() -> None:
    """And the failures of before are forgotten."""
    breaker, _ = opened()
    lent = breaker.lend(breaker.until_ns)
    assert lent is not None
    closed = lent.probed(lent.lease, lent.since_ns + S, "", 0.5)
    assert (closed.state, closed.failed_ns, closed.row, closed.deadline_ns()) == (BreakerState.CLOSED, (), 0, None)


def test_a_probe_that_fails_opens_it_for_longer() -> None:
    """300 s double to 600, and again up to an hour."""
    breaker, _ = opened()
    waits = []
    for _ in range(8):
        lent = breaker.lend(breaker.until_ns)
        assert lent is not None
        breaker = lent.probed(lent.lease, lent.since_ns, "still down", 0.999999)
        assert breaker.cause == "still down"
        waits.append(round((breaker.until_ns - breaker.since_ns) / S))
    assert waits[:3] == [600, 1200, 2400]
    assert waits[3:] == [3600] * 5


def test_a_probe_that_comes_back_too_late_says_nothing() -> None:
    """Its lease was over: whatever it found was of another time."""
    breaker, _ = opened()
    lent = breaker.lend(breaker.until_ns)
    assert lent is not None
    assert lent.deadline_ns() == lent.until_ns == lent.since_ns + 30 * S
    assert lent.probed(lent.lease, lent.until_ns, "", 0.5).state is BreakerState.CLOSED
    late_ns = lent.until_ns + 1
    assert lent.probed(lent.lease, late_ns, "", 0.5) is lent
    again = lent.expired(late_ns, 0.5)
    assert again.state is BreakerState.OPEN
    assert again.cause == "the probe did not come back"
    assert again.probed(lent.lease, late_ns, "", 0.5) is again
    second = again.lend(again.until_ns)
    assert second is not None
    assert second.probed(lent.lease, second.since_ns, "", 0.5) is second, "it is the first one's answer"
    anew, _ = failing(second.reset(second.since_ns), 5, every_s=1, now_ns=second.since_ns)
    third = anew.lend(anew.until_ns)
    assert third is not None
    assert third.probed(second.lease, third.since_ns, "", 0.5) is third, "a reset gives no number twice"


def test_a_permit_is_not_taken_back_before_its_time() -> None:
    """And there is none to take back of a breaker that is not half open."""
    breaker, at_ns = opened()
    assert breaker.expired(at_ns, 0.5) is breaker
    lent = breaker.lend(breaker.until_ns)
    assert lent is not None
    assert lent.expired(lent.until_ns, 0.5) is lent


def test_the_result_of_another_lease_says_nothing() -> None:
    """Only the permit that is out counts."""
    breaker, _ = opened()
    lent = breaker.lend(breaker.until_ns)
    assert lent is not None
    assert lent.probed(lent.lease - 1, lent.since_ns, "", 0.5) is lent


def test_results_of_ordinary_calls_count_only_while_it_is_closed() -> None:
    """What was under way when it opened neither closes it nor keeps it open for longer."""
    breaker, at_ns = opened()
    assert breaker.failed(at_ns, "late", 0.5) is breaker
    assert breaker.succeeded() is breaker


def test_a_lane_that_goes_on_while_it_is_open_is_closed_by_a_call_that_succeeds() -> None:
    """Exits are never held back, so one that succeeds is the best probe."""
    breaker, at_ns = opened()
    assert breaker.proved(at_ns).state is BreakerState.CLOSED
    fresh = Breaker()
    assert fresh.proved(at_ns) is fresh


def test_after_a_while_of_peace_the_first_cool_down_is_short_again() -> None:
    """Trips that have nothing to do with each other do not add up."""
    breaker, _ = opened()
    lent = breaker.lend(breaker.until_ns)
    assert lent is not None
    closed = lent.probed(lent.lease, lent.since_ns, "", 0.5)
    soon, _ = failing(closed, 5, every_s=1, now_ns=closed.since_ns + 60 * S)
    # Peace is twice the cool-down, from the close to the failure that opens it.
    before, _ = failing(closed, 5, every_s=1, now_ns=closed.since_ns + 1196 * S)
    after, _ = failing(closed, 5, every_s=1, now_ns=closed.since_ns + 1197 * S)
    assert (soon.trips, before.trips, after.trips) == (2, 2, 1)


def test_isolated_it_stays_until_it_is_reset() -> None:
    """Neither time nor a probe nor a success closes it."""
    breaker, at_ns = opened()
    isolated = breaker.isolate(at_ns, "isolated by a person")
    assert (isolated.since_ns, isolated.until_ns, isolated.cause) == (at_ns, 0, "isolated by a person")
    assert isolated.isolate(at_ns + 1, "again") is isolated
    assert isolated.deadline_ns() is None
    assert isolated.lend(at_ns + 10**6 * S) is None
    assert isolated.force_retry(at_ns) is isolated
    assert isolated.proved(at_ns) is isolated
    assert isolated.reset(at_ns).state is BreakerState.CLOSED


def test_a_reset_of_one_that_never_counted_anything_changes_nothing() -> None:
    """So a reset may be repeated."""
    fresh = Breaker()
    assert fresh.reset(START) is fresh
    counted = fresh.failed(START, "once", 0.5)
    assert counted.reset(START).failed_ns == ()
    terms = BreakerTerms(in_a_row=2)
    assert Breaker(terms=terms).failed(START, "once", 0.5).reset(START).terms is terms


def test_a_forced_retry_lets_it_probe_at_once() -> None:
    """Without waiting for the cool-down; a closed one is left alone."""
    breaker, at_ns = opened()
    forced = breaker.force_retry(at_ns)
    assert forced.deadline_ns() == at_ns
    assert forced.lend(at_ns) is not None
    fresh = Breaker()
    assert fresh.force_retry(at_ns) is fresh


def test_failures_that_were_ours_are_forgiven() -> None:
    """Those since the fault began; the older ones stay."""
    breaker, at_ns = failing(Breaker(), 4, every_s=10)
    kept = breaker.forgiven(at_ns - 10 * S)
    assert (len(kept.failed_ns), kept.row) == (2, 2)
    none = breaker.succeeded().failed(at_ns, "once more", 0.5).forgiven(START)
    assert (none.failed_ns, none.row) == ((), 0)
    # More in a row than are remembered: those that are left decide.
    rare, at_ns = failing(Breaker(), 14, every_s=40)
    assert rare.forgiven(at_ns - 8 * 40 * S).failed(at_ns + S, "one more", 0.5).state is BreakerState.CLOSED


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (None, False),
        (Refused("the filter says no"), False),
        (InsufficientFunds("no money"), False),
        (Retryable("5xx"), True),
        (Ambiguous("cut"), True),
        (NeedsHuman("bad key", remedy="look"), False),
        (Misstamped("stamped too late"), False),
        (TimeoutError(), True),
        (ValueError("a fault of our own"), True),
    ],
)
def test_what_speaks_against_the_venue(error: Exception | None, *, counts: bool) -> None:
    """A refusal is an answer; an answer that does not come is none."""
    assert venues_fault(error) is counts


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, False),
        (Ambiguous("bybit 170999: what is this", code="170999"), True),
        (Ambiguous("bybit HTTP 502: a page of a proxy", code="502"), False),
        (Ambiguous("no answer in time"), False),
        (Retryable("a name server's", code="170999"), False),
    ],
)
def test_what_the_venue_itself_has_said(error: Exception | None, *, words: bool) -> None:
    """By a code of its own: a status of HTTP may be of whatever stands between."""
    assert venues_words(error) is words


class AnyBreaker(RuleBasedStateMachine):
    """Whatever is done to it in whatever order, at most one permit is out and no call is early."""

    @initialize()
    def begin(self) -> None:
        self.now_ns = START
        self.breaker = Breaker(terms=msgspec.structs.replace(DEFAULTS, failures=4, in_a_row=2))
        self.out: int | None = None
        self.not_before_ns = 0

    def move(self, after: Breaker) -> None:
        before, self.breaker = self.breaker, after
        if after.state is BreakerState.OPEN and before.state is not BreakerState.OPEN:
            self.not_before_ns = after.until_ns
            assert after.until_ns - after.since_ns >= after.terms.row_cool_down_ns // 2

    @rule(seconds=st.integers(0, 400))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * S

    @rule(draw=st.floats(0, 0.999), asked_s=st.integers(0, 1000))
    def fail(self, draw: float, asked_s: int) -> None:
        self.move(self.breaker.failed(self.now_ns, "fault", draw, retry_after_ns=asked_s * S))

    @rule()
    def succeed(self) -> None:
        self.move(self.breaker.succeeded())

    @rule()
    def lend(self) -> None:
        lent = self.breaker.lend(self.now_ns)
        if lent is None:
            return
        assert self.now_ns >= self.not_before_ns
        assert self.breaker.state is BreakerState.OPEN
        self.out = lent.lease
        self.move(lent)

    @rule(well=st.booleans(), draw=st.floats(0, 0.999))
    def come_back(self, draw: float, *, well: bool) -> None:
        if self.out is not None:
            self.move(self.breaker.probed(self.out, self.now_ns, "" if well else "still down", draw))

    @rule(draw=st.floats(0, 0.999))
    def expire(self, draw: float) -> None:
        self.move(self.breaker.expired(self.now_ns, draw))

    @rule()
    def isolate(self) -> None:
        self.move(self.breaker.isolate(self.now_ns, "by hand"))

    @rule()
    def reset(self) -> None:
        self.move(self.breaker.reset(self.now_ns))

    @rule()
    def force(self) -> None:
        self.breaker = self.breaker.force_retry(self.now_ns)
        if self.breaker.state is BreakerState.OPEN:
            self.not_before_ns = min(self.not_before_ns, self.now_ns)

    @invariant()
    def bounded(self) -> None:
        breaker = self.breaker
        assert len(breaker.failed_ns) <= max(breaker.terms.failures, breaker.terms.in_a_row)
        assert breaker.row <= len(breaker.failed_ns) or not breaker.failed_ns
        assert (breaker.deadline_ns() is None) == (breaker.state in (BreakerState.CLOSED, BreakerState.ISOLATED))


TestAnyBreaker = AnyBreaker.TestCase
TestAnyBreaker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
