"""The strict sliding window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.limiter import Window

MOST = st.integers(1, 6)
SPAN = st.integers(1, 50)


@given(MOST, SPAN, st.lists(st.integers(0, 20), max_size=60))
def test_no_window_of_that_length_holds_more_than_admitted(most: int, span_ns: int, steps: list[int]) -> None:
    """Wherever a window begins, it holds at most `most` events: the promise a venue counts by."""
    window, now_ns, admitted = Window(most=most, span_ns=span_ns), 0, []
    for step in steps:
        now_ns += step
        window, wait_ns = window.admit(now_ns)
        if not wait_ns:
            admitted.append(now_ns)
    for start in admitted:
        assert sum(start <= at < start + span_ns for at in admitted) <= most


@given(MOST, SPAN, st.lists(st.integers(0, 20), max_size=30))
def test_the_wait_is_exact(most: int, span_ns: int, steps: list[int]) -> None:
    """Whoever waits as told is admitted then, and not a nanosecond earlier."""
    window, now_ns = Window(most=most, span_ns=span_ns), 0
    for step in steps:
        now_ns += step
        window, wait_ns = window.admit(now_ns)
        if wait_ns:
            assert window.wait_ns(now_ns) == wait_ns
            assert window.admit(now_ns + wait_ns - 1)[1] == 1
            now_ns += wait_ns
            window, wait_ns = window.admit(now_ns)
            assert wait_ns == 0


@given(MOST, SPAN, st.lists(st.integers(0, 20), max_size=30), st.integers(0, 30))
def test_free_says_how_many_are_admitted_at_once(most: int, span_ns: int, steps: list[int], later: int) -> None:
    """`free` events pass at that instant, one more does not."""
    window, now_ns = Window(most=most, span_ns=span_ns), 0
    for step in steps:
        now_ns += step
        window, _ = window.admit(now_ns)
    now_ns += later
    for _ in range(window.free(now_ns)):
        window, wait_ns = window.admit(now_ns)
        assert wait_ns == 0
    assert window.admit(now_ns)[1] > 0


def test_a_refused_event_leaves_no_trace() -> None:
    """Asking too early does not push the next admission back."""
    full, _ = Window(most=1, span_ns=10).admit(0)
    assert full.admit(5) == (full, 5)
    assert full.admit(10)[0].stamps == (10,)


def test_stamps_never_run_backwards() -> None:
    """An event that seems earlier than the newest counts with the newest."""
    window, _ = Window(most=2, span_ns=10).admit(100)
    assert window.admit(90)[0].stamps == (100, 100)


def test_a_restart_keeps_counting() -> None:
    """What an earlier life admitted still counts in this one; older stamps than fit are of no account."""
    window = Window(most=2, span_ns=10).restored([1, 8, 5], now_ns=9)
    assert window.stamps == (5, 8)
    assert window.wait_ns(9) == 6


def test_a_stamp_of_the_future_counts_as_now() -> None:
    """A wall clock set back between two lives makes us careful, never free and never stuck."""
    window = Window(most=1, span_ns=10).restored([10**18], now_ns=100)
    assert window.wait_ns(100) == 10


@pytest.mark.parametrize(("most", "span_ns"), [(0, 1), (1, 0), (-1, 5)])
def test_a_window_that_admits_nothing_is_refused(most: int, span_ns: int) -> None:
    """A budget of nothing would wait for ever in silence."""
    with pytest.raises(ValueError, match="at least one event"):
        Window(most=most, span_ns=span_ns)
