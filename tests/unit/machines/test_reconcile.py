"""What the venue says against what we believe."""

from collections.abc import Callable

from kangbot.machines.order import Order, advance, begin
from kangbot.machines.order_words import Answered, Lost, Reported, Sent
from kangbot.machines.reconcile import (
    EXPLAIN_NS,
    FARTHEST_NS,
    QUIET_NS,
    STEADY_NS,
    Drift,
    Foreign,
    Missing,
    Orphan,
    Reconciled,
    Verdict,
    compare,
    look_back,
)
from kangbot.model.orders import OrderReport, OrderStatus
from tests.support.trade_words import MARGIN, MARKET, SECOND, START, dec, intent, report, stated

S = OrderStatus


def resting(number: int, venue_order_id: str, at_ns: int = START) -> Order:
    """Return an order that rests."""
    order = advance(begin(intent(number), MARGIN), Sent(START), at_ns)
    return advance(order, Answered(report(S.ACKED, number=number, venue_order_id=venue_order_id)), at_ns)


def snapshot(*reports: OrderReport, asked_ns: int = START + SECOND) -> Reconciled:
    """Return answers with these open orders."""
    return Reconciled(
        market=MARKET,
        open_orders=reports,
        executions=(),
        executions_since_ns=START,
        position=stated(0),
        asked_ns=asked_ns,
        answered_ns=asked_ns,
    )


def finds(*orders: Order) -> Callable[[OrderReport], Order | None]:
    """Return who finds the order of a report among `orders`."""

    def find(one: OrderReport) -> Order | None:
        return next((o for o in orders if one.client_id == o.client_id or one.venue_order_id == o.venue_order_id), None)

    return find


def test_what_both_know_is_reported() -> None:
    """By our id, or by the venue's where it does not name ours."""
    orders = (resting(1, "v1"), resting(2, "v2"))
    listed = (report(S.PARTIAL, "0.5", number=1), report(S.ACKED, number=2, venue_order_id="v2", named=False))
    named = [(orders[0].client_id, listed[0]), (orders[1].client_id, listed[1])]
    assert compare(snapshot(*listed), orders, finds(*orders)) == (named, [])


def test_an_order_that_is_not_listed_is_asked_for_by_name() -> None:
    """Only where it rested before the question: the others may be younger than the answer."""
    lost = advance(advance(begin(intent(3), MARGIN), Sent(START), START), Lost(""), START)
    young = resting(2, "v2", at_ns=START + 2 * SECOND)
    partly = advance(resting(4, "v4"), Reported(report(S.PARTIAL, "0.5", number=4, venue_order_id="v4")), START)
    orders = (resting(1, "v1"), young, lost, partly)
    missing = [Missing(orders[0].client_id), Missing(partly.client_id)]
    assert compare(snapshot(), orders, finds(*orders)) == ([], missing)


def test_strangers_are_told_apart() -> None:
    """Our prefix without an intent is an orphan; another id or none is not ours; a stop is the venue's own."""
    orphan = report(S.ACKED, client="kbanother09", venue_order_id="v7")
    by_hand = report(S.ACKED, named=False, venue_order_id="v8")
    other_bot = report(S.ACKED, client="x-77", venue_order_id="v9")
    stop = report(S.ACKED, named=False, venue_order_id="v10", protective=True)
    found = compare(snapshot(orphan, by_hand, other_bot, stop), (), finds())
    assert found == ([], [Orphan(orphan), Foreign(by_hand), Foreign(other_bot)])


def drifted(drift: Drift, asked_ns: int, since_ns: int = START, theirs: int = 2) -> tuple[Drift, Verdict]:
    """Return the drift after the venue said `theirs` where we count 1, with our last activity at START."""
    return drift.seen(dec(1), dec(theirs), active_ns=START, asked_ns=asked_ns, executions_since_ns=since_ns)


def test_a_drift_is_suspected_explained_and_then_a_persons() -> None:
    """Two mismatches, executions from further back, quarantine; agreement ends it at any time."""
    first, verdict = drifted(Drift(), START + QUIET_NS)
    assert verdict is Verdict.SUSPECTED
    second, verdict = drifted(first, START + 2 * QUIET_NS)
    assert (verdict, second.asked) == (Verdict.ASK_EXECUTIONS, True)
    assert first.since_ns == second.since_ns == START + QUIET_NS, "it is explained by what was before the first"
    shallow, verdict = drifted(second, START + 3 * QUIET_NS, since_ns=START)
    assert verdict is Verdict.ASK_EXECUTIONS
    _, verdict = drifted(shallow, START + 4 * QUIET_NS, since_ns=second.since_ns - EXPLAIN_NS)
    assert verdict is Verdict.QUARANTINE
    assert drifted(shallow, START + 4 * QUIET_NS, theirs=1) == (Drift(), Verdict.AGREED)


def test_executions_that_may_explain_it_are_younger_than_the_last_one_we_know() -> None:
    """By an hour that venues may tell of one late, and not older than a month; the answer has to go back as far."""
    week = 7 * 24 * EXPLAIN_NS
    assert look_back(START, 0) == START - EXPLAIN_NS, "nothing is known"
    assert look_back(START, START - SECOND) == START - SECOND - EXPLAIN_NS
    assert look_back(START, START - week) == START - week - EXPLAIN_NS
    assert look_back(START, START - 100 * week) == START - FARTHEST_NS
    assert look_back(START, START + week) == START - EXPLAIN_NS, "a clock of the venue's that is ahead"
    drift, told = Drift(), []
    for beat, (last_ns, since_ns) in enumerate(
        [(-week, START), (-week, START), (-week, START - week), (SECOND, START - week - EXPLAIN_NS)], 1
    ):
        drift, verdict = drift.seen(
            dec(1),
            dec(2),
            active_ns=0,
            asked_ns=START + beat * SECOND,
            executions_since_ns=since_ns,
            last_execution_ns=START + last_ns,  # what comes meanwhile makes it no younger
        )
        told.append(verdict)
    assert told == [Verdict.SUSPECTED, Verdict.ASK_EXECUTIONS, Verdict.ASK_EXECUTIONS, Verdict.QUARANTINE]


def test_a_mismatch_right_after_our_own_activity_says_nothing() -> None:
    """But it is looked at again."""
    drift, verdict = drifted(Drift(), START + 1)
    assert (verdict, drift.mismatches, drift.since_ns) == (Verdict.TOO_SOON, 0, START + 1)
    again, verdict = drifted(drift, START + QUIET_NS - 1)
    assert (again, verdict) == (drift, Verdict.TOO_SOON)
    assert drifted(drift, START + QUIET_NS)[0].since_ns == drift.since_ns


def busy(drift: Drift, asked_ns: int, ours: int = 1, theirs: int = 2) -> tuple[Drift, Verdict]:
    """Return the drift of a market in which something of ours moved a second before the question."""
    return drift.seen(
        dec(ours), dec(theirs), active_ns=asked_ns - SECOND, asked_ns=asked_ns, executions_since_ns=START - EXPLAIN_NS
    )


def test_a_market_that_never_rests_is_compared_once_a_difference_stays_the_same() -> None:
    """Else whoever places an entry anew every few seconds would never hear of it."""
    drift, told = Drift(), []
    looks = range(0, STEADY_NS + 3 * QUIET_NS, QUIET_NS)
    for number, after_ns in enumerate(looks):
        drift, verdict = busy(drift, START + after_ns, ours=1 + number % 2, theirs=2 + number % 2)  # both traded
        told.append(verdict)
    soon = STEADY_NS // QUIET_NS
    assert told == [Verdict.TOO_SOON] * soon + [Verdict.SUSPECTED, Verdict.ASK_EXECUTIONS, Verdict.QUARANTINE]


def test_a_difference_that_changes_in_a_market_that_never_rests_is_on_its_way() -> None:
    """It has to stay for as long again; one that is gone in between as well."""
    drift, _ = busy(Drift(), START)
    drift, verdict = busy(drift, START + STEADY_NS, theirs=3)
    assert verdict is Verdict.TOO_SOON
    assert busy(drift, START + 2 * STEADY_NS - 1, theirs=3)[1] is Verdict.TOO_SOON
    assert busy(drift, START + 2 * STEADY_NS, theirs=3)[1] is Verdict.SUSPECTED
    agreed, _ = busy(drift, START + STEADY_NS + SECOND, theirs=1)
    assert busy(agreed, START + 2 * STEADY_NS, theirs=3)[1] is Verdict.TOO_SOON
