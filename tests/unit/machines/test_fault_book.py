"""What is due because of an error, what was due before, and how much is remembered."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.fault_book import LONGEST, MOST_ERRORS, QUIET_NS, WINDOW_MINUTES, Fault, FaultBook
from kangbot.machines.faults import DEFAULTS, Action, Gravity, Kind, Operation, Rule
from kangbot.model.ids import MarketId

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
ANN, BOB = MarketId("v:ANN"), MarketId("v:BOB")


def fault(kind: Kind, market: MarketId | None = ANN, operation: Operation = Operation.ENTRY) -> Fault:
    """Return an error of that kind."""
    return Fault(kind=kind, operation=operation, market=market, message=f"some {kind}")


def test_a_connection_is_tried_five_times_before_a_person_is_told_once() -> None:
    """The sixth failure in a row is news, the seventh is not."""
    book = FaultBook(DEFAULTS)
    due = [book.met(fault(Kind.CONNECTION), at).action for at in range(8)]
    assert due == [None] * 5 + [Action.ALERT] + [None] * 2


def test_a_success_ends_an_episode_and_says_how_much_there_was() -> None:
    """And the next failure is told anew."""
    book = FaultBook(DEFAULTS)
    told = [book.met(fault(Kind.TIMEOUT), 7 + at).told for at in range(3)]
    over = book.well(ANN, Operation.ENTRY)
    assert told == [False, True, True]
    assert over is not None
    assert (over.count, over.since_ns) == (3, 7)
    assert book.well(ANN, Operation.ENTRY) is None
    assert book.met(fault(Kind.TIMEOUT), 20).told is False


def test_kinds_that_take_turns_are_told_once_each() -> None:
    """Else two errors that alternate would fill the disk."""
    book = FaultBook(DEFAULTS)
    kinds = [Kind.TIMEOUT, Kind.AMBIGUOUS] * 10
    assert sum(not book.met(fault(kind), at).told for at, kind in enumerate(kinds)) == 2


def test_an_alert_is_due_once_an_episode() -> None:
    """An unknown error is told to a person, and not told again while it lasts."""
    book = FaultBook(DEFAULTS)
    assert [book.met(fault(Kind.UNKNOWN), at).action for at in range(3)] == [Action.ALERT, None, None]


def test_a_market_without_money_does_not_enter_for_a_while() -> None:
    """It alone; what fails meanwhile prolongs it without being told again."""
    book = FaultBook(DEFAULTS)
    assert book.met(fault(Kind.INSUFFICIENT_BALANCE), 0).action is Action.PAUSE
    assert book.held(ANN, 299 * SECOND_NS) == "insufficient_balance: some insufficient_balance"
    assert book.held(BOB, 299 * SECOND_NS) == ""
    assert book.met(fault(Kind.INSUFFICIENT_BALANCE), 100 * SECOND_NS).action is None
    assert book.until_ns() == 400 * SECOND_NS
    assert book.held(ANN, 399 * SECOND_NS)
    assert book.held(ANN, 400 * SECOND_NS) == ""


def test_a_shorter_hold_does_not_cut_a_longer_one() -> None:
    """A rate limit of 30 s within a pause of 300 s."""
    book = FaultBook(DEFAULTS)
    book.met(fault(Kind.INSUFFICIENT_BALANCE), 0)
    assert book.met(fault(Kind.RATE_LIMIT), 0).action is None
    assert book.until_ns() == 300 * SECOND_NS
    book.met(fault(Kind.RATE_LIMIT, BOB), 0)
    assert book.until_ns() == 30 * SECOND_NS, "the next that ends"


def test_a_longer_pause_of_another_kind_is_due_while_something_holds() -> None:
    """A key that has ended within a pause for want of money; where the same is met again it is known."""
    book = FaultBook(DEFAULTS)
    book.met(fault(Kind.RATE_LIMIT), 0)
    assert book.met(fault(Kind.INSUFFICIENT_BALANCE), 0).action is Action.PAUSE
    assert book.met(fault(Kind.INSUFFICIENT_BALANCE), SECOND_NS).action is None
    assert book.met(fault(Kind.AUTHENTICATION), SECOND_NS).action is Action.PAUSE
    assert book.held(ANN, SECOND_NS) == "authentication: some authentication"
    assert book.met(fault(Kind.INSUFFICIENT_BALANCE), SECOND_NS).action is None, "it is shorter"
    assert book.until_ns() == 601 * SECOND_NS


def test_a_hold_that_is_over_is_due_anew() -> None:
    """Though nobody has asked yet who may enter again."""
    book = FaultBook(DEFAULTS)
    due = [book.met(fault(Kind.RATE_LIMIT), at * SECOND_NS).action for at in (0, 29, 59, 60)]
    assert due == [Action.BACKOFF, None, Action.BACKOFF, None]


def test_what_befalls_the_account_holds_every_market() -> None:
    """A key that is refused is refused for all."""
    book = FaultBook(DEFAULTS)
    book.met(fault(Kind.AUTHENTICATION, market=None, operation=Operation.RECONCILE), 0)
    assert book.held(ANN, 1) == book.held(BOB, 1) != ""
    assert book.released(599 * SECOND_NS) == []
    assert book.released(600 * SECOND_NS) == [None]
    assert book.until_ns() is None


def test_a_person_ends_a_hold_of_a_market() -> None:
    """And is told where there was none."""
    book = FaultBook(DEFAULTS)
    book.met(fault(Kind.RATE_LIMIT), 0)
    assert book.forgive(ANN)
    assert book.held(ANN, 1) == ""
    assert not book.forgive(ANN)


def test_a_hold_of_an_earlier_life_goes_on() -> None:
    """Until the same moment, and with its reason."""
    first, second = FaultBook(DEFAULTS), FaultBook(DEFAULTS)
    first.met(fault(Kind.INSUFFICIENT_BALANCE), 0)
    hold = first.hold(ANN, 1)
    assert hold is not None
    second.restore(hold)
    assert second.held(ANN, 299 * SECOND_NS) == first.held(ANN, 299 * SECOND_NS) != ""
    assert second.held(ANN, 300 * SECOND_NS) == ""


def test_the_books_are_compared_at_most_once_in_a_while() -> None:
    """An order that is not found is asked for every second; the account is not."""
    book = FaultBook(DEFAULTS)
    due = [book.met(fault(Kind.NOT_FOUND), at * SECOND_NS).action for at in (0, 1, 9, 10, 11)]
    assert due == [Action.RESET, None, None, Action.RESET, None]


def test_a_rule_of_the_configuration_is_followed() -> None:
    """A kind that ends the daemon does so once."""
    rule = Rule(severity=Gravity.CRITICAL, action=Action.SHUTDOWN)
    book = FaultBook({**DEFAULTS, Kind.REFUSED: rule})
    verdicts = [book.met(fault(Kind.REFUSED), at) for at in range(2)]
    assert [verdict.action for verdict in verdicts] == [Action.SHUTDOWN, None]
    assert verdicts[0].rule is rule


def test_counts_are_of_the_last_quarter_of_an_hour_and_of_all() -> None:
    """By kind and market, what came of late first."""
    book = FaultBook(DEFAULTS)
    for minute in range(20):
        book.met(fault(Kind.TIMEOUT), minute * MINUTE_NS)
        book.met(fault(Kind.TIMEOUT), minute * MINUTE_NS + 1)
    book.met(fault(Kind.UNKNOWN, BOB), 19 * MINUTE_NS)
    first, second = book.tallies(19 * MINUTE_NS)
    assert (first.kind, first.market, first.recent, first.total) == (Kind.TIMEOUT, ANN, 2 * WINDOW_MINUTES, 40)
    assert (second.severity, second.recent, second.message) == (Gravity.HIGH, 1, "some unknown")
    assert [tally.recent for tally in book.tallies(40 * MINUTE_NS)] == [0, 0]


def test_an_outage_of_every_market_is_one_error_for_as_long_as_it_lasts() -> None:
    """However it is met, however often, and after a quarter of an hour as well."""
    book, kinds = FaultBook(DEFAULTS), (Kind.TIMEOUT, Kind.CONNECTION, Kind.FEED)
    markets = [MarketId(f"v:{number}") for number in range(27)]
    for second in range(0, 20 * 60, 60):
        for number, market in enumerate(markets):
            at_ns = (second + number) * SECOND_NS
            book.met(fault(kinds[number % 3], market, Operation.DATA), at_ns)
            assert book.errors(at_ns) == {Kind.TIMEOUT: 1}
    assert book.errors((second + 26 + 15 * 60) * SECOND_NS) == {}


def test_a_call_that_fails_every_other_time_is_an_error_each_time() -> None:
    """A success ends one; so does a while in which nothing was tried."""
    book = FaultBook(DEFAULTS)
    for minute in range(3):
        book.met(fault(Kind.UNKNOWN), minute * MINUTE_NS)
        book.well(ANN, Operation.ENTRY)
    assert book.errors(3 * MINUTE_NS) == {Kind.UNKNOWN: 3}
    book.met(fault(Kind.JOURNAL), 3 * MINUTE_NS)
    book.met(fault(Kind.JOURNAL), 3 * MINUTE_NS + QUIET_NS)
    book.met(fault(Kind.JOURNAL), 3 * MINUTE_NS + 2 * QUIET_NS + 1)
    assert book.errors(8 * MINUTE_NS) == {Kind.UNKNOWN: 3, Kind.JOURNAL: 2}


def test_kinds_that_have_nothing_to_do_with_each_other_are_errors_of_their_own() -> None:
    """And so is the same kind where it begins elsewhere later on."""
    book = FaultBook(DEFAULTS)
    book.met(fault(Kind.FALL), 0)
    book.met(fault(Kind.TIMEOUT), 0)
    book.met(fault(Kind.FALL, BOB), 11 * SECOND_NS)
    assert book.errors(MINUTE_NS) == {Kind.FALL: 2, Kind.TIMEOUT: 1}


def test_more_errors_than_anybody_counts_take_no_more_room() -> None:
    """A hundred is as bad as a thousand."""
    book = FaultBook(DEFAULTS)
    for number in range(3 * MOST_ERRORS):
        book.met(fault(Kind.UNKNOWN), number * SECOND_NS)
        book.met(fault(Kind.FALL), number * SECOND_NS)
        book.well(ANN, Operation.ENTRY)
    assert sum(book.errors(number * SECOND_NS).values()) <= MOST_ERRORS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Kind),
            st.sampled_from([ANN, BOB, None]),
            st.sampled_from(Operation),
            st.integers(0, 10**12),
            st.booleans(),
        ),
        max_size=200,
    )
)
def test_memory_is_bounded_and_no_total_is_lost(
    calls: list[tuple[Kind, MarketId | None, Operation, int, bool]],
) -> None:
    """Whatever fails, in whatever order: a hold is never longer than its rule, counts add up, messages are cut."""
    book, now_ns, met = FaultBook(DEFAULTS), 0, 0
    longest_ns = max(rule.wait_ns for rule in DEFAULTS.values())
    for kind, market, operation, later_ns, well in calls:
        now_ns += later_ns
        if well:
            book.well(market, operation)
            continue
        met += 1
        book.met(msgspec.structs.replace(fault(kind, market, operation), message="x" * 5000), now_ns)
        until_ns = book.until_ns()
        assert until_ns is None or until_ns <= now_ns + longest_ns
    book.released(now_ns)
    assert book.held(ANN, now_ns + longest_ns) == ""
    tallies = book.tallies(now_ns)
    assert sum(tally.total for tally in tallies) == met
    assert all(tally.recent <= tally.total and len(tally.message) <= LONGEST for tally in tallies)
    assert len(tallies) <= 3 * len(Kind)


def test_a_pause_that_comes_again_until_the_operation_works_is_one() -> None:
    """However often it has run out; it is over once nothing holds the entries any more either."""
    book, wait_ns = FaultBook(DEFAULTS), 300 * SECOND_NS
    poor = fault(Kind.INSUFFICIENT_BALANCE)
    news = []
    for at_ns in (0, 3600 * SECOND_NS, 7200 * SECOND_NS):
        assert book.met(poor, at_ns).action is Action.PAUSE
        news.append(book.pauses(poor))
        assert list(book.released(at_ns + wait_ns)) == [ANN]
        assert book.pauses_over(ANN, at_ns + wait_ns) == ()
    assert news == [True, False, False]
    book.met(poor, 8000 * SECOND_NS)
    book.well(ANN, Operation.ENTRY)
    assert book.pauses_over(ANN, 8001 * SECOND_NS) == (), "the hold lasts"
    assert book.pauses_over(BOB, 9000 * SECOND_NS) == ()
    assert book.pauses_over(ANN, 9000 * SECOND_NS) == (Kind.INSUFFICIENT_BALANCE,)
    assert book.pauses_over(ANN, 9000 * SECOND_NS) == ()
    book.met(poor, 9001 * SECOND_NS)
    assert book.pauses(poor)


def test_a_pause_is_over_because_somebody_says_so() -> None:
    """That market's alone, once for each kind; if it comes again, it is news."""
    book = FaultBook(DEFAULTS)
    poor = fault(Kind.INSUFFICIENT_BALANCE)
    for one in (poor, fault(Kind.INSUFFICIENT_BALANCE, operation=Operation.EXIT), fault(Kind.AUTHENTICATION, None)):
        assert book.pauses(one)
    assert book.pardon(ANN) == (Kind.INSUFFICIENT_BALANCE,)
    assert book.pardon(ANN) == ()
    assert book.pauses(poor)
    assert book.pardon(None) == (Kind.AUTHENTICATION,)
