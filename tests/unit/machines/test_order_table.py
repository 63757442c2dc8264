"""The life of an order as a table: which rows there are, and which there must never be."""

import pytest

from kangbot.machines.order_table import TABLE, Sign
from kangbot.model.orders import OrderStatus

S = OrderStatus
G = Sign
OPEN = (S.SENT, S.ACKED, S.PARTIAL, S.UNKNOWN)
LEFT = tuple(status for status in S if status is not S.INTENT)
SAID = {
    G.ACKED: S.ACKED,
    G.PARTIAL: S.PARTIAL,
    G.FILLED: S.FILLED,
    G.CANCELED: S.CANCELED,
    G.EXPIRED: S.EXPIRED,
    G.REJECTED: S.REJECTED,
}
INFERRED = (S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED)  # ends that may be our own conclusion


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("sign", list(Sign))
def test_terminal_states_only_yield_to_evidence_of_life(status: OrderStatus, sign: Sign) -> None:
    """FILLED yields where it was made larger, CANCELED to FILLED alone; what was inferred never becomes UNKNOWN."""
    after = TABLE.get((status, sign))
    if after is None or not status.terminal:
        return
    assert after is not S.UNKNOWN
    assert after is not S.SENT
    if status is S.FILLED:
        assert after is S.FILLED or sign is Sign.GROWN
    if status is S.CANCELED:
        assert after in (S.CANCELED, S.FILLED)


def test_only_a_definitive_code_or_report_rejects_and_only_proof_denies() -> None:
    """The rows that end in REJECTED and NOT_ACCEPTED are exactly these signs."""
    rejecting = {sign for (status, sign), after in TABLE.items() if after is S.REJECTED and status is not S.REJECTED}
    denying = {sign for (status, sign), after in TABLE.items() if after is S.NOT_ACCEPTED and status is not after}
    assert rejecting == {Sign.REFUSED, Sign.REJECTED}
    assert denying == {Sign.WITHHELD, Sign.ABSENT}


def test_an_order_that_has_not_left_can_only_leave_or_stay() -> None:
    """Or be in question after a crash, for the record of its leaving may be what was lost."""
    rows = {sign: after for (status, sign), after in TABLE.items() if status is S.INTENT}
    assert rows == {G.WITHHELD: S.NOT_ACCEPTED, G.SENT: S.SENT, G.RESTARTED: S.UNKNOWN}


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("sign", SAID)
def test_an_open_order_stands_where_the_venue_says(status: OrderStatus, sign: Sign) -> None:
    """But for what was filled: that is not taken back, and a rejection after it has ended the rest."""
    kept = {(S.PARTIAL, G.ACKED): S.PARTIAL, (S.PARTIAL, G.REJECTED): S.CANCELED}
    assert TABLE[status, sign] is kept.get((status, sign), SAID[sign])


@pytest.mark.parametrize("status", INFERRED)
@pytest.mark.parametrize("sign", SAID)
def test_an_end_that_was_inferred_yields_to_whatever_the_venue_says(status: OrderStatus, sign: Sign) -> None:
    """The venue knows better than a conclusion."""
    assert TABLE[status, sign] is SAID[sign]


@pytest.mark.parametrize("status", LEFT)
def test_an_answer_to_a_second_request_says_nothing_of_the_first(status: OrderStatus) -> None:
    """A refusal ends only what was sent once and of which nothing is known; a lost answer only leaves that open."""
    first = status is S.SENT
    assert TABLE[status, G.REFUSED] is (S.REJECTED if first else status)
    assert TABLE[status, G.LOST] is (S.UNKNOWN if first else status)


@pytest.mark.parametrize("status", LEFT)
def test_an_order_that_the_venue_has_twice_is_there(status: OrderStatus) -> None:
    """Where it was in question, or believed absent, it lives; else it stands where it stood."""
    expected = S.ACKED if status in (S.SENT, S.UNKNOWN, S.NOT_ACCEPTED) else status
    assert TABLE[status, G.DUPLICATE] is expected


@pytest.mark.parametrize("status", LEFT)
def test_an_execution_is_beyond_doubt(status: OrderStatus) -> None:
    """It revives what no venue has ended; an end that a venue has said takes it and stays."""
    assert TABLE[status, G.FILL] is (status if status in (S.FILLED, S.CANCELED, S.EXPIRED) else S.PARTIAL)
    assert TABLE[status, G.FILLED] is S.FILLED


@pytest.mark.parametrize("status", list(S))
def test_a_restart_puts_in_question_whatever_was_open(status: OrderStatus) -> None:
    """And nothing that was over."""
    assert TABLE.get((status, G.RESTARTED)) is (None if status.terminal else S.UNKNOWN)


@pytest.mark.parametrize("status", list(S))
def test_absence_ends_only_what_was_asked_for(status: OrderStatus) -> None:
    """One that had been seen is gone, one that never was is not accepted; of what is on its way it proves nothing."""
    assert TABLE.get((status, G.GONE)) is (S.EXPIRED if status in (S.ACKED, S.PARTIAL, S.UNKNOWN) else None)
    assert TABLE.get((status, G.ABSENT)) is (S.NOT_ACCEPTED if status is S.UNKNOWN else None)


def test_an_order_leaves_once_and_once_more_where_it_is_in_question() -> None:
    """Never while it rests, and never after its end; what has left is withheld by nobody."""
    assert {status: after for (status, sign), after in TABLE.items() if sign is G.SENT} == {
        S.INTENT: S.SENT,
        S.UNKNOWN: S.UNKNOWN,
    }
    assert {status for status, sign in TABLE if sign is G.WITHHELD} == {S.INTENT}


@pytest.mark.parametrize("status", list(S))
def test_what_comes_late_changes_no_end_that_a_venue_said(status: OrderStatus) -> None:
    """Of what is open nothing is late."""
    said = status in (S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED)
    assert TABLE.get((status, G.LATE)) is (status if said else None)
    assert TABLE.get((status, G.GROWN)) is (S.PARTIAL if status is S.FILLED else None)


def test_there_is_no_other_row() -> None:
    """One that joins has its reason, and its rule here."""
    rows = {(S.INTENT, sign) for sign in (G.WITHHELD, G.SENT, G.RESTARTED)}
    rows |= {(status, sign) for status in (*OPEN, *INFERRED) for sign in SAID}
    rows |= {(status, sign) for status in LEFT for sign in (G.REFUSED, G.LOST, G.DUPLICATE, G.FILL, G.FILLED)}
    rows |= {(status, G.RESTARTED) for status in OPEN}
    rows |= {(status, G.GONE) for status in (S.ACKED, S.PARTIAL, S.UNKNOWN)}
    rows |= {(status, G.LATE) for status in (S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED)}
    rows |= {(S.UNKNOWN, G.ABSENT), (S.UNKNOWN, G.SENT), (S.FILLED, G.GROWN)}
    assert TABLE.keys() == rows
