"""Memory is given back in time, and not again and again."""

import hypothesis.strategies as st
from hypothesis import given

from kangbot.machines.relief import WAIT_NS, Relief

SECOND = 1_000_000_000


def relieved(*looks: tuple[float, int]) -> list[bool]:
    """Return after which looks, each (share, at second), relief was due."""
    relief, answers = Relief(), []
    for share, at_s in looks:
        relief, due = relief.looked(share, at_s * SECOND)
        answers.append(due)
    return answers


def test_relief_comes_at_four_fifths_once() -> None:
    """A process that sits on the edge is not swept at each look."""
    assert relieved((0.79, 0), (0.8, 15), (0.9, 30), (0.79, 45), (0.81, 60)) == [False, True, False, False, False]


def test_it_comes_again_after_it_helped() -> None:
    """Once memory has been well under the edge, the next rise is a new one."""
    assert relieved((0.85, 0), (0.69, 15), (0.69, 20), (0.85, 30)) == [True, False, False, True]
    assert relieved((0.85, 0), (0.7, 15), (0.85, 30)) == [True, False, False]


def test_it_comes_again_after_a_while() -> None:
    """Where it helped too little, it is tried again later."""
    wait_s = WAIT_NS // SECOND
    assert relieved((0.9, 0), (0.9, wait_s - 1), (0.9, wait_s), (0.9, wait_s + 1)) == [True, False, True, False]


@given(st.lists(st.tuples(st.floats(0, 1.2), st.integers(0, 300)), max_size=50))
def test_never_below_the_edge_and_never_twice_without_a_reason(steps: list[tuple[float, int]]) -> None:
    """By a second reckoning."""
    relief, at_s, last_s, rested = Relief(), 0, 0, True
    for share, pause_s in steps:
        at_s += pause_s
        relief, due = relief.looked(share, at_s * SECOND)
        rested = rested or share < 0.7
        expected = share >= 0.8 and (rested or at_s - last_s >= 600)
        assert due == expected
        if due:
            last_s, rested = at_s, False
