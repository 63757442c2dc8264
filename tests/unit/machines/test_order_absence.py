"""Which absence proves something: our clock and the venue's, whatever the venue's does meanwhile."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.order import ABSENCE_GAP_NS, Order, advance, begin
from kangbot.machines.order_words import Absent, Asked, Lost, Restarted, Sent
from kangbot.machines.resolve import next_step
from kangbot.model.orders import OrderStatus
from tests.support.trade_words import MARGIN, SECOND, START, WINDOW, intent

SETTLE = START + WINDOW + MARGIN
AHEAD = 100 * SECOND  # of the venue's clock
DOOR = SETTLE + AHEAD  # by the venue's clock the same


def lost(settle_ns: int = SETTLE, venue_settle_ns: int = DOOR) -> Order:
    """Return an order that left at the start, and of which nobody knows what became."""
    order = advance(begin(intent(), MARGIN), Sent(settle_ns, venue_settle_ns), START)
    return advance(order, Lost("no answer in time"), START + SECOND)


@pytest.mark.parametrize(
    ("asked_ns", "venue_ns", "counts"),
    [
        (SETTLE, DOOR - SECOND, False),
        (SETTLE, DOOR + SECOND, False),
        (SETTLE, None, False),
        (SETTLE + 1, DOOR, False),
        (SETTLE + 1, DOOR + 1, True),
        (SETTLE + 1, None, True),
    ],
)
def test_the_table(asked_ns: int, venue_ns: int | None, counts: bool) -> None:
    """Its rows, at their edges."""
    order = advance(lost(), Absent(asked_ns, venue_ns), asked_ns + 1)
    assert (order.absences, order.missing) == (int(counts), True)


def test_without_a_stamp_that_is_known_our_clock_decides() -> None:
    """An intent of an older journal names none."""
    order = advance(lost(venue_settle_ns=0), Absent(SETTLE + 1, 1), SETTLE + 2)
    assert order.absences == 1


def test_a_restart_knows_the_latest_stamp_by_the_intent() -> None:
    """When it left is forgotten with the process; what it was stamped by at the latest is on disk."""
    told = msgspec.structs.replace(intent(), venue_settle_ns=DOOR)
    order = advance(begin(told, MARGIN), Restarted(SETTLE), START)
    assert order.venue_settle_ns == DOOR
    assert advance(order, Absent(SETTLE + 1, DOOR), SETTLE + 2).absences == 0
    assert advance(order, Absent(SETTLE + 1, DOOR + 1), SETTLE + 2).absences == 1
    again = advance(order, Restarted(SETTLE + 1), START)
    assert (again.settle_ns, again.venue_settle_ns) == (SETTLE + 1, DOOR)


def test_a_second_copy_opens_the_door_for_no_less_than_the_first() -> None:
    """The venue may still take either."""
    order = advance(lost(), Sent(SETTLE - 1, DOOR - 1), START + SECOND)
    assert (order.settle_ns, order.venue_settle_ns) == (SETTLE, DOOR)


def test_a_clock_that_is_set_back_between_two_absences_voids_the_first() -> None:
    """What it told then it does not stand by."""
    order = advance(lost(), Absent(SETTLE + 1, DOOR + 1), SETTLE + 2)
    order = advance(order, Absent(SETTLE + 3 * SECOND, DOOR - 8 * SECOND), SETTLE + 3 * SECOND)
    assert (order.status, order.absences) == (OrderStatus.UNKNOWN, 0)


def test_the_question_that_will_count_is_put_when_the_venues_clock_is_past() -> None:
    """As its last answer told; not four seconds later, and not never where what it told was nonsense."""
    order = lost()
    for _ in range(6):
        order = advance(order, Asked(), SETTLE + SECOND)
    soon = advance(order, Absent(SETTLE + SECOND, DOOR - 2 * SECOND), SETTLE + SECOND)
    assert next_step(soon, SETTLE, ids_for_ever=False).due_ns == SETTLE + 3 * SECOND + 1
    nonsense = advance(order, Absent(SETTLE + SECOND, 0), SETTLE + SECOND)
    assert next_step(nonsense, SETTLE, ids_for_ever=False).due_ns == SETTLE + 5 * SECOND


_MS = 1_000_000


@given(
    told=st.booleans(),  # whether the venue's answers tell its time; where they do not, no step can be known of
    step_ms=st.integers(-20_000, 20_000),  # by how much the venue's clock is stepped, once
    at_ms=st.integers(0, 40_000),  # and when
    arrives_ms=st.integers(0, 7_999),  # when the request arrives: our side has long given up its connection after that
    queues_ms=st.sampled_from((0, 1_000, 2_000)),  # how long it queues behind the door
    wrong_ms=st.sampled_from((-3_000, 0, 3_000)),  # by how much the stamp is wrong
    way_ms=st.integers(1, 400),  # a question's way, and its answer's
)
def test_no_step_of_the_venues_clock_lets_a_dead_order_live(
    *, told: bool, step_ms: int, at_ms: int, arrives_ms: int, queues_ms: int, wrong_ms: int, way_ms: int
) -> None:
    """A venue holds the request for as long as its own clock lets it. Whoever is believed dead is not accepted later.

    Its clock shows true time but for the step; the request's stamp is wrong by no more than is known to be unsure.
    """

    def venue_ms(true_ms: int) -> int:
        return true_ms + (step_ms if told and true_ms >= at_ms else 0)

    window_ms, margin_ms, unsure_ms = WINDOW // _MS, MARGIN // _MS, 3_000
    until_ms = wrong_ms + window_ms
    held = arrives_ms
    while held < 100_000 and venue_ms(held + 1) <= until_ms:
        held += 1
    let_in = venue_ms(arrives_ms) <= until_ms
    accepted_ms = held + queues_ms if let_in else None

    order = lost(
        settle_ns=START + (window_ms + margin_ms + unsure_ms) * _MS,
        venue_settle_ns=START + (until_ms + margin_ms) * _MS,
    )
    now_ns = START + SECOND
    while order.status is OrderStatus.UNKNOWN:
        due_ns = next_step(order, now_ns, ids_for_ever=False).due_ns
        assert due_ns is not None
        now_ns = max(now_ns, due_ns)
        order = advance(order, Asked(), now_ns)
        arrived_ms = (now_ns - START) // _MS + way_ms
        if accepted_ms is not None and accepted_ms <= arrived_ms:
            return  # found
        asked_ns, now_ns = now_ns, now_ns + 2 * way_ms * _MS
        order = advance(order, Absent(asked_ns, START + venue_ms(arrived_ms) * _MS if told else None), now_ns)
        assert now_ns < START + 60 * SECOND, "resolved in the time that the clock was set back, and a little"
    assert accepted_ms is None
    assert now_ns - START >= (window_ms + margin_ms) * _MS + ABSENCE_GAP_NS
