"""Stuck is work that waits while none is done; nothing else is."""

import hypothesis.strategies as st
from hypothesis import given

from kangbot.machines.progress import LONGEST_GAP_NS, Progress

SECOND = 1_000_000_000
FRESH = Progress(bound_ns=30 * SECOND)


def looks(*seen: tuple[int, int, bool]) -> Progress:
    """Return what holds after looks, each (done, at second, waiting)."""
    progress = FRESH
    for done, at_s, waiting in seen:
        progress = progress.looked(done, at_s * SECOND, waiting=waiting)
    return progress


def test_work_that_waits_for_the_bound_is_stuck() -> None:
    """Not before, and from then on."""
    waits = [(7, at_s, True) for at_s in range(0, 40, 5)]
    assert not looks(*waits[:6]).stuck
    assert looks(*waits[:7]).stuck
    assert looks(*waits).waited_ns == 35 * SECOND
    assert not looks(*waits, (7, 40, False)).stuck, "nothing waits any more"
    assert looks(*waits, (7, 40, False), (7, 45, True)).waited_ns == 0


def test_idle_is_not_stuck() -> None:
    """However long nothing is done, where there is nothing to do."""
    assert not looks((7, 0, False), (7, 100, False), (7, 100_000, False)).stuck


def test_one_piece_of_work_begins_the_waiting_anew() -> None:
    """A slow worker works."""
    assert not looks(*((at_s // 25, at_s, True) for at_s in range(0, 500, 5))).stuck


def test_a_process_that_was_stopped_was_not_stuck() -> None:
    """Of the gap between two looks only so much counts: a stop of ten minutes ends nobody."""
    assert looks((7, 0, True), (7, 600, True)).waited_ns == LONGEST_GAP_NS
    assert not looks((7, 0, True), (7, 600, True)).stuck


def test_a_clock_that_goes_back_counts_nothing() -> None:
    """A look from before the last one is no time."""
    assert looks((7, 10, True), (7, 5, True)).waited_ns == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.booleans()), max_size=60))
def test_it_is_stuck_only_after_looks_that_all_saw_the_same_work_wait(steps: list[tuple[int, int, bool]]) -> None:
    """By a second reckoning: the time since the last look at which anything was different."""
    progress, done, at_s, since_s = FRESH, 0, 0, None
    for more, pause_s, waiting in steps:
        at_s += min(pause_s, LONGEST_GAP_NS // SECOND)
        done += more
        if not waiting or more:
            since_s = None
        if waiting and since_s is None:
            since_s = at_s
        progress = progress.looked(done, at_s * SECOND, waiting=waiting)
        assert progress.stuck == (since_s is not None and at_s - since_s >= 30)
