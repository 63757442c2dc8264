"""One order: the table, what is learnt, and in which orders it can be learnt."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.order import ABSENCE_GAP_NS, ImpossibleError, Order, advance, begin, worst_case
from kangbot.machines.order_table import TABLE, Sign
from kangbot.machines.order_words import (
    Absent,
    Answered,
    Asked,
    CancelAsked,
    CancelSent,
    Doubted,
    Duplicate,
    Filled,
    Learnt,
    Lost,
    RefusedByVenue,
    Reported,
    Restarted,
    Sent,
    Withheld,
)
from kangbot.model.orders import Evidence, OrderStatus
from tests.support.trade_words import MARGIN, SECOND, START, WINDOW, dec, fill, intent, report

S = OrderStatus
SETTLE = START + WINDOW + MARGIN


def learn(order: Order, *learnt: Learnt, at_ns: int = START + SECOND) -> Order:
    """Advance by each of `learnt`, all at one time."""
    for one in learnt:
        order = advance(order, one, at_ns)
    return order


def fresh() -> Order:
    """Return an order of 1 that has just been intended."""
    return begin(intent(), MARGIN)


def sent() -> Order:
    """Return an order that is on its way."""
    return learn(fresh(), Sent(SETTLE), at_ns=START)


def lost() -> Order:
    """Return an order of which nobody knows what became."""
    return learn(sent(), Lost("no answer in time"))


def standing(status: OrderStatus) -> Order:
    """Return an order of each status, brought there as it would come there in life."""
    match status:
        case S.INTENT:
            return fresh()
        case S.SENT:
            return sent()
        case S.UNKNOWN:
            return lost()
        case S.NOT_ACCEPTED:
            return learn(fresh(), Withheld("cancelled before it left"))
        case S.REJECTED:
            return learn(sent(), RefusedByVenue("110007", "no money"))
        case S.PARTIAL:
            return learn(sent(), Reported(report(S.PARTIAL, "0.4")))
        case S.FILLED:
            return learn(sent(), Reported(report(S.FILLED, 1)))
        case _:
            return learn(sent(), Reported(report(status)))


# ---------------------------------------------------------------------------------------------------------- the table
def test_an_order_that_somebody_made_larger_is_over_when_that_is_filled() -> None:
    """Until then it rests at the venue, whatever was intended, and may still buy as much."""
    larger = Reported(report(S.PARTIAL, 1, quantity=3))
    filled = learn(sent(), Filled(fill("e1", 1)))
    assert (filled.status, worst_case(filled)) == (S.FILLED, dec(0))
    for order in (learn(sent(), larger), learn(filled, larger), learn(sent(), Filled(fill("e1", "0.5")), larger)):
        assert (order.status, order.quantity, order.settled) == (S.PARTIAL, dec(3), False)
        assert worst_case(order) >= 2
        assert learn(order, Reported(report(S.PARTIAL, 1))).quantity == 3, (
            "an older report does not make it small again"
        )
        assert learn(order, Reported(report(S.FILLED, 3, quantity=3))).status is S.FILLED
    canceled = learn(filled, Reported(report(S.CANCELED, 1, quantity=3)))
    assert (canceled.status, canceled.settled, worst_case(canceled)) == (S.FILLED, True, dec(0))
    told = learn(sent(), Reported(report(S.FILLED, 1)), Filled(fill("e1", 1)))
    assert learn(told, larger).status is S.FILLED  # the venue itself had said the end of it


def test_a_journal_that_does_not_tell_how_large_an_order_was_made_tells_how_much_is_filled() -> None:
    """So much may change the position still, whatever was intended."""
    larger = learn(sent(), Reported(report(S.PARTIAL, 2, quantity=3)), Filled(fill("e1", "0.5")))
    recalled = learn(msgspec.structs.replace(larger, amended=dec(0)), Restarted(SETTLE))
    assert (recalled.status, recalled.quantity, worst_case(recalled)) == (S.UNKNOWN, dec(1), dec("1.5"))


@pytest.mark.parametrize("status", list(S))
def test_what_the_table_does_not_have_raises(status: OrderStatus) -> None:
    """For every status there is a sign that cannot be, and it leaves the order as it was."""
    impossible: dict[Sign, Learnt] = {
        Sign.SENT: Sent(SETTLE),
        Sign.WITHHELD: Withheld(""),
        Sign.RESTARTED: Restarted(SETTLE),
    }
    order = standing(status)
    for sign, learnt in impossible.items():
        if (status, sign) in TABLE:
            continue
        with pytest.raises(ImpossibleError, match=f"is {status.value} and cannot be {sign.name.lower()}") as caught:
            advance(order, learnt, START)
        assert caught.value.remedy


def test_an_order_that_never_left_cannot_be_reported() -> None:
    """A report under an id that was never sent means that somebody else uses our ids."""
    with pytest.raises(ImpossibleError, match="is intent and cannot be acked"):
        advance(fresh(), Reported(report(S.ACKED)), START)


@pytest.mark.parametrize("status", [S.INTENT, S.SENT, S.UNKNOWN, S.NOT_ACCEPTED])
def test_a_venue_cannot_report_our_own_states(status: OrderStatus) -> None:
    """A decoder that says so is at fault."""
    with pytest.raises(ImpossibleError, match="which no venue says"):
        advance(sent(), Reported(report(status)), START)


# ------------------------------------------------------------------------------------------------------- a plain life
def test_an_order_lives_its_life() -> None:
    """Intent, sent, acknowledged, partly filled, filled; the average is exact."""
    order = sent()
    assert (order.status, order.sends, worst_case(order)) == (S.SENT, 1, dec(1))
    assert (fresh().missing, order.restarted) == (False, False), "the same id may leave once more"
    assert order.average is None
    order = learn(order, Answered(report(S.ACKED)))
    assert (order.status, order.evidence, order.venue_order_id, order.seen) == (S.ACKED, Evidence.ANSWER, "v1", True)
    order = learn(order, Filled(fill("e1", "0.3", "100.1")))
    assert (order.status, order.filled, worst_case(order)) == (S.PARTIAL, dec("0.3"), dec("0.7"))
    order = learn(order, Filled(fill("e2", "0.7", "100.2")))
    assert (order.status, order.evidence, order.filled, order.settled) == (S.FILLED, Evidence.FILLS, dec(1), True)
    assert order.average == dec("100.17")
    assert worst_case(order) == 0


def test_a_reported_fill_is_owed_its_executions() -> None:
    """FILLED by report counts in exposure, and is not settled, until the executions are there."""
    order = learn(sent(), Reported(report(S.FILLED, 1)))
    assert (order.status, order.settled, order.average, worst_case(order)) == (S.FILLED, False, None, dec(1))
    order = learn(order, Filled(fill("e1", "0.5")))
    assert (order.status, order.average, worst_case(order)) == (S.FILLED, None, dec("0.5"))
    assert learn(order, Filled(fill("e2", "0.5"))).settled


def test_a_reduced_order_may_be_filled_below_its_quantity() -> None:
    """Venues cut reduce-only orders to the position: the venue's FILLED counts, not the sum."""
    order = learn(sent(), Reported(report(S.FILLED, "0.6")), Filled(fill("e1", "0.6")))
    assert (order.status, order.settled, order.average, worst_case(order)) == (S.FILLED, True, dec(100), dec(0))
    assert learn(order, Reported(report(S.ACKED)), Reported(report(S.PARTIAL, "0.3"))).status is S.FILLED


def test_an_acknowledgement_with_fills_is_a_partial_fill() -> None:
    """Some venues never say PARTIAL; and with all that was ordered it is filled, whatever they call it."""
    assert learn(sent(), Reported(report(S.ACKED, "0.2"))).status is S.PARTIAL
    for named in (S.ACKED, S.PARTIAL, S.CANCELED, S.EXPIRED):
        assert learn(sent(), Reported(report(named, "0.999"))).status is not S.FILLED
        assert learn(sent(), Reported(report(named, 1))).status is S.FILLED


# ------------------------------------------------------------------------------------------ late, repeated, shuffled
def test_a_late_acknowledgement_changes_nothing() -> None:
    """After FILLED, CANCELED or a partial fill, an ACKED is history; filled quantity never decreases."""
    for status, filled in ((S.FILLED, 1), (S.CANCELED, "0.4"), (S.PARTIAL, "0.4"), (S.REJECTED, 0), (S.EXPIRED, 0)):
        order = learn(sent(), Reported(report(status, filled)))
        later = learn(order, Reported(report(S.ACKED)), Answered(report(S.ACKED)))
        assert (later.status, later.filled, later.evidence) == (status, dec(filled), Evidence.STREAM)


def test_fills_after_a_cancel_are_accepted() -> None:
    """CANCELED with fills still coming takes them, and stays CANCELED; the last one makes it FILLED."""
    order = learn(sent(), Reported(report(S.CANCELED, "0.6")))
    assert worst_case(order) == dec("0.6")
    order = learn(order, Filled(fill("e1", "0.6")))
    assert (order.status, order.settled) == (S.CANCELED, True)
    assert learn(order, Filled(fill("e2", "0.4"))).status is S.FILLED
    assert learn(order, Reported(report(S.FILLED, 1))).status is S.FILLED


def test_the_cancel_and_fill_race_ends_the_same_in_all_its_orders() -> None:
    """Answer, partial fill, cancel and its report: 24 orders of arrival, one end."""
    news: list[Learnt] = [
        Answered(report(S.ACKED)),
        Filled(fill("e1", "0.4")),
        Reported(report(S.PARTIAL, "0.4")),
        Reported(report(S.CANCELED, "0.4")),
    ]
    ends = {
        (order.status, order.filled, order.executed, order.settled)
        for shuffled in permutations(news)
        for order in [learn(learn(sent(), CancelAsked()), *shuffled)]
    }
    assert ends == {(S.CANCELED, dec("0.4"), dec("0.4"), True)}


def test_a_partial_fill_that_is_rejected_later_is_cancelled() -> None:
    """What was filled stands."""
    order = learn(sent(), Filled(fill("e1", "0.4")), Reported(report(S.REJECTED)))
    assert (order.status, order.filled) == (S.CANCELED, dec("0.4"))


def test_a_report_of_another_venue_order_says_nothing_of_ours() -> None:
    """The terminal event of an earlier venue id must not end the order."""
    order = learn(sent(), Reported(report(S.ACKED, venue_order_id="v2")))
    assert learn(order, Reported(report(S.CANCELED, "0.5", venue_order_id="v1"))) == order


@given(st.lists(st.sampled_from(["0.1", "0.2", "0.3"]), max_size=5), st.randoms(use_true_random=False))
def test_any_order_of_arrival_comes_to_the_same_end(parts: list[str], chance: object) -> None:
    """Fills, their reports (some twice) and the last report, shuffled: same status, same quantities."""
    news: list[Learnt] = [Answered(report(S.ACKED))]
    total = dec(0)
    for part in parts:
        total = min(total + dec(part), dec(1))
        news.append(Reported(report(S.PARTIAL if total < 1 else S.FILLED, str(total))))
    filled, executed = total, dec(0)
    for index, part in enumerate(parts):
        quantity = min(dec(part), filled - executed)
        executed += quantity
        if quantity:
            news.append(Filled(fill(f"e{index}", str(quantity))))
    news.append(Reported(report(S.CANCELED if total < 1 else S.FILLED, str(total))))
    news.extend(one for one in tuple(news) if isinstance(one, Reported))
    chance.shuffle(news)  # type: ignore[attr-defined]
    order = learn(sent(), *news)
    assert (order.status, order.filled, order.settled) == (S.CANCELED if total < 1 else S.FILLED, total, True)


# ------------------------------------------------------------------------------------------------- row by row
_OPEN = (S.SENT, S.ACKED, S.PARTIAL, S.UNKNOWN)
_REPORTED = (S.ACKED, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED)


@pytest.mark.parametrize("status", _OPEN)
@pytest.mark.parametrize("reported", _REPORTED)
def test_an_open_order_is_what_the_venue_reports(status: OrderStatus, reported: OrderStatus) -> None:
    """It does not go back: what was filled stands, and what is refused after that was cancelled."""
    filled = {S.PARTIAL: "0.5", S.FILLED: "1"}.get(reported, "0")
    order = learn(standing(status), Reported(report(reported, filled)))
    kept = {(S.PARTIAL, S.ACKED): S.PARTIAL, (S.PARTIAL, S.REJECTED): S.CANCELED}
    assert order.status is kept.get((status, reported), reported)
    assert order.evidence is Evidence.STREAM


def test_a_partial_fill_of_nothing_that_is_acknowledged_stays_one() -> None:
    """Some venues name the status before they name the quantity."""
    assert learn(sent(), Reported(report(S.PARTIAL)), Reported(report(S.ACKED))).status is S.PARTIAL


@pytest.mark.parametrize("status", [S.ACKED, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED])
@pytest.mark.parametrize("answer", [Lost("no answer in time"), RefusedByVenue("110007", "no money")])
def test_an_answer_to_our_request_takes_nothing_back(status: OrderStatus, answer: Learnt) -> None:
    """The push was quicker than the answer, or the answer is to a second copy."""
    order, after = standing(status), learn(standing(status), answer)
    assert (after.status, after.evidence) == (status, order.evidence)


@pytest.mark.parametrize("status", [S.SENT, S.ACKED, S.PARTIAL, S.UNKNOWN, *(s for s in S if s.terminal)])
def test_a_duplicate_makes_an_order_live_that_was_not_known_to(status: OrderStatus) -> None:
    """What is known of it already stays; a venue keeps the id of an order that its engine refused, too."""
    live = (S.SENT, S.UNKNOWN, S.NOT_ACCEPTED)
    assert learn(standing(status), Duplicate("110072", "")).status is (S.ACKED if status in live else status)


@pytest.mark.parametrize("status", [S.SENT, S.ACKED, S.PARTIAL, S.UNKNOWN, *(s for s in S if s.terminal)])
def test_an_execution_is_taken_whatever_was_believed(status: OrderStatus) -> None:
    """A part leaves an end that the venue reported as it is; the whole is the whole."""
    stays = (S.FILLED, S.CANCELED, S.EXPIRED)
    part = learn(standing(status), Filled(fill("e1", "0.5")))
    assert part.status is (status if status in stays else S.PARTIAL)
    assert learn(part, Filled(fill("e2", "0.5"))).status is S.FILLED


# ------------------------------------------------------------------------------------------------------------ unknown
def test_a_lost_answer_is_unknown_and_counts_in_full() -> None:
    """UNKNOWN reserves its worst case, and remembers since when."""
    order = lost()
    assert (order.status, order.evidence, order.unknown_since_ns) == (S.UNKNOWN, Evidence.NONE, START + SECOND)
    assert (order.message, order.changed_ns) == ("no answer in time", START + SECOND)
    assert worst_case(order) == dec(1)
    again = learn(order, Lost("again"), at_ns=START + 2 * SECOND)
    assert again.unknown_since_ns == START + SECOND


def test_a_lost_answer_takes_nothing_back() -> None:
    """The push was quicker than the answer that never came."""
    order = learn(sent(), Reported(report(S.ACKED)))
    assert learn(order, Lost("no answer in time")) == order


@pytest.mark.parametrize("status", [S.ACKED, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED])
def test_unknown_is_resolved_by_any_report(status: OrderStatus) -> None:
    """Found by its client id, it is what it is found to be."""
    filled = {S.PARTIAL: "0.5", S.FILLED: "1"}.get(status, "0")
    asked = learn(absent(lost(), SETTLE + SECOND), Asked())
    order = learn(asked, Reported(report(status, filled, evidence=Evidence.QUERY)))
    assert (order.status, order.evidence, order.unknown_since_ns) == (status, Evidence.QUERY, 0)
    assert (order.asks, order.absences, order.missing) == (0, 0, False)


def test_unknown_is_resolved_by_a_fill_and_asked_about() -> None:
    """A fill proves that it lived; whether more of it is open is asked."""
    order = learn(lost(), Filled(fill("e1", "0.5")))
    assert (order.status, order.doubted, order.venue_order_id) == (S.PARTIAL, True, "v1")
    assert learn(order, Filled(fill("e2", "0.1"))).doubted
    assert not learn(sent(), Filled(fill("e1", "0.5"))).doubted, "its answer is still to come"
    assert not learn(order, Reported(report(S.PARTIAL, "0.5"))).doubted
    assert not learn(order, Filled(fill("e2", "0.5"))).doubted


def test_a_duplicate_proves_existence_and_is_asked_about() -> None:
    """The venue has it; how it stands nobody said."""
    order = learn(lost(), Duplicate("110072", "OrderLinkedID is duplicate"))
    assert (order.status, order.evidence, order.seen, order.doubted) == (S.ACKED, Evidence.DUPLICATE_ID, True, True)
    assert (order.code, order.message) == ("110072", "OrderLinkedID is duplicate")
    known = learn(sent(), Answered(report(S.ACKED)), Duplicate("110072", ""))
    assert not known.doubted
    assert learn(known, Doubted(), Duplicate("110072", "")).doubted
    assert not learn(standing(S.REJECTED), Duplicate("110072", "")).doubted
    found = learn(order, Reported(report(S.ACKED, evidence=Evidence.QUERY)))
    assert (found.evidence, found.doubted) == (Evidence.QUERY, False)


def test_a_refused_second_copy_says_nothing_of_the_first() -> None:
    """UNKNOWN stays UNKNOWN: only the first copy's answer can reject."""
    order = learn(lost(), Sent(SETTLE + SECOND), RefusedByVenue("110007", "no money"))
    assert (order.status, order.sends, order.settle_ns) == (S.UNKNOWN, 2, SETTLE + SECOND)


def test_a_second_copy_waits_for_its_own_answer() -> None:
    """That the first was not found says nothing of it: no third leaves by that."""
    again = learn(absent(lost(), START + 2 * SECOND), Sent(SETTLE))
    assert (again.status, again.missing) == (S.UNKNOWN, False)


def test_the_window_of_the_intent_is_the_least_that_absence_waits_for() -> None:
    """Whatever a send says of its own."""
    assert learn(fresh(), Sent(START)).settle_ns == SETTLE


def absent(order: Order, *asked_ns: int) -> Order:
    """Return the order after "not found" to questions asked then, each answered 10 ms later."""
    for at_ns in asked_ns:
        order = advance(order, Absent(at_ns), at_ns + 10_000_000)
    return order


def test_absence_proves_nothing_before_the_margin_has_passed() -> None:
    """However often: the venue may still accept it."""
    order = absent(lost(), *(START + part * SECOND for part in (2, 3, 4, 5, 6, 7)))
    assert (order.status, order.absences, order.missing) == (S.UNKNOWN, 0, True)


def test_two_absences_a_second_apart_prove_it() -> None:
    """One is not enough, nor are two at once."""
    first = SETTLE + 1
    once = absent(lost(), first)
    assert (once.status, once.absences) == (S.UNKNOWN, 1)
    close = absent(once, first + ABSENCE_GAP_NS)  # its answer came 10 ms later: not yet a second
    assert (close.status, close.absences) == (S.UNKNOWN, 1)
    proved = absent(close, first + 2 * ABSENCE_GAP_NS)
    assert (proved.status, proved.evidence, proved.settled) == (S.NOT_ACCEPTED, Evidence.ABSENCE, True)
    assert worst_case(proved) == 0


def test_a_sign_of_life_a_second_copy_or_a_doubt_voids_the_absences() -> None:
    """The proof begins anew."""
    once = absent(lost(), SETTLE + 1)
    assert learn(once, Doubted()).absences == 0
    assert learn(once, Sent(SETTLE + 9 * SECOND)).absences == 0
    part = learn(once, Filled(fill("e1", "0.1")), at_ns=SETTLE + 2 * SECOND)
    assert part.absences == 0
    part = learn(part, Filled(fill("e2", "0.1")), at_ns=SETTLE + 4 * SECOND)
    assert absent(part, SETTLE + 4 * SECOND - 1).absences == 0, "it was asked for before the fill"
    assert absent(part, SETTLE + 4 * SECOND).absences == 1


def test_absence_of_what_is_not_in_question_is_ignored() -> None:
    """An answer that comes after the order was found elsewhere."""
    order = learn(lost(), Reported(report(S.ACKED)))
    assert absent(order, SETTLE + SECOND, SETTLE + 3 * SECOND) == order


def test_an_order_that_existed_and_is_gone_has_expired() -> None:
    """Histories end: what rested before a long absence is over, and was not "not accepted"."""
    for status in (S.ACKED, S.PARTIAL):
        order = learn(standing(status), Doubted())
        gone = absent(order, SETTLE + SECOND, SETTLE + 3 * SECOND)
        assert (gone.status, gone.evidence, gone.doubted) == (S.EXPIRED, Evidence.ABSENCE, False)
    unknown = learn(lost(), Filled(fill("e1", "0.5")), Restarted(SETTLE))
    assert absent(unknown, SETTLE + SECOND, SETTLE + 3 * SECOND).status is S.EXPIRED


# -------------------------------------------------------------------------------------------------------- evidence wins
@pytest.mark.parametrize("status", [S.ACKED, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED])
def test_what_was_inferred_yields_to_the_venue(status: OrderStatus) -> None:
    """REJECTED by code, NOT_ACCEPTED and EXPIRED by absence: a report beats each of them."""
    filled = {S.PARTIAL: "0.5", S.FILLED: "1"}.get(status, "0")
    denied = absent(lost(), SETTLE + SECOND, SETTLE + 3 * SECOND)
    gone = absent(learn(sent(), Reported(report(S.ACKED)), Doubted()), SETTLE + SECOND, SETTLE + 3 * SECOND)
    for inferred in (standing(S.REJECTED), standing(S.NOT_ACCEPTED), denied, gone):
        order = learn(inferred, Reported(report(status, filled)))
        assert (order.status, order.evidence) == (status, Evidence.STREAM)


def test_a_fill_resurrects() -> None:
    """An execution is beyond doubt, whatever was believed; the rest of it is asked about."""
    denied = absent(lost(), SETTLE + SECOND, SETTLE + 3 * SECOND)
    for dead in (standing(S.REJECTED), denied):
        order = learn(dead, Filled(fill("e1", "0.5")))
        assert (order.status, order.doubted, worst_case(order)) == (S.PARTIAL, True, dec("0.5"))


def test_a_fill_of_what_expired_by_absence_is_taken_and_asked_about() -> None:
    """It may be an old fill that came late, or a sign that it lives: two absences more settle it."""
    gone = absent(learn(sent(), Reported(report(S.ACKED)), Doubted()), SETTLE + SECOND, SETTLE + 3 * SECOND)
    order = learn(gone, Filled(fill("e1", "0.5")), at_ns=SETTLE + 4 * SECOND)
    assert (order.status, order.doubted, order.settled) == (S.EXPIRED, True, False)
    order = absent(order, SETTLE + 5 * SECOND, SETTLE + 7 * SECOND)
    assert (order.status, order.doubted, order.settled) == (S.EXPIRED, False, True)


# ------------------------------------------------------------------------------------------------ restart, bookkeeping
@pytest.mark.parametrize("status", [S.INTENT, S.SENT, S.ACKED, S.PARTIAL, S.UNKNOWN])
def test_a_restart_makes_everything_in_flight_unknown(status: OrderStatus) -> None:
    """Nothing that was in flight is believed, and it is not sent again."""
    order = learn(standing(status), Asked(), Restarted(SETTLE + SECOND))
    assert (order.status, order.restarted, order.settle_ns) == (S.UNKNOWN, True, SETTLE + SECOND)
    assert order.asks == 0, "it is asked for at once"
    later = learn(standing(status), Restarted(SETTLE), at_ns=START + 90 * SECOND)
    assert later.unknown_since_ns == later.changed_ns == START + 90 * SECOND, "nobody has been waited for until now"


def test_what_was_filled_in_a_former_life_stands_beside_a_report_that_lags() -> None:
    """A venue's list may be behind its executions."""
    order = learn(sent(), Filled(fill("e1", "0.4")), Restarted(SETTLE), Reported(report(S.ACKED)))
    assert (order.status, order.filled, worst_case(order)) == (S.PARTIAL, dec("0.4"), dec("0.6"))


def test_an_order_that_is_withheld_says_why() -> None:
    """NOT_ACCEPTED with our own evidence: it never left."""
    order = standing(S.NOT_ACCEPTED)
    assert (order.evidence, order.message, order.settled) == (Evidence.UNSENT, "cancelled before it left", True)


def test_a_cancel_is_wanted_once_and_only_of_what_is_open() -> None:
    """The first wish counts; what is over cannot be cancelled."""
    order = learn(learn(sent(), CancelAsked()), CancelAsked(), at_ns=START + 2 * SECOND)
    assert order.cancel_requested_ns == START + SECOND
    asked = learn(order, CancelSent(), at_ns=START + 3 * SECOND)
    assert (asked.cancels, asked.canceled_ns) == (1, START + 3 * SECOND)
    done = standing(S.FILLED)
    assert learn(done, CancelAsked()) == done


def test_asking_is_counted_and_a_doubt_begins_it_anew() -> None:
    """A doubt is doubted once."""
    order = learn(standing(S.ACKED), Asked(), Asked())
    assert order.asks == 2
    doubted = learn(order, Doubted())
    assert (doubted.doubted, doubted.asks) == (True, 0)
    assert learn(doubted, Asked(), Doubted()).asks == 1


def test_the_venues_reason_is_kept() -> None:
    """Code and message of the last report that had any."""
    refused = learn(sent(), RefusedByVenue("110007", "no money"))
    assert (refused.code, refused.message, refused.evidence) == ("110007", "no money", Evidence.CODE)
    assert learn(refused, Reported(report(S.REJECTED))).code == "110007"
    assert learn(refused, Reported(report(S.ACKED))).code == "", "why it was refused does not explain that it lives"
    assert learn(lost(), Reported(report(S.ACKED))).message == ""
    expired = msgspec.structs.replace(report(S.EXPIRED), code="EC_NoImmediateQtyToFill", message="none to fill")
    ended = learn(lost(), Reported(expired))
    for order in (ended, learn(ended, Reported(report(S.EXPIRED)))):
        assert (order.code, order.message) == ("EC_NoImmediateQtyToFill", "none to fill")
    again = learn(ended, Reported(msgspec.structs.replace(expired, code="EC_Other", message="another")))
    assert (again.code, again.message) == ("EC_Other", "another")


@given(
    st.lists(st.sampled_from(["ack", "part", "fill", "cancel", "lost", "dup", "refuse", "absent", "ask"]), max_size=12)
)
def test_terminal_states_carry_evidence(words: list[str]) -> None:
    """Whatever happens to it: an end has evidence, filled never decreases, exposure is never negative."""
    order, now_ns, executions = sent(), START, 0
    for word in words:
        now_ns += 2 * SECOND
        learnt: Learnt
        match word:
            case "ack":
                learnt = Reported(report(S.ACKED))
            case "part":
                learnt = Reported(report(S.PARTIAL, "0.5"))
            case "fill":
                executions += 1
                learnt = Filled(fill(f"e{executions}", "0.5"))
            case "cancel":
                learnt = Reported(report(S.CANCELED))
            case "lost":
                learnt = Lost("")
            case "dup":
                learnt = Duplicate("", "")
            case "refuse":
                learnt = RefusedByVenue("1", "no")
            case "absent":
                learnt = Absent(now_ns - 1)
            case _:
                learnt = Asked()
        after = advance(order, learnt, now_ns)
        assert after.filled >= order.filled
        assert worst_case(after) >= 0
        assert not after.status.terminal or after.evidence is not Evidence.NONE
        assert after.status is not S.UNKNOWN or worst_case(after) == max(0, 1 - after.executed)
        order = after
