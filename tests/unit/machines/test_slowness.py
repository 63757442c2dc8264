"""When a strategy takes too long."""

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
    assert (known.longest_ns, known.slow) == (50, False)


def test_the_first_slow_call_is_told_and_so_is_the_end_of_it() -> None:
    """Once each, however many follow; it is slow until none was for the whole span."""
    assert findings((51, 0), (60, 10), (10, 20), (10, 609), (10, 610), (10, 611)) == [
        Finding.SLOW,
        Finding.FINE,
        Finding.FINE,
        Finding.FINE,
        Finding.QUICK,
        Finding.FINE,
    ]


def test_one_that_proves_slow_again_counts_as_slow_for_twice_as_long() -> None:
    """So the others do not pay for its first slow call again and again."""
    slow_at, quick_after = 0, []
    slowness = FRESH
    for _ in range(14):
        slowness, finding = slowness.took(51, slow_at)
        assert finding is Finding.SLOW
        for span in (1 << power for power in range(20)):
            slowness, finding = slowness.took(1, slow_at + 600 * span - 1)
            assert finding is Finding.FINE
            slowness, finding = slowness.took(1, slow_at + 600 * span)
            if finding is Finding.QUICK:
                quick_after.append(span)
                break
        slow_at += 1 << 40
    assert quick_after == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 1024]


def test_one_that_blocks_is_stopped_at_once() -> None:
    """It decides too late, wherever it is asked."""
    assert findings((1000, 0), (1001, 1)) == [Finding.SLOW, Finding.BLOCKS]


def test_one_for_which_the_loop_stands_still_is_named_and_in_the_end_stopped() -> None:
    """The third time within the span; what lies further back is forgotten."""
    slowness, found = FRESH, []
    for at_ns in (0, 300, 600, 601, 1201, 1800, 1801):
        slowness, finding = slowness.held(at_ns)
        found.append(finding)
    often, fine = Finding.TOO_OFTEN, Finding.FINE
    assert found == [Finding.HOLDS, fine, fine, often, Finding.HOLDS, fine, Finding.FINE]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 700))))
def test_it_is_asked_aside_exactly_while_it_is_slow(rows: list[tuple[int, int]]) -> None:
    """For any durations at any times: what is told is what changed, and a stop has its reason."""
    slowness, now_ns = FRESH, 0
    for duration_ns, pause_ns in rows:
        now_ns += pause_ns
        before = slowness
        slowness, finding = slowness.took(duration_ns, now_ns)
        assert (finding is Finding.BLOCKS) == (duration_ns > 1000)
        assert (finding is Finding.QUICK) == (before.slow and not slowness.slow)
        if duration_ns <= 1000:
            assert (finding is Finding.SLOW) == (slowness.slow and not before.slow)
        assert slowness.slow or duration_ns <= 50
        assert slowness.longest_ns == max(before.longest_ns, duration_ns)
