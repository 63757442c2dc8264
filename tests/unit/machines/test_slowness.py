"""What a strategy may cost the others."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.slowness import Bounds, Finding, Slowness

BOUNDS = Bounds(slow_ns=50, block_ns=1000, times=3, within_ns=600)
FRESH = Slowness(bounds=BOUNDS)


def findings(*took: tuple[int, int]) -> list[Finding]:
    """Return what each (duration, at) leads to."""
    slowness, found = FRESH, []
    for duration_ns, at_ns in took:
        slowness, finding = slowness.took(duration_ns, at_ns)
        found.append(finding)
    return found


def test_what_is_quick_is_fine_and_makes_nothing() -> None:
    """The usual case costs no object."""
    known, _ = FRESH.took(50, 0)
    again, finding = known.took(50, 1)
    assert again is known
    assert finding is Finding.FINE
    assert known.longest_ns == 50


def test_the_first_slow_bar_is_told_and_so_is_the_end_of_it() -> None:
    """Once each, however many follow within the span."""
    assert findings((51, 0), (60, 10), (10, 20), (10, 610), (10, 611)) == [
        Finding.SLOW,
        Finding.FINE,
        Finding.FINE,
        Finding.QUICK,
        Finding.FINE,
    ]


def test_one_that_blocks_is_stopped_at_once() -> None:
    """All others waited for it."""
    assert findings((1000, 0), (1001, 1)) == [Finding.SLOW, Finding.BLOCKS]


def test_one_that_is_slow_too_often_is_stopped() -> None:
    """Within the span; what lies further back is forgotten."""
    assert findings((60, 0), (60, 300), (60, 599))[-1] is Finding.TOO_OFTEN
    assert findings((60, 0), (60, 300), (60, 600))[-1] is Finding.FINE


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 200))))
def test_it_is_stopped_exactly_where_it_costs_too_much(rows: list[tuple[int, int]]) -> None:
    """For any durations at any times: memory is bounded by the span, and a stop has its reason."""
    slowness, now_ns, slow_at = FRESH, 0, list[int]()
    for duration_ns, pause_ns in rows:
        now_ns += pause_ns
        slowness, finding = slowness.took(duration_ns, now_ns)
        slow_at = [at_ns for at_ns in slow_at if now_ns - at_ns < 600] + [now_ns] * (duration_ns > 50)
        blocks, often = duration_ns > 1000, duration_ns > 50 and len(slow_at) >= 3
        assert (finding is Finding.BLOCKS) == blocks
        assert (finding is Finding.TOO_OFTEN) == (often and not blocks)
        assert all(earlier <= later for earlier, later in pairwise(slowness.slow_at))
        assert set(slowness.slow_at) == set(slow_at)
