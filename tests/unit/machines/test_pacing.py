"""Pacing of orders that come to nothing."""

from kangbot.machines.pacing import Pacing

FRESH = Pacing(first_ns=10, ceiling_ns=35)


def test_the_first_order_waits_for_nothing() -> None:
    """Without a failure there is no wait."""
    assert FRESH.due_ns(0) is None


def test_each_failure_doubles_the_wait_up_to_the_ceiling() -> None:
    """10, 20, then 35 for ever."""
    pacing, waits = FRESH, []
    for _ in range(4):
        pacing = pacing.ended(1000, moved=False, withdrawn=False)
        due_ns = pacing.due_ns(1000)
        assert due_ns is not None
        waits.append(due_ns - 1000)
    assert waits == [10, 20, 35, 35]
    assert pacing.due_ns(1035) is None


def test_an_order_that_moved_the_position_ends_the_wait() -> None:
    """Progress forgives every failure."""
    failed = FRESH.ended(0, moved=False, withdrawn=False).ended(0, moved=False, withdrawn=False)
    assert failed.ended(5, moved=True, withdrawn=True) == FRESH


def test_an_order_that_we_took_back_is_no_failure() -> None:
    """A limit order that is placed anew at a better price is no refusal; nor does it forgive one."""
    failed = FRESH.ended(0, moved=False, withdrawn=False)
    assert failed.ended(5, moved=False, withdrawn=True) == failed


def test_very_many_failures_do_not_overflow() -> None:
    """The shift is bounded."""
    pacing = FRESH
    for _ in range(100):
        pacing = pacing.ended(0, moved=False, withdrawn=False)
    assert pacing.due_ns(0) == 35


def test_while_the_venue_is_in_trouble_the_first_wait_is_the_longest() -> None:
    """And no longer than that, however often it fails; progress ends it as ever."""
    pacing = FRESH
    for _ in range(3):
        pacing = pacing.ended(1000, moved=False, withdrawn=False, slow=True)
        assert pacing.due_ns(1000) == 1035
    assert pacing.ended(1000, moved=True, withdrawn=False, slow=True) == FRESH
