"""The highest equity: of trading alone, whatever was moved into the account and out of it, and told of however late."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.transfers import UNSURE_NS
from kangbot.risk.heights import SECOND_NS, Height, Heights

D = Decimal
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 3600 * SECOND_NS
NOON_NS = 12 * HOUR_NS


def test_nothing_is_known_at_first() -> None:
    """No highest, and a transfer does not make one."""
    heights = Heights()
    heights.moved(NOON_NS, D(5))
    assert heights.highest is None


@pytest.mark.parametrize("amount", [D(400), D(-400)])
@pytest.mark.parametrize("told_ns", [SECOND_NS, MINUTE_NS, HOUR_NS])
def test_what_was_moved_is_taken_from_what_was_before(amount: Decimal, told_ns: int) -> None:
    """The marks after it have it already: a deposit makes no height of its own, a withdrawal leaves none behind."""
    heights = Heights()
    for minute, equity in enumerate((D(1000), D(1100), D(1050))):
        heights.mark(NOON_NS + minute * MINUTE_NS, equity)
    moved_ns = NOON_NS + 3 * MINUTE_NS
    heights.mark(moved_ns + UNSURE_NS, D(1040) + amount)
    heights.mark(moved_ns + UNSURE_NS + told_ns, D(1030) + amount)
    heights.moved(moved_ns, amount)
    assert heights.highest == D(1100) + amount


@pytest.mark.parametrize("days", [1, 40])
def test_a_transfer_while_the_daemon_was_away_is_after_all_that_it_knew(days: int) -> None:
    """It is told of after the next start, when the first marks of that life are there."""
    heights = Heights()
    heights.mark(NOON_NS, D(1000))
    back_ns = NOON_NS + days * 24 * HOUR_NS
    heights.mark(back_ns, D(390))
    heights.moved(back_ns - 6 * HOUR_NS, D(-600))
    assert heights.highest == 400


@pytest.mark.parametrize("beside_ns", [-UNSURE_NS, -SECOND_NS, 0, UNSURE_NS - 1])
def test_a_mark_of_the_same_moment_counts_for_neither_side(beside_ns: int) -> None:
    """Whether it had the money is not known, by two clocks: taken for the wrong one it would be a height for good."""
    heights = Heights()
    heights.mark(NOON_NS, D(1000))
    heights.mark(NOON_NS + HOUR_NS + beside_ns, D(1500))
    heights.moved(NOON_NS + HOUR_NS, D(500))
    assert heights.highest == 1500
    heights.mark(NOON_NS + 2 * HOUR_NS + beside_ns, D(1490))
    heights.moved(NOON_NS + 2 * HOUR_NS, D(-500))
    assert heights.highest == 1000


def test_half_a_minute_is_one_height() -> None:
    """The highest of it, at its beginning."""
    heights = Heights()
    for second, equity in ((0, 10), (10, 12), (29, 11), (30, 9)):
        heights.mark(NOON_NS + second * SECOND_NS, D(equity))
    assert heights.recent == (
        Height(at_ns=NOON_NS, equity=D(12)),
        Height(at_ns=NOON_NS + 30 * SECOND_NS, equity=D(9)),
    )


def test_what_is_old_folds_into_the_highest_of_it() -> None:
    """So a long life costs no more than two hours."""
    heights = Heights()
    for hour, equity in enumerate((5, 9, 7, 8, 6)):
        heights.mark(NOON_NS + hour * HOUR_NS, D(equity))
    assert (heights.folded, [height.equity for height in heights.recent]) == (D(9), [D(7), D(8), D(6)])
    for minute in range(24 * 60):
        heights.mark(NOON_NS + 5 * HOUR_NS + minute * MINUTE_NS, D(4))
    assert (heights.folded, len(heights.recent), heights.highest) == (D(9), 121, D(9))


def test_a_clock_that_was_set_back_puts_what_it_had_stamped_before_what_comes() -> None:
    """Else a transfer of the next days would be taken for one from before the highest."""
    heights = Heights()
    heights.mark(NOON_NS + 240 * HOUR_NS, D(1000))
    heights.mark(NOON_NS, D(990))
    heights.mark(NOON_NS + MINUTE_NS, D(980))
    heights.moved(NOON_NS + 5 * MINUTE_NS, D(-500))
    assert heights.highest == 500


@given(
    steps=st.lists(st.tuples(st.integers(-50, 50), st.integers(-300, 300), st.integers(0, 3)), min_size=1, max_size=30),
    apart_s=st.integers(50, 4000),
)
def test_the_highest_is_that_of_trading_alone(steps: list[tuple[int, int, int]], apart_s: int) -> None:
    """Whatever is won, lost and moved in between, and told of up to three marks later, within an hour."""
    heights, at_ns = Heights(), NOON_NS
    won, moved, highest = 0, 0, None
    untold: list[tuple[int, int, int]] = []  # steps until it is told, when and how much
    for gain, amount, late in steps:
        won += gain
        highest = won if highest is None else max(highest, won)
        heights.mark(at_ns, D(won + moved))
        untold.append((min(late, HOUR_NS // (apart_s * SECOND_NS)), at_ns + apart_s * SECOND_NS - UNSURE_NS, amount))
        moved += amount
        at_ns += apart_s * SECOND_NS
        for left, moved_ns, told in untold:
            if not left:
                heights.moved(moved_ns, D(told))
        untold = [(left - 1, moved_ns, told) for left, moved_ns, told in untold if left]
    # What is not told of yet is in the marks after it, and not in those before.
    for _, moved_ns, told in untold:
        heights.moved(moved_ns, D(told))
    assert highest is not None
    assert heights.highest == highest + moved
