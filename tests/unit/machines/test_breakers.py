"""The breakers of all markets: what they mean for an entry, and that a restart goes on from them."""

from kangbot.machines.breaker import BreakerTerms
from kangbot.machines.breakers import Breakers, Result
from kangbot.model.events import BreakerChanged, BreakerState, Event, Lane, Noted, Severity
from kangbot.model.ids import MarketId

S = 1_000_000_000
NOW = 1_000_000 * S
A, B = MarketId("v:A"), MarketId("v:B")
BAD, WELL = Result(failure="no answer in time", draw=0.5), Result(failure="", draw=0.0)


def trip(breakers: Breakers, market: MarketId = A, lane: Lane = Lane.ENTRY) -> list[BreakerChanged]:
    """Have five calls fail in a row; return what changed."""
    return [change for number in range(5) for change in breakers.ended(market, lane, BAD, NOW + number * S)]


def test_an_open_entry_lane_holds_entries_of_its_own_market() -> None:
    """The others do not notice."""
    breakers = Breakers()
    (change,) = trip(breakers)
    assert (change.before, change.after, change.cause) == (BreakerState.CLOSED, BreakerState.OPEN, "no answer in time")
    assert change.until_ns == NOW + 4 * S + 225 * S
    assert breakers.held(A) == "breaker: the entry lane is open: no answer in time"
    assert breakers.held(B) == ""
    breakers.ended(B, Lane.ENTRY, BAD, NOW)
    assert breakers.held(B) == "", "one failure opens nothing"
    assert breakers.ended(A, Lane.ENTRY, WELL, NOW + 60 * S) == (), "what was under way closes nothing"


def test_a_venue_that_names_a_time_is_waited_for_in_every_lane() -> None:
    """By a call that fails, and by a probe."""
    later, breakers = Result(failure="429", draw=0.5, retry_after_ns=5000 * S), Breakers(BreakerTerms(in_a_row=1))
    (change,) = breakers.ended(A, Lane.DATA, later, NOW)
    assert change.until_ns == NOW + 5000 * S
    lease, (lent,) = breakers.lend(A, Lane.DATA, change.until_ns)
    assert lent.until_ns == 0, "it is lent, and nobody waits for a probe"
    (change,) = breakers.probed(A, Lane.DATA, lease, later, NOW + 5001 * S)
    assert change.until_ns == NOW + 10_001 * S


def test_an_open_data_lane_holds_entries_too() -> None:
    """One would enter blind."""
    breakers = Breakers()
    trip(breakers, lane=Lane.DATA)
    assert breakers.held(A).startswith("breaker: the data lane is open")


def test_an_open_exit_lane_holds_nothing_and_closes_with_the_first_success() -> None:
    """An exit is never held back: the next one is the probe."""
    breakers = Breakers()
    assert len(trip(breakers, lane=Lane.EXIT)) == 1
    assert breakers.held(A) == ""
    (change,) = breakers.ended(A, Lane.EXIT, WELL, NOW + 60 * S)
    assert (change.after, change.cause) == (BreakerState.CLOSED, "")


def test_each_permit_that_is_due_is_lent_once() -> None:
    """And what the probes find decides lane by lane."""
    breakers = Breakers()
    assert breakers.due_ns() is None
    trip(breakers)
    trip(breakers, B)
    due_ns = breakers.due_ns()
    assert due_ns is not None
    assert breakers.due(due_ns - 1) is None
    for market, result, after in ((A, WELL, BreakerState.CLOSED), (B, BAD, BreakerState.OPEN)):
        assert breakers.due(due_ns) == (market, Lane.ENTRY)
        lease, changes = breakers.lend(market, Lane.ENTRY, due_ns)
        assert [change.after for change in changes] == [BreakerState.HALF_OPEN]
        assert breakers.lend(market, Lane.ENTRY, due_ns) == (0, ())
        (change,) = breakers.probed(market, Lane.ENTRY, lease, result, due_ns)
        assert change.after is after
    assert breakers.due(due_ns) is None


def test_who_has_waited_longest_is_probed_first() -> None:
    """Whatever the order in which the markets were met."""
    breakers = Breakers()
    trip(breakers)
    trip(breakers, B)
    breakers.force_retry(B, NOW + 10 * S)
    assert breakers.due_ns() == NOW + 10 * S
    assert breakers.due(NOW + 3600 * S) == (B, Lane.ENTRY)


def test_a_probe_that_never_comes_back_opens_it_again() -> None:
    """The lease is over after thirty seconds."""
    breakers = Breakers()
    trip(breakers)
    due_ns = breakers.due_ns()
    assert due_ns is not None
    breakers.lend(A, Lane.ENTRY, due_ns)
    assert breakers.expire(due_ns + 30 * S, 0.5) == []
    (change,) = breakers.expire(due_ns + 31 * S, 0.5)
    assert (change.after, change.trips) == (BreakerState.OPEN, 2)


def test_by_hand_each_command_may_be_repeated() -> None:
    """The second one changes nothing and says nothing."""
    breakers = Breakers()
    (change,) = breakers.isolate(A, Lane.ENTRY, "ann", NOW)
    assert (change.caller, change.cause) == ("ann", "isolated by ann")
    assert breakers.isolate(A, Lane.ENTRY, "bob", NOW) == ()
    (again,) = breakers.isolate(A, Lane.ENTRY, "bob", NOW, again=True)  # nobody knows whether the disk has the first
    assert (again.after, again.cause) == (change.after, change.cause)
    assert [change.lane for change in breakers.reset(A, None, "bob", NOW)] == [Lane.ENTRY]
    assert breakers.reset(A, None, "bob", NOW) == []
    assert breakers.reset(A, Lane.ENTRY, "bob", NOW) == []
    (again,) = breakers.reset(A, Lane.ENTRY, "bob", NOW, again=True)
    assert again.after is BreakerState.CLOSED
    breakers.isolate(A, Lane.EXIT, "ann", NOW)
    breakers.isolate(A, Lane.ENTRY, "ann", NOW)
    assert [change.lane for change in breakers.reset(A, Lane.EXIT, "bob", NOW)] == [Lane.EXIT]
    assert breakers.held(A)


def test_a_forced_retry_makes_every_open_lane_due() -> None:
    """Of that market alone."""
    breakers = Breakers()
    trip(breakers)
    trip(breakers, B)
    breakers.force_retry(A, NOW + 10 * S)
    assert breakers.due(NOW + 10 * S) == (A, Lane.ENTRY)
    breakers.lend(A, Lane.ENTRY, NOW + 10 * S)
    assert breakers.due(NOW + 10 * S) is None


def test_failures_of_a_local_fault_are_forgiven() -> None:
    """They were not the market's."""
    breakers = Breakers()
    for number in range(4):
        breakers.ended(A, Lane.ENTRY, BAD, NOW + number)
    breakers.forgive(NOW)
    assert breakers.ended(A, Lane.ENTRY, BAD, NOW + 5) == ()


def told(breakers: Breakers, events: list[BreakerChanged]) -> Breakers:
    """Return `breakers` after they heard of the events, among others."""
    other: Event = Noted(kind="x", severity=Severity.INFO, market=A, message="", at_ns=NOW)
    for event in [other, *events]:
        breakers.observe(event)
    return breakers


def test_after_a_restart_it_is_open_until_the_same_moment() -> None:
    """From the journal, and from a checkpoint of it."""
    before = Breakers()
    changes = trip(before)
    after = told(Breakers(), changes)
    resumed = Breakers()
    resumed.resume(after.checkpoint())
    for known in (after, resumed):
        assert known.due_ns() == before.due_ns()
        assert known.held(A) == before.held(A)
        assert known.of(A, Lane.ENTRY).trips == 1


def test_a_restart_knows_how_often_it_was_open_and_keeps_to_the_terms_of_now() -> None:
    """One that has closed is remembered for its trips, one that a person isolated for that."""
    before = Breakers()
    changes = trip(before)
    lease, lent = before.lend(A, Lane.ENTRY, NOW + 1000 * S)
    changes += [
        *lent,
        *before.probed(A, Lane.ENTRY, lease, WELL, NOW + 1001 * S),
        *before.isolate(B, Lane.EXIT, "ann", NOW),
    ]
    resumed = Breakers(BreakerTerms(in_a_row=2))
    resumed.isolate(B, Lane.ENTRY, "of another journal", NOW)
    resumed.resume(told(Breakers(), changes).checkpoint())
    assert {(market, lane): breaker.state for market, lane, breaker in resumed} == {
        (A, Lane.ENTRY): BreakerState.CLOSED,
        (B, Lane.EXIT): BreakerState.ISOLATED,
    }
    assert resumed.ended(A, Lane.ENTRY, BAD, NOW + 1002 * S) == ()
    (change,) = resumed.ended(A, Lane.ENTRY, BAD, NOW + 1003 * S)
    assert (change.after, change.trips) == (BreakerState.OPEN, 2)


def test_a_clock_that_was_set_back_between_two_lives_makes_no_cool_down_longer() -> None:
    """It begins anew; one whose clock went on keeps its moment, and what a person isolated stays."""
    before = Breakers()
    changes = trip(before)
    due_ns = before.due_ns()
    assert due_ns is not None
    opened_ns = before.of(A, Lane.ENTRY).since_ns
    changes += before.isolate(A, Lane.EXIT, "ann", opened_ns)
    for begins_ns, due in ((opened_ns - 1, due_ns - 1), (opened_ns + 1, due_ns), (opened_ns - 10**18, due_ns - 10**18)):
        after = told(Breakers(), changes)
        after.begin(begins_ns)
        assert after.due_ns() == due
        assert after.of(A, Lane.EXIT).state is BreakerState.ISOLATED


def test_a_probe_that_was_out_when_the_daemon_died_is_due_at_once() -> None:
    """Nobody will bring its result."""
    before = Breakers()
    changes = trip(before)
    due_ns = before.due_ns()
    assert due_ns is not None
    changes += before.lend(A, Lane.ENTRY, due_ns)[1]
    after = told(Breakers(), changes)
    assert after.of(A, Lane.ENTRY).state is BreakerState.OPEN
    assert after.due_ns() == due_ns


def test_a_checkpoint_leaves_out_what_is_as_new() -> None:
    """A market that never had trouble takes no room."""
    breakers = Breakers()
    breakers.ended(A, Lane.ENTRY, WELL, NOW)
    assert breakers.checkpoint() == b"[]"
    assert [lane for _, lane, _ in breakers] == [Lane.ENTRY]
