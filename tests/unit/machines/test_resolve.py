"""When an order needs the venue's word, and what is asked for next."""

import msgspec
import pytest

from kangbot.machines.order import ABSENCE_GAP_NS, Order, advance, begin
from kangbot.machines.order_words import (
    Absent,
    Answered,
    Asked,
    CancelAsked,
    CancelSent,
    Doubted,
    Filled,
    Lost,
    Reported,
    Restarted,
    Sent,
    Withheld,
)
from kangbot.machines.resolve import Action, Step, in_flight, next_step
from kangbot.model.orders import OrderKind, OrderStatus, TimeInForce
from tests.support.trade_words import MARGIN, SECOND, START, WINDOW, fill, intent, report

SETTLE = START + WINDOW + MARGIN


def sent() -> Order:
    """Return an order on its way."""
    return advance(begin(intent(), MARGIN), Sent(SETTLE), START)


def lost(at_ns: int = START) -> Order:
    """Return an order of which nobody knows what became."""
    return advance(sent(), Lost("no answer"), at_ns)


def asked(order: Order, at_ns: int) -> Order:
    """Return the order after a question that nobody answered."""
    return advance(order, Asked(), at_ns)


def test_nothing_is_asked_about_what_is_known() -> None:
    """Neither of a fresh order nor of one that is on its way, rests or is over."""
    resting = advance(sent(), Answered(report(OrderStatus.ACKED)), START)
    over = advance(resting, Reported(report(OrderStatus.CANCELED)), START)
    for order in (begin(intent(), MARGIN), sent(), resting, over):
        assert next_step(order, START, ids_for_ever=True) == Step(Action.NOTHING)


def test_a_lost_order_is_asked_for_at_once_and_then_at_growing_intervals() -> None:
    """0, 0.25, 0.5, 1, 2, 4, 4 … seconds after the last question; nothing is ever given up."""
    order, now_ns, waits = lost(), START, []
    order = msgspec.structs.replace(order, settle_ns=0)
    for _ in range(7):
        step = next_step(order, now_ns, ids_for_ever=False)
        assert step.action is Action.QUERY
        assert step.due_ns is not None
        waits.append((step.due_ns - now_ns) / SECOND)
        now_ns = step.due_ns
        order = asked(order, now_ns)
    assert waits == [0, 0.25, 0.5, 1, 2, 4, 4]


def test_the_first_question_that_counts_is_not_kept_waiting() -> None:
    """The moment the margin has passed, and a second after the first absence."""
    order = asked(lost(), SETTLE - SECOND)
    for _ in range(4):
        order = asked(order, SETTLE - SECOND)
    assert next_step(order, SETTLE, ids_for_ever=False).due_ns == SETTLE + 1
    order = advance(asked(order, SETTLE + 1), Absent(SETTLE + 1), SETTLE + 5)
    assert next_step(order, SETTLE, ids_for_ever=False).due_ns == SETTLE + 5 + ABSENCE_GAP_NS


def test_the_same_id_is_sent_again_only_where_nobody_knows_it() -> None:
    """After an answer of "not found", before the deadline, where ids are unique for ever."""
    unanswered = asked(lost(), START)
    assert next_step(unanswered, START, ids_for_ever=True).action is Action.QUERY
    missing = advance(unanswered, Absent(START), START)
    assert next_step(missing, START, ids_for_ever=True) == Step(Action.RESEND, START + SECOND // 4)
    assert next_step(missing, START, ids_for_ever=False).action is Action.QUERY
    assert next_step(missing, START + WINDOW, ids_for_ever=True).action is Action.QUERY
    slow = msgspec.structs.replace(missing, asks=6, asked_ns=START + WINDOW - SECOND)
    late = next_step(slow, START + WINDOW - SECOND, ids_for_ever=True)
    assert late.action is Action.QUERY, "it would leave after its deadline"
    again = advance(missing, Sent(SETTLE), START + SECOND)
    assert next_step(again, START + SECOND, ids_for_ever=True).action is Action.QUERY


def test_what_was_seen_or_restarted_or_is_to_be_cancelled_is_never_sent_again() -> None:
    """A second copy could only do harm."""
    missing = advance(asked(lost(), START), Absent(START), START)
    seen = msgspec.structs.replace(missing, seen=True)
    restarted = advance(begin(intent(), MARGIN), Restarted(SETTLE), START)
    restarted = advance(asked(restarted, START), Absent(START), START)
    for order in (seen, restarted):
        assert next_step(order, START, ids_for_ever=True).action is Action.QUERY
    canceling = advance(advance(missing, CancelAsked(), START), CancelSent(), START)
    assert next_step(canceling, START, ids_for_ever=True).action is Action.QUERY


def test_a_doubt_is_asked_about_even_when_the_order_is_over() -> None:
    """A fill of what had expired by absence."""
    resting = advance(sent(), Answered(report(OrderStatus.ACKED)), START)
    doubted = advance(resting, Doubted(), START)
    assert next_step(doubted, START, ids_for_ever=True).action is Action.QUERY
    gone = advance(
        advance(doubted, Absent(SETTLE + SECOND), SETTLE + SECOND), Absent(SETTLE + 3 * SECOND), SETTLE + 3 * SECOND
    )
    filled = advance(gone, Filled(fill("e1", "0.5")), SETTLE + 4 * SECOND)
    assert filled.status is OrderStatus.EXPIRED
    assert next_step(filled, SETTLE + 4 * SECOND, ids_for_ever=True).action is Action.QUERY


def test_a_cancel_is_asked_for_until_the_order_is_over() -> None:
    """Not before the order can be there; then at once, after 1, 2, 4, 4 … seconds; not when it is over."""
    waiting = advance(begin(intent(), MARGIN), CancelAsked(), START)
    assert next_step(waiting, START, ids_for_ever=True).action is Action.NOTHING
    flying = advance(waiting, Sent(SETTLE), START)
    assert next_step(flying, START, ids_for_ever=True).action is Action.NOTHING
    order, now_ns, waits = advance(flying, Answered(report(OrderStatus.ACKED)), START), START, []
    for _ in range(5):
        step = next_step(order, now_ns, ids_for_ever=True)
        assert step.action is Action.CANCEL
        assert step.due_ns is not None
        waits.append((step.due_ns - now_ns) // SECOND)
        now_ns = step.due_ns
        order = advance(order, CancelSent(), now_ns)
    assert waits == [0, 1, 2, 4, 4]
    over = advance(order, Reported(report(OrderStatus.CANCELED)), now_ns)
    assert next_step(over, now_ns, ids_for_ever=True).action is Action.NOTHING


def test_an_unknown_order_is_both_cancelled_and_asked_for() -> None:
    """Whichever is due first."""
    order = advance(lost(), CancelAsked(), START - 1)
    assert next_step(order, START, ids_for_ever=True).action is Action.CANCEL
    order = advance(order, CancelSent(), START)
    assert next_step(order, START, ids_for_ever=True).action is Action.QUERY


@pytest.mark.parametrize("kind", list(OrderKind))
@pytest.mark.parametrize("time_in_force", list(TimeInForce))
def test_what_is_in_flight(kind: OrderKind, time_in_force: TimeInForce) -> None:
    """Everything but what is settled and a limit order that has been resting for a while."""
    order = begin(intent(kind=kind, time_in_force=time_in_force), MARGIN)
    assert in_flight(order, START)
    assert not in_flight(advance(order, Withheld(""), START), START)
    order = advance(order, Sent(SETTLE), START)
    assert in_flight(order, START)
    resting = advance(order, Answered(report(OrderStatus.ACKED)), START)
    later = START + 40 * SECOND
    immediate = kind is OrderKind.MARKET or time_in_force is TimeInForce.IOC
    assert in_flight(resting, START)
    assert in_flight(resting, START + 30 * SECOND - 1)
    assert in_flight(resting, START + 30 * SECOND) is immediate
    partly = advance(resting, Reported(report(OrderStatus.PARTIAL, "0.5")), START)
    assert in_flight(partly, later) is immediate
    assert in_flight(advance(resting, Doubted(), START), later)
    assert in_flight(advance(resting, CancelAsked(), START), later)
    owed = advance(resting, Reported(report(OrderStatus.FILLED, 1)), START)
    assert in_flight(owed, later)
