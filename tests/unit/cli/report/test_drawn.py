"""What is drawn of years is few, and as right as the rest."""

import itertools

from kangbot.cli.report.drawn import MOST, Drawn

QUARTER_NS = 15 * 60 * 1_000_000_000


def last_and_sum(newer: tuple[int, int], older: tuple[int, int]) -> tuple[int, int]:
    """Keep when the newer one was, and what both came to."""
    return newer[0], newer[1] + older[1]


def test_a_point_a_quarter_of_an_hour_is_drawn() -> None:
    """The last there was in it; nothing is drawn before it was."""
    drawn = Drawn(last_and_sum)
    for at_ns in (2 * QUARTER_NS, QUARTER_NS + 7, QUARTER_NS + 3, QUARTER_NS - 1):
        drawn.add(at_ns, (at_ns, 1))
    assert drawn.points() == [(QUARTER_NS - 1, 1), (QUARTER_NS + 7, 2), (2 * QUARTER_NS, 1)]


def test_years_are_drawn_by_as_many_points_as_weeks() -> None:
    """At even times, oldest first; nothing is left out of a sum."""
    drawn, quarters = Drawn(last_and_sum), 5 * MOST
    for quarter in range(quarters, 0, -1):
        drawn.add(quarter * QUARTER_NS, (quarter, quarter))
    points = drawn.points()
    assert MOST / 2 <= len(points) <= MOST
    assert points[-1][0] == quarters
    assert sum(each for _, each in points) == quarters * (quarters + 1) // 2
    assert {later - sooner for (sooner, _), (later, _) in itertools.pairwise(points[:-1])} == {8}
